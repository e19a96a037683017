"""A file that holds no events is told what it is, once; lines of JSON are never taken for something else."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from contracts.decoding.codec import encode
from contracts.decoding.foreign import kind_of_file
from contracts.generate.examples import as_sent
from contracts.generate.samples import EVENTS
from services.cli import command_line

LINES = b"".join(encode(event) + b"\r\n" for event in EVENTS[:3])


def workbook() -> bytes:
    file, book = BytesIO(), Workbook()
    book.active.append(["Order", "Imposed on"])  # type: ignore[union-attr]
    book.save(file)
    return file.getvalue()


FOREIGN = {
    "orders.xlsx": (workbook(), "XLSX"),
    "orders.csv": (b"Order ref,Date imposed,Hours\nA1,2025-03-03,100\n", "CSV"),
    "german.csv": ("\ufeffOrder ref;Imposed;Hours\r\nA1;03.03.2025;100\r\n".encode(), "CSV"),
    "narrow.ndjson": (b"a;b\n1;2\n", "CSV"),
    "windows.csv": ('Auftrag;Größe\n1;"2; 3"\n'.encode("cp1252"), "CSV"),
    "titled.csv": (b"Orders of 2025\n\nRef,Hours ordered (at first)\nA1,100\n", "CSV"),
    "heading.csv": (b'"Order ref","Date"\n', "CSV"),
    "pipes.dat": (b"ref|hours\nA1|100\n", "CSV"),
    "orders.xml": (b"<?xml version='1.0'?>\n<orders/>", "XML"),
    "tabs.txt": (b"Order\tImposed\nA1\t2025-03-03\n", "CSV"),
    "utf16.ndjson": (LINES.decode().encode("utf-16"), "UTF-16"),
    "utf16-without-mark.ndjson": (LINES.decode().encode("utf-16-le"), "UTF-16"),
    "array.json": (json.dumps([as_sent(EVENTS[0])]).encode(), "array"),
    "pretty.json": (json.dumps(as_sent(EVENTS[0]), indent=2).encode(), "several lines"),
    "lines.ndjson.gz": (b"\x1f\x8b\x08\x00rest", "gzip"),
    "report.pdf": (b"%PDF-1.7\n...", "PDF"),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "json"])
def test_it_is_told_once_what_it_is(tmp_path: Path, name: str, options: list[str]) -> None:
    content, words = FOREIGN[name]
    path = tmp_path / name
    path.write_bytes(content)
    done = CliRunner().invoke(command_line(), ["validate", str(path), *options])
    assert done.exit_code == 1
    assert done.stdout.count(words) == 1
    assert len(done.stdout.splitlines()) == (2 if options else 1)


def test_it_is_told_from_standard_input_as_well() -> None:
    done = CliRunner().invoke(command_line(), ["validate", "-"], input=FOREIGN["orders.csv"][0])
    assert (done.exit_code, done.stdout.count("CSV")) == (1, 1)


def test_nothing_of_it_is_published(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(FOREIGN["orders.csv"][0])
    address = ["--orders", "http://127.0.0.1:1", "--unpaid-work", "http://127.0.0.1:1", "--token-file", "token"]
    done = CliRunner().invoke(command_line(), ["publish", str(tmp_path / "orders.csv"), *address])
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        b"\xef\xbb\xbf" + LINES,
        b"\n\r\n  \n" + LINES,
        b"\xef\xbb\xbf\r\n" + LINES + b"\n\n",
        LINES.removesuffix(b"\r\n"),
    ],
)
def test_lines_with_marks_and_blank_rows_are_taken(tmp_path: Path, content: bytes) -> None:
    assert kind_of_file(content) is None
    (tmp_path / "lines").write_bytes(content)
    done = CliRunner().invoke(command_line(), ["validate", str(tmp_path / "lines"), "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"events": 3, "accepted": 3, "refused": {}})


@pytest.mark.parametrize(
    "content",
    [
        b"not JSON, at all\n" + LINES,
        LINES + b"a,b\nc,d\n",
        b"{not json, at all\n{nor, this\n",
        b"null\n",
        b"hello\n",
    ],
)
def test_faulty_lines_are_told_one_by_one(content: bytes) -> None:
    assert kind_of_file(content) is None
