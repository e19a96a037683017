"""The base of every service, without any word of the domain."""
