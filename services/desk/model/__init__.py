"""The parts of other services' answers that the desk reads, as types. It does not read what it does not show."""
