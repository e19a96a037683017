"""The version of the contract as a whole. It grows with each release; types have versions of their own."""

VERSION = "1.1.0"
