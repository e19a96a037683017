"""Support for how tests are shared among workers, and where these keep their files."""
