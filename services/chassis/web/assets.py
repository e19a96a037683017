"""Style sheets, the font and the icon of pages, under names made of their content, so that browsers fetch each only once."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.chassis.api.problems import Problem

STATIC = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
_PACKED_ALREADY = {".woff2"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed."""

    name: str
    media_type: str
    content: bytes
    packed: bytes | None

    @classmethod
    def of(cls, path: Path, content: bytes) -> "Asset":
        """Make an asset that is named by its content."""
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
        packed = None if path.suffix in _PACKED_ALREADY else gzip.compress(content, mtime=0)
        return cls(name, guess_type(path.name)[0] or "font/woff2", content, packed)


def _load() -> Mapping[str, Asset]:
    """Load assets by their own names. Style sheets come last, since they name others."""
    found: dict[str, Asset] = {}
    for path in sorted(STATIC.glob("*.*"), key=lambda path: path.suffix == ".css"):
        content = path.read_bytes()
        if path.suffix == ".css":
            for name, asset in found.items():
                content = content.replace(f"/static/{name}".encode(), f"/static/{asset.name}".encode())
        found[path.name] = Asset.of(path, content)
    return found


_ASSETS = _load()
_BY_ADDRESS = {asset.name: asset for asset in _ASSETS.values()}


def address(name: str) -> str:
    """Return where a file of `static` is served. It changes with the content of the file."""
    return f"/static/{_ASSETS[name].name}"


def add_static(pages: APIRouter) -> None:
    """Serve the design system, the fonts and the icon."""

    @pages.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        asset = _BY_ADDRESS.get(name)
        if asset is None:
            raise Problem(404, "There is no such file")
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
        return Response(asset.content, media_type=asset.media_type, headers=headers)
