"""Nations, releases and tables that are made up for tests."""
