"""A chart as a file of its own: what it shows, its source, and the drawing, on paper that is white on any page."""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from xml.sax.saxutils import escape
from zlib import crc32

SVG, PNG = "image/svg+xml", "image/png"
MARGIN, LINE, ZOOM = 24, 22, 2
LETTERS = 108
"""Most letters of a line, at the size of notes."""
_FONT = Path(__file__).parent / "static" / "roboto.ttf"
_STYLE = """
text { font-family: Roboto, Helvetica, Arial, sans-serif; font-size: 14px; fill: #333; }
.pb_title { font-size: 20px; fill: #1a1a1a; }
.pb_grid { stroke: #d9d9d9; }
.pb_line { fill: none; stroke: #0065bd; stroke-width: 2.5; stroke-linejoin: round; }
.pb_dot { fill: #0065bd; }
.pb_dot--hollow { fill: #fff; stroke: #0065bd; stroke-width: 1.5; }
.pb_band { fill: #0065bd; opacity: 0.14; }
.pb_reference { stroke: #1a1a1a; stroke-width: 1.5; stroke-dasharray: 5 4; }
.pb_limit { fill: none; stroke: #5e5e5e; stroke-width: 1.5; }
.pb_limit--95 { stroke-dasharray: 2 4; }
.pb_place--within { fill: #0065bd; }
.pb_place--alert { fill: #fff; stroke: #b8410f; stroke-width: 2.5; }
.pb_place--alarm { fill: #b8410f; stroke: #b8410f; stroke-width: 2.5; }
.pb_hover { display: none; }
.pb_label { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
"""
_DRAWING = re.compile(r'<svg [^>]*viewBox="0 0 ([0-9.]+) ([0-9.]+)"[^>]*>')


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of a page, with everything that must be said if it stands alone."""

    drawing: str
    title: str
    said: str
    """What it shows, for those who do not see it."""
    notes: tuple[str, ...]
    """How to read it, and its source."""


def as_svg(picture: Picture) -> str:
    """Return a whole SVG document. It needs no style sheet and has no links."""
    found = _DRAWING.match(picture.drawing)
    assert found is not None
    width, height = (float(each) for each in found.groups())
    title, notes = _wrapped([picture.title], LETTERS * 13 // 20), _wrapped(picture.notes, LETTERS)
    top = MARGIN + 28 * len(title)
    below = top + height + MARGIN
    lines = [
        *(
            f'<text class="pb_title" x="{MARGIN}" y="{MARGIN + 28 * at + 8}">{escape(each)}</text>'
            for at, each in enumerate(title)
        ),
        *(f'<text x="{MARGIN}" y="{below + LINE * at:g}">{escape(each)}</text>' for at, each in enumerate(notes)),
    ]
    size = f"{width:g} {below + LINE * len(notes):g}"
    inner = picture.drawing[found.end() :].replace("</a>", "</g>")
    inner = re.sub(r"<a [^>]*>", "<g>", inner)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title said" viewBox="0 0 {size}" '
        f'width="{size.split(maxsplit=1)[0]}" height="{size.split()[1]}"><title id="title">{escape(picture.title)}</title>'
        f'<desc id="said">{escape(picture.said)}</desc><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(lines)}'
        f'<svg y="{top}" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">{inner}</svg>\n'
    )


def as_png(picture: Picture) -> bytes:
    """Return the chart in pixels, twice as many as on a page, with its description as text."""
    from resvg_py import svg_to_bytes  # noqa: PLC0415 - 1 MB that only pictures need

    drawn = svg_to_bytes(
        svg_string=as_svg(picture), zoom=ZOOM, skip_system_fonts=True, font_files=[str(_FONT)], font_family="Roboto"
    )
    head = 8 + 25  # signature and IHDR
    texts = _text("Title", picture.title) + _text("Description", picture.said)
    return bytes(drawn[:head]) + texts + bytes(drawn[head:])


def _text(name: str, words: str) -> bytes:
    """Return an international text chunk of PNG."""
    content = b"iTXt" + name.encode() + bytes(5) + words.encode()
    return pack(">I", len(content) - 4) + content + pack(">I", crc32(content))


def _wrapped(texts: Iterable[str], letters: int) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, letters)]
