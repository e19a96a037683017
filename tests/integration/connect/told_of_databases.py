"""The events made from a case system's database whose orders and contacts change, whichever database it is."""

from pathlib import Path

from sqlalchemy import Engine, text

from tests.integration.connect.test_days import Office
from tests.support.platform import platform


def assert_changes_are_said(folder: Path, owner: Engine) -> None:
    """Assert that an import tells all that is there at first, then whatever its owner changed, then nothing."""
    with platform() as server:
        office = Office(folder, server)
        office.mapping = folder / "case.yaml"
        office.send(options=("--taken", "2026-03-02T18:00:00"))
        assert [(subject, kind, *data.values()) for subject, kind, data in office.said()] == [
            ("A1", "contact.made.v1", "2026-02-03"),
            ("A1", "order.received.v1", "2026-02-02"),
            ("A2", "order.received.v1", "2026-02-03"),
        ]
        with owner.connect() as connection:
            connection.execute(text("UPDATE contact SET kept = NOT kept"))
        office.send()
        assert [(subject, kind) for subject, kind, _ in office.said()] == [
            ("A1", "fact.withdrawn.v1"),
            ("A2", "contact.made.v1"),
        ]
        office.send()
        assert office.said() == []
