"""In the dark, colours are others and nothing else: whatever somebody can do in the light, they can do there.

So the stories of tests/e2e/test_stories.py are told once for each width and once for each light, and not for every pair of them.
"""

import re

from tests.support.source import ROOT

STYLES = ROOT / "services" / "chassis" / "web" / "static"
COLOURS = re.compile(r"--pb-[a-z-]+|background(-color)?|border(-[a-z]+)?-color|box-shadow|color|fill|filter|stroke")


def properties(style: str, condition: str) -> set[str]:
    """Return what is declared under this condition of the medium."""
    blocks = re.findall(rf"@media[^{{]*{condition}[^{{]*\{{((?:[^{{}}]*\{{[^{{}}]*\}})*)", style)
    declared = re.findall(r"[{;]\s*([\w-]+)\s*:", " ".join(re.findall(r"\{[^{}]*\}", " ".join(blocks))))
    return set(declared)


def test_only_colours_are_others_in_the_dark() -> None:
    found = {path.name: properties(path.read_text(), "prefers-color-scheme") for path in STYLES.glob("*.css")}
    assert len(found["payback.css"]) > 15
    assert {name: [one for one in each if not COLOURS.fullmatch(one)] for name, each in found.items()} == {
        name: [] for name in found
    }


def test_no_style_depends_on_the_width_in_the_dark() -> None:
    conditions = [media for path in STYLES.glob("*.css") for media in re.findall(r"@media([^{]*)", path.read_text())]
    assert len(conditions) > 10
    assert [one for one in conditions if "scheme" in one and "width" in one] == []


def test_what_hides_something_would_be_found() -> None:
    style = (
        "@media (prefers-color-scheme: dark) { a { color: red; } nav { color: red; display: none } } p { margin: 0 }"
    )
    assert properties(style, "prefers-color-scheme") == {"color", "display"}
