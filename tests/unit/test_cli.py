"""The command line finds each command where it says that it is, and ends as the failure says."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import GROUPS, command_line


@pytest.mark.parametrize("module", GROUPS)
def test_every_command_is_where_it_is_said_to_be(module: str) -> None:
    commands = import_module(module).commands
    found = [each.name or each.callback.__name__ for each in commands.registered_commands]
    found += [group.name for group in commands.registered_groups]
    assert sorted(found) == sorted(GROUPS[module])


def test_it_says_which_version_it_is() -> None:
    said = CliRunner().invoke(command_line([]), ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"payback {version('payback')}\n")


def test_a_failure_is_said_in_words_with_its_status() -> None:
    payback = Path(sys.executable).with_name("payback")
    done = subprocess.run([payback, "prove"], capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 2
    assert "PAYBACK_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
