"""Nations, releases, tables, load and applications that are made up for tests."""
