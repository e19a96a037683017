"""How the tests run, and the processes that they start, kill and measure."""
