"""The files of a release, and the code lists, each fetched whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Engine

from services.chassis.api.problems import RETRY_AFTER_SECONDS, Problem, documented
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.reporting.api.parameters import Release, json
from services.reporting.api.schemas import FOR_ANYBODY, UNCHANGED, CodeLists, ReleaseFiles, answers
from services.reporting.files import bundle, store
from services.reporting.files.store import BeingMade, Kept, Listed
from services.reporting.formats.code_lists import code_lists
from services.reporting.formats.negotiation import has_it
from services.reporting.registry.absent import NotThere
from services.reporting.releases.index import ReleaseInfo

BULK = {
    bundle.ZIP: ".zip",
    bundle.PARQUET: ".parquet",
    bundle.XLSX: "-by-year.xlsx",
    bundle.ODS: "-by-year.ods",
    bundle.JSON_STAT: "-by-year.jsonstat.json",
}
"""The formats at the bulk address, the default first, and the endings of the files' names."""
BULK_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in BULK}},
    **UNCHANGED,
    **documented(404, 406),
}
BEING_MADE = "The files of a release are being made: ask again in a few seconds"
CACHED = "public, max-age=3600"
"""What is said of files and of what is read from them, since a release never changes."""
LATEST = {"Cache-Control": "public, max-age=300"}
FileName = Annotated[str, Path(max_length=120, pattern=r"^[A-Za-z0-9_./-]+$")]
ReleaseId = Annotated[Release, Path()]


def router(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/releases/{id}/data`, `/v1/releases/{id}/files` and `/v1/codes`."""
    api = APIRouter(prefix="/v1", tags=["releases and quality"])

    @api.get(
        "/releases/{id}/data",
        summary="All public figures of a release in one file",
        response_class=Response,
        responses=BULK_ANSWERS,
        openapi_extra=FOR_ANYBODY,
    )
    def bulk(id: ReleaseId, request: Request) -> Response:  # noqa: A002
        kind = _bulk_kind(request.headers.get("accept", "*/*"))
        listed = files_of(database, clock, id)
        name = next(each.name for each in listed if each.media_type == kind and each.name.endswith(BULK[kind]))
        headers = {"Vary": "Accept"} | attached(name) | beside(_published(database, id))
        return answer(store.read(database, id, name), request, headers)

    @api.get(
        "/releases/{id}/files",
        summary="All files of a release, with their hashes",
        responses=answers(ReleaseFiles, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def files(id: ReleaseId) -> Response:  # noqa: A002
        found = files_of(database, clock, id)
        described = [{**_described(each), "href": f"/releases/{id}/files/{each.name}"} for each in found]
        return json({"release": id, "content_hash": store.content_hash(found), "files": described})

    @api.get("/codes", summary="All code lists: areas, categories, marks", responses=answers(CodeLists))
    def codes() -> Response:
        return json({"lists": code_lists()})

    return api


def public_files(database: Engine, clock: Clock) -> APIRouter:
    """Return `/releases/{release}/files/…`, at permanent addresses."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/releases/{release}/files/{name:path}")
    def file(release: ReleaseId, name: FileName, request: Request) -> Response:
        files_of(database, clock, release)
        about = _published(database, release)
        if name == bundle.NOTICES:
            return Response(bundle.notices(about), media_type=bundle.TEXT, headers=LATEST | beside(about))
        try:
            found = store.read(database, release, name)
        except NotThere as fault:
            raise Problem(404, str(fault)) from None
        kept = {} if found.media_type.startswith("text/plain") else attached(name)
        return answer(found, request, kept | beside(about))

    return pages


def files_of(database: Engine, clock: Clock, release: str) -> list[Listed]:
    """Return the files of a release, making them if necessary. Raises Problem if there is no such release.

    While another process makes them, no request waits: many waiting requests would leave the service no thread for others.
    """
    try:
        with transaction(database) as connection:
            store.published(connection, release)
            found = store.listed(connection, release)
        if found:
            return found
        store.make_files(database, release, clock().date(), patient=False)
    except NotThere as fault:
        raise Problem(404, str(fault)) from None
    except BeingMade:
        raise Problem(503, BEING_MADE, {"Retry-After": str(RETRY_AFTER_SECONDS)}) from None
    with transaction(database) as connection:
        return store.listed(connection, release)


def _published(database: Engine, release: str) -> ReleaseInfo:
    """Return a published release. Raises Problem if it is not published, or was withdrawn."""
    try:
        with transaction(database) as connection:
            return store.published(connection, release)
    except NotThere as fault:
        raise Problem(404, str(fault)) from None


def beside(release: ReleaseInfo) -> dict[str, str]:
    """Return links to later notices, and to the releases that correct it or that it corrects (RFC 5829)."""
    links = [f'</releases/{release.id}/files/{bundle.NOTICES}>; rel="describedby"; type="text/plain"']
    if release.corrected_by:
        links.append(f'</releases/{release.corrected_by}>; rel="successor-version"')
    links += [f'</releases/{each}>; rel="predecessor-version"' for each in release.corrects]
    return {"Link": ", ".join(links)}


def attached(name: str) -> dict[str, str]:
    """Return the header with which a browser saves the file under its name."""
    return {"Content-Disposition": f'attachment; filename="{name.rsplit("/", 1)[-1]}"'}


def answer(file: Kept, request: Request, headers: dict[str, str]) -> Response:
    """Return the file, or 304 if the caller has it; its ETag is its hash."""
    etag = f'"{file.sha256}"'
    headers |= {"ETag": etag, "Cache-Control": CACHED}
    if has_it(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _described(file: Listed) -> dict[str, object]:
    return {
        "name": file.name,
        "title": file.title,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
    }


def _bulk_kind(accept: str) -> str:
    """Return the format that is named; without a name, the default. Raises Problem 406."""
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    named = next((kind for kind in wanted if kind in BULK), None)
    if named is None and not {"*/*", "application/*"} & set(wanted):
        raise Problem(406, f"The formats are {', '.join(BULK)}")
    return named or bundle.ZIP
