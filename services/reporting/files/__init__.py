"""The files of a release: what the public can take away, made once and kept."""
