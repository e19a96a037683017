"""Citations lead nowhere rather than to half an address."""

from datetime import date

from services.reporting.formats.publisher import bibtex, citation

DAY = date(2026, 11, 3)


def test_with_an_address_it_is_whole() -> None:
    address = "https://figures.example/releases/2026-09.1"
    assert citation("2026-09.1", DAY, address).endswith(f"release 2026-09.1, 3 November 2026. {address}")
    assert f"\\url{{{address}}}" in bibtex("2026-09.1", DAY, address)


def test_files_that_know_no_host_cite_without_an_address() -> None:
    line, entry = citation("2026-09.1", DAY), bibtex("2026-09.1", DAY)
    assert line == "Payback (2026), Community payback orders in Scotland: release 2026-09.1, 3 November 2026."
    assert "url" not in entry
    assert "/releases" not in entry
    assert entry.startswith("@misc{payback202609_1,")
