"""Lets atheris look for inputs that break `fuzz.check`: `python -m tests.support.generated.atheris_fuzz -max_total_time=10 CORPUS`."""

import sys

import atheris

with atheris.instrument_imports(include=["contracts"]):
    from tests.support.generated import fuzz

if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz.check)
    atheris.Fuzz()
