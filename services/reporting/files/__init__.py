"""The files of a release for the public, made once and kept."""
