"""Rows of a workbook that somebody struck through, which tells people that they no longer count. No other look of a cell is read."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

_FONTS = re.compile(rb"<fonts\b.*?</fonts>", re.DOTALL)
_FONT = re.compile(rb"<font\b[^>]*?/>|<font\b.*?</font>", re.DOTALL)
_STRIKE = re.compile(rb"""<strike\b(?![^>]*val\s*=\s*["'](?:0|false)["'])""")
_FORMATS = re.compile(rb"<cellXfs\b.*?</cellXfs>", re.DOTALL)
_FORMAT = re.compile(rb"<xf\b[^>]*>")
_USES = re.compile(rb"""fontId\s*=\s*["'](\d+)["']""")
_CELL = re.compile(rb"""<c\b(?=[^>]*\br\s*=\s*["'][A-Z]+(\d+)["'])(?=[^>]*\bs\s*=\s*["'](\d+)["'])[^>]*>(?!</c>)""")
_SHEET = re.compile(rb"<sheet\b[^>]*>")
_MOST = 64 * 1024 * 1024
"""Largest sheet that is looked at, in bytes; larger ones are no list that somebody keeps by hand."""


def struck_rows(file: Path) -> dict[int, list[int]]:
    """Return the numbers of rows with a struck cell, by the number of their sheet; none for anything but XLSX."""
    if file.suffix.lower() not in {".xlsx", ".xlsm"} or not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as archive:
        if "xl/styles.xml" not in archive.namelist():
            return {}
        styles = set(_struck_styles(archive.read("xl/styles.xml")))
        if not styles:
            return {}
        return {number: rows for number, path in _sheets(archive) if (rows := _rows(archive, path, styles))}


def _struck_styles(styles: bytes) -> Iterator[bytes]:
    fonts, formats = _FONTS.search(styles), _FORMATS.search(styles)
    if fonts is None or formats is None:
        return
    struck = {b"%d" % number for number, font in enumerate(_FONT.findall(fonts[0])) if _STRIKE.search(font)}
    for number, form in enumerate(_FORMAT.findall(formats[0])):
        if (used := _USES.search(form)) and used[1] in struck:
            yield b"%d" % number


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[int, str]]:
    """Yield each sheet's number in the workbook and its path in the file."""
    names, targets = archive.namelist(), _targets(archive)
    for number, sheet in enumerate(_SHEET.findall(archive.read("xl/workbook.xml")), 1):
        relation = re.search(rb"""r:id\s*=\s*["']([^"']+)["']""", sheet)
        path = targets.get(relation[1], "") if relation else ""
        if path in names:
            yield number, path


def _targets(archive: zipfile.ZipFile) -> dict[bytes, str]:
    if "xl/_rels/workbook.xml.rels" not in archive.namelist():
        return {}
    found = {}
    for relation in re.findall(rb"<Relationship\b[^>]*>", archive.read("xl/_rels/workbook.xml.rels")):
        name, target = (re.search(rb"""\b%s\s*=\s*["']([^"']+)["']""" % one, relation) for one in (b"Id", b"Target"))
        if name and target:
            path = target[1].decode("utf-8", "replace")
            found[name[1]] = path.removeprefix("/") if path.startswith("/") else f"xl/{path}"
    return found


def _rows(archive: zipfile.ZipFile, path: str, styles: set[bytes]) -> list[int]:
    if archive.getinfo(path).file_size > _MOST:
        return []
    return sorted({int(row) for row, style in _CELL.findall(archive.read(path)) if style in styles})
