"""`python -m tests.support.running.code CODE …` runs the code with these arguments, as `python -c` does, which no template can."""

import sys

if __name__ == "__main__":
    _, code, *arguments = sys.argv
    sys.argv[1:] = arguments
    exec(code)
