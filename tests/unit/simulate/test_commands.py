"""The command line of the simulation."""

import json
from pathlib import Path

from typer.testing import CliRunner

from services.cli import command_line

app = command_line()


def test_a_file_per_topic_and_the_truth(tmp_path: Path) -> None:
    options = ["--months", "2", "--seed", "4", "--end", "2026-06-01", "--authority", "S12000020"]
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "orders.S12000020.ndjson",
        "unpaid-work.S12000020.ndjson",
        "truth.json",
    }
    lines = [line for path in tmp_path.glob("*.ndjson") for line in path.read_bytes().splitlines()]
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["outcomes"]["lines"] == len(lines) > 100
    assert any(key.startswith("orders_imposed|S12000020|2026-04-01|") for key in truth["cells"])


def test_an_unknown_authority_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path), "--authority", "S12000015"])
    assert result.exit_code == 2
    assert "S12000015" in result.output


def test_extracts_of_the_last_days(tmp_path: Path) -> None:
    options = ["--months", "2", "--end", "2026-06-01", "--authority", "S12000023", "--extracts", "--extract-days", "2"]
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "extracts" / "S12000023"
    names = {path.name for path in folder.iterdir()}
    assert {f"{table} 2026-05-{day}.csv" for table in ("orders", "sessions", "breaches") for day in (30, 31)} <= names
    assert (folder / "extracts.yaml").read_text().startswith("authority: S12000023\n")
    rows = (folder / "orders 2026-05-31.csv").read_text(encoding="cp1252").splitlines()
    assert rows[0].startswith("Case;Person;Sex;Age;")
    assert len(rows) > 3
