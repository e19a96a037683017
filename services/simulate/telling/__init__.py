"""How authorities tell of it: sent as events or exported as extracts, late, twice, untidy or wrong."""
