"""Code that tests of several kinds share: real parts to run against, and no mocks of them."""
