"""`python -m contracts`: the commands for those who send events, without the rest of the platform."""

from contracts.commands import commands

if __name__ == "__main__":
    commands()
