"""Records what the answers of an API show before they go out. Without a record, nothing is shown."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.authorities import current_code
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.api.policy import Policies, Policy, Who, policy_of, role_of
from services.chassis.api.problems import Problem, away
from services.chassis.audit.model import WHOLE_SERVICE, Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.chassis.clock import Clock, system_clock
from services.chassis.database import transaction
from services.chassis.failures import Away
from services.chassis.guarding import walls
from services.chassis.metrics import AuditMetrics

HEADER = "payback-purpose"
NAMING = frozenset({"subject", "examples", "references"})
"""Members of answers that hold references of orders."""
BY_ADDRESS = "secret address"
"""Used in place of a role for what is let in by a secret of its own."""
NOBODY = ("-", None)
"""Used in place of a reference if something is about the authority itself."""


@dataclass(slots=True)
class Shown:
    """The references and rows that one answer is about to show, as far as known while it is made."""

    scope: Scope
    purpose: Purpose
    caller: Identity = PUBLIC
    references: dict[str, list[str]] = field(default_factory=dict)
    """References by authority; under the empty code those of the caller's own."""
    number: int | None = None
    """The number of rows about people or orders; None until it is known."""
    is_kept: bool = False

    @property
    def route(self) -> str:
        """Return the method and template of the requested route."""
        return f"{self.scope['method']} {getattr(self.scope.get('route'), 'path', '')}"

    def add_address(self) -> None:
        """Note the order that the address names: the answer is about it, whether or not it names it again."""
        subject, own = self.scope.get("path_params", {}).get("subject"), self.references.get("", [])
        if subject and subject not in own:
            self.references[""] = [subject, *own]
            self.number = max(self.number or 0, len(self.references[""]))

    def entry(self, authority: str, references: Sequence[str], at: datetime, **changes: Any) -> Entry:
        """Return the entry for this request; for the caller's own authority if the code is empty."""
        own = current_code(self.caller.authority or "") or ""
        entry = Entry(
            authority or own or WHOLE_SERVICE,
            at,
            self.caller.subject,
            own,
            role_of(self.caller),
            self.purpose,
            Kind.LOOK,
            self.route,
            self.number if self.number is None or not authority else len(references),
            references,
        )
        return replace(entry, **changes)


_shown: ContextVar[Shown | None] = ContextVar("shown", default=None)


def called_by(identity: Identity) -> None:
    """Set who is calling."""
    if (shown := _shown.get()) is not None:
        shown.caller = identity


def shows(answer: BaseModel) -> None:
    """Note the orders that an answer names, unless its maker has done so."""
    if (shown := _shown.get()) is not None and shown.number is None:
        show(_references(answer))


def show(references: Iterable[str], number: int = 0) -> None:
    """Note references of the caller's own orders that are shown, or the number of rows without one."""
    show_of({"": list(dict.fromkeys(references))}, number)


def show_of(references: Mapping[str, Sequence[str]], number: int = 0) -> None:
    """Note references by authority, for national viewers."""
    if (shown := _shown.get()) is not None:
        for authority, its in references.items():
            shown.references[authority] = [*shown.references.get(authority, ()), *its]
        shown.number = max(shown.number or 0, number, *map(len, shown.references.values()))


def act(connection: Connection, at: datetime, references: Sequence[str] = (), **detail: Any) -> None:
    """Record a decision of the caller, in the transaction that makes it. `detail` names no order and no person."""
    if (shown := _shown.get()) is not None:
        append(connection, shown.entry("", references, at, kind=Kind.ACT, count=len(references), detail=detail))
        shown.is_kept = True


def look_without_token(
    connection: Connection, at: datetime, authority: str, who: str, references: Sequence[str]
) -> None:
    """Record, in the present transaction, that orders are shown to a program that cannot sign in: `who` names what let it in."""
    if (shown := _shown.get()) is not None:
        count = len(references)
        append(connection, shown.entry(authority, references, at, who=who, of=authority, role=BY_ADDRESS, count=count))
        shown.is_kept = True


def _references(answer: object) -> Iterator[str]:
    if isinstance(answer, BaseModel):
        for name, value in answer:
            if name in NAMING:
                yield from (one for one in ([value] if not isinstance(value, list) else value) if one not in NOBODY)
            elif isinstance(value, BaseModel | list):
                yield from _references(value)
    elif isinstance(answer, list):
        for one in answer:
            yield from _references(one)


class Watch:
    """Records what routes show to identified callers, unless they show no person and no order."""

    def __init__(
        self, app: ASGIApp, database: Engine, policies: Policies, metrics: AuditMetrics, clock: Clock = system_clock
    ) -> None:
        self._app, self._database, self._policies = app, database, policies
        self._metrics, self._clock = metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            shown = Shown(scope, Purpose(Headers(scope=scope).get(HEADER, Purpose.NOT_STATED)))
        except ValueError:
            choices = ", ".join(Purpose)
            await Problem(422, f"The header Payback-Purpose must be one of {choices}").response()(scope, receive, send)
            return
        token = _shown.set(shown)
        try:
            with walls.seeing(walls.NOBODY):
                await self._app(scope, receive, Answer(lambda: self.keep(shown, scope), scope, receive, send).send)
        finally:
            _shown.reset(token)

    async def keep(self, shown: Shown, scope: Scope) -> None:
        """Raise Away if it cannot be recorded."""
        shown.add_address()
        if _is_watched(policy_of(self._policies, scope), shown):
            await run_in_threadpool(self._write, list(_entries(shown, self._clock())))

    def _write(self, told: Sequence[Entry]) -> None:
        with transaction(self._database) as connection:
            append(connection, *told)
        for role, number in Counter(entry.role for entry in told).items():
            self._metrics.kept.labels(role).inc(number)


class Answer:
    """One answer, which waits until `keep` has recorded it. If that raises Away, the answer is withheld."""

    def __init__(self, keep: Callable[[], Awaitable[None]], scope: Scope, receive: Receive, send: Send) -> None:
        self._keep = keep
        self._scope, self._receive, self._send = scope, receive, send
        self._withheld = False

    async def send(self, message: Message) -> None:
        """Pass it on, or a problem in its place."""
        if message["type"] == "http.response.start" and message["status"] < 300:
            try:
                await self._keep()
            except Away:
                self._withheld = True
                await away().response()(self._scope, self._receive, self._send)
        if not self._withheld:
            await self._send(message)


def _is_watched(policy: Policy, shown: Shown) -> bool:
    """Return whether to record the answer. One that nobody counted is recorded too, so that a new route cannot be forgotten.

    So is one for anybody that names orders. It names no authority and cannot be recorded, so it is not sent, unless its route has done so.
    """
    if policy.who is Who.ANYBODY:
        return bool(shown.number) and not shown.is_kept
    return policy.who is not Who.SENDER and not shown.is_kept and shown.number != 0


def _entries(shown: Shown, at: datetime) -> Iterator[Entry]:
    told = {code: its for code, its in shown.references.items() if its} or {"": []}
    yield from (shown.entry(authority, its, at) for authority, its in told.items())
