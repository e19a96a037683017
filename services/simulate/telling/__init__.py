"""How authorities report: as events or as extracts, late, twice, untidy or wrong."""
