"""What tests of several kinds share: real parts to run against, and nothing that pretends."""
