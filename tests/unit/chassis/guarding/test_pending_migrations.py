"""The names of files tell what was not run yet, without Alembic: both must know the same histories."""

import pytest
from alembic.script import ScriptDirectory

from services.chassis.guarding.pending_migrations import revisions
from services.chassis.migrations import ENVIRONMENT
from tests.support.parts import MIGRATIONS


@pytest.mark.parametrize("service", MIGRATIONS)
def test_the_names_of_files_tell_the_history_that_alembic_runs(service: str) -> None:
    directory = MIGRATIONS[service]
    scripts = ScriptDirectory(str(ENVIRONMENT), version_locations=[str(directory / "versions")])
    run = [script.revision for script in scripts.iterate_revisions("heads", "base")][::-1]
    assert len(run) > 10
    assert revisions(directory) == run
