"""The page that says who may call which route, and how much each accepts and returns. Writes it when run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fastapi import FastAPI

from services.chassis.api.policy import COMMON, KIB, MIB, Policy, Role
from services.chassis.web.sign_in import SIGNING_IN

OPEN_TO_ALL = {*COMMON, *SIGNING_IN}
"""Routes that every service has for everybody."""


def page(applications: Mapping[str, FastAPI]) -> str:
    """Return all tables as one page."""
    lines = [
        "# Who may call what",
        "",
        "Made from the tables of policies (`services/*/policies.py`), which decide who is let in and bound bodies, and go into the OpenAPI",
        "documents; `tests/unit/test_access.py` asks every route as every role. A service with a route that has no row does not start.",
        "",
    ]
    for service, app in applications.items():
        lines += [f"## {service}", "", "| route | who | body at most | answer at most |", "|---|---|---|---|"]
        lines += [_row(name, policy) for name, policy in sorted(app.state.policies.items(), key=_by_path)]
        lines.append("")
    return "\n".join(lines)


def _by_path(row: tuple[str, Policy]) -> tuple[str, str]:
    method, _, path = row[0].partition(" ")
    return path, method


def _row(name: str, policy: Policy) -> str:
    body = _size(policy.body) + (f"; lines {_size(policy.lines)}" if policy.lines else "")
    answer = "for as long as the caller listens" if policy.listens else _size(policy.answer)
    return f"| `{name}` | {', '.join(_roles(policy))} | {body} | {answer} |"


def _roles(policy: Policy) -> Iterator[str]:
    if policy.who.lets_in(Role.PUBLIC.identity("")):
        yield "anybody"
    else:
        yield from (role.title for role in Role if policy.who.lets_in(role.identity("S12000033")))


def _size(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


if __name__ == "__main__":
    from tests.unit.test_routes import APPLICATIONS

    Path("docs/access.md").write_text(page(APPLICATIONS))
