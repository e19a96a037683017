"""Both services of records run the same processes, which find in each what they name."""

import pytest

from services.records.processes import SERVICES, _own, run

NAMED = (("domain", "domain"), ("api", "routers"), ("policies", "POLICIES"), ("findings", "RULES"))


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_a_service_has_what_its_processes_look_for(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [name for module, name in NAMED if not hasattr(_own(service, module), name)] == []
    assert (SERVICES / service / "migrations" / "versions").is_dir()
    assert run(service, ["neither"]) == 2
    assert f"services.{service} api|worker" in capsys.readouterr().err
