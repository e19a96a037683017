"""`payback publish`: a file goes to its end, whatever happens on the way, and every line has its receipt."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli import command_line
from tests.integration.contracts.client.test_clients import completed, received
from tests.support.platform import GOOD, Platform, platform

payback = command_line()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    lines = [received(index).body for index in range(700)] + [completed(index).body for index in range(600)]
    lines[3:3] = [b"", b"{}"]  # lines 4 and 5
    lines.append(received(9999, "bad/1").body)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def publish(file: Path, server: Platform, *options: str) -> Result:
    token = file.parent / "token"
    token.write_text("secret\n")
    address = ["--orders", server.address, "--unpaid-work", server.address, "--token-file", str(token)]
    return CliRunner().invoke(payback, ["publish", str(file), *address, *options])


def receipts(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"{file}.receipts.ndjson").read_bytes().splitlines()]


def test_every_line_has_a_receipt(file: Path) -> None:
    with platform(503, "half") as server:
        result = publish(file, server)
    assert result.exit_code == 1
    assert "1,300 accepted, 2 refused" in result.stdout
    assert "1  bad_code: Use a code from the code list of the contract." in result.stdout
    told = {receipt["line"]: receipt for receipt in receipts(file)}
    assert len(told) == len(receipts(file)) == 1302
    assert told.keys() == set(range(1, 1304)) - {4}
    assert (told[1]["id"], told[1]["topic"], told[1]["partition"]) == ("e0", "t", 0)
    assert server.kept[told[1]["offset"]]["id"] == "e0"
    assert (told[5]["reason"], told[5]["path"]) == ("not_cloudevent", "$.specversion")
    assert (told[1303]["reason"], told[1303]["id"]) == ("bad_code", "e9999")
    for kind in "ew":
        ids = [event["id"] for event in server.kept if event["id"].startswith(kind)]
        once = list(dict.fromkeys(ids))
        assert once == sorted(once, key=lambda one: int(one[1:]))


def test_it_goes_on_where_it_stopped(file: Path) -> None:
    with platform(GOOD, *[503] * 1000) as server:
        stopped = publish(file, server, "--patience", "0.1")
        assert stopped.exit_code == 4
        assert "run it again" in stopped.stderr
        before = len(server.kept)
        assert 0 < before < 1300
    with platform() as server:
        assert publish(file, server).exit_code == 1
        assert len(server.kept) == 1300 - before, "what was accepted is not sent again"
        assert publish(file, server).exit_code == 1
        assert len(server.kept) == 1300 - before, "nor when all was sent"
    assert len(receipts(file)) == 1302


def test_what_is_added_to_the_file_is_sent(file: Path) -> None:
    with platform() as server:
        publish(file, server)
        with file.open("ab") as more:
            more.write(received(10_000).body + b"\n")
        result = publish(file, server)
        assert "1,301 accepted, 2 refused" in result.stdout
        assert server.kept[-1]["id"] == "e10000"
    assert receipts(file)[-1]["line"] == 1304


CHANGED = "The file was changed: it is sent from its first line. What was accepted before counts once."


def test_another_file_of_the_same_name_is_noticed(file: Path) -> None:
    with platform() as server:
        publish(file, server)
        file.write_bytes(received(1).body + b"\n")
        again = publish(file, server)
        assert CHANGED in again.stderr
        assert CHANGED not in publish(file, server).stderr
    assert again.exit_code == 0
    assert [receipt["id"] for receipt in receipts(file)] == ["e1"]


@pytest.mark.parametrize("mended", [b'"good1"', b'"a-longer-reference"'], ids=["as long", "longer"])
def test_a_line_that_was_corrected_is_sent(file: Path, mended: bytes) -> None:
    """Wherever it stands, and however long it is."""
    lines = [received(1).body, received(2, "bad/1").body, received(3).body]
    file.write_bytes(b"\n".join(lines) + b"\n")
    with platform() as server:
        assert publish(file, server).exit_code == 1
        file.write_bytes(file.read_bytes().replace(b'"bad/1"', mended))
        again = publish(file, server)
        assert (again.exit_code, CHANGED in again.stderr) == (0, True)
        assert "3 accepted, 0 refused" in again.stdout
        assert publish(file, server).exit_code == 0
        assert len(server.kept) == 2 + 3
    assert [(one["line"], one["id"], "reason" in one) for one in receipts(file)] == [
        (1, "e1", False),
        (2, "e2", False),
        (3, "e3", False),
    ]


def test_what_waits_of_a_file_that_was_corrected_is_sent_first(file: Path) -> None:
    file.write_bytes(received(1).body + b"\n")
    with platform(*[503] * 1000) as away:
        assert publish(file, away, "--patience", "0.1").exit_code == 4
        file.write_bytes(received(2).body + b"\n")
        assert publish(file, away, "--patience", "0.1").exit_code == 4
    with platform() as server:
        assert publish(file, server).exit_code == 0
        assert [event["id"] for event in server.kept] == ["e1", "e2"]


def test_to_begin_again_can_be_asked_for(file: Path) -> None:
    with platform() as server:
        publish(file, server)
        before = len(server.kept)
        publish(file, server, "--restart")
        assert len(server.kept) == 2 * before


def test_a_token_that_is_not_believed_is_told(file: Path) -> None:
    with platform(401, 401) as server:
        result = publish(file, server)
    assert result.exit_code == 3
    assert "token" in result.stderr
    assert "secret" not in result.output


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with platform() as server:
        assert publish(tmp_path / "nothing", server).exit_code == 2
