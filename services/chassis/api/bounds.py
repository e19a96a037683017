"""Limits by route: the size of a body, the time in which it must arrive, and the size of an answer."""

from asyncio import get_running_loop, timeout_at

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.api.policy import Policies, Policy, policy_of
from services.chassis.api.problems import Problem

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
"""Media types used for lines; none of them is registered."""
SILENT_SECONDS = 15.0
"""A body of which nothing arrives for this long is given up."""


class Bounds:
    """Refuses a body that is too large or too slow, whether or not its length was announced, and an answer that is too large."""

    def __init__(self, app: ASGIApp, policies: Policies) -> None:
        self._app, self._policies = app, policies
        self._largest = max(policy.largest for policy in policies.values())
        self._with_slashes = tuple(
            name.partition(" ")[2].partition("{")[0].encode() for name in policies if ":path}" in name
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await refusal.response()(scope, receive, send)
        else:
            body = _Body(scope, receive, self._policies)
            await self._app(scope, body.receive, _Answer(scope, receive, send, self._policies).send)

    def _refusal(self, scope: Scope) -> Problem | None:
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and (len(announced) > 15 or int(announced) > self._largest):
            return too_large(self._largest)
        raw = scope.get("raw_path", b"")
        if b"%2f" in raw.lower() and not raw.startswith(self._with_slashes):
            return Problem(404, "Not Found")
        if b"%00" in scope["query_string"] or b"%00" in raw:
            return Problem(422, "Text must not contain the character 0")
        return None


class _Body:
    """The body of one request. Its limits are known once it has a route, which is before anybody asks for the body."""

    def __init__(self, scope: Scope, receive: Receive, policies: Policies) -> None:
        self._scope, self._receive, self._policies = scope, receive, policies
        self._taken, self._whole = 0, False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """Return the next part. Raises Problem 408, 413."""
        if self._whole:
            return await self._receive()  # the message that the caller disconnected
        policy, now = policy_of(self._policies, self._scope), get_running_loop().time()
        self._deadline = self._deadline or now + policy.seconds
        try:
            async with timeout_at(None if policy.listens else min(self._deadline, now + SILENT_SECONDS)):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, "The body did not arrive in time", headers={"Connection": "close"}) from None
        self._taken += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._taken > (most := limit(policy, self._scope)):
            raise too_large(most)
        return message


class _Answer:
    """The answer to one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, policies: Policies) -> None:
        self._scope, self._receive, self._send, self._policies = scope, receive, send, policies
        self._replaced = False

    async def send(self, message: Message) -> None:
        """Pass the answer on, or a problem in place of an answer that is too large."""
        if message["type"] == "http.response.start":
            most = policy_of(self._policies, self._scope).answer
            if int(Headers(raw=message["headers"]).get("content-length", "0")) > most:
                self._replaced = True
                problem = Problem(422, f"The answer would be larger than {most} bytes: ask for less at once")
                await problem.response()(self._scope, self._receive, self._send)
        if not self._replaced:
            await self._send(message)


def limit(policy: Policy, scope: Scope) -> int:
    """Return how large this request's body may be, in bytes."""
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return policy.lines or policy.body if kind in LINES else policy.body


def refuse_announced(policy: Policy, scope: Scope) -> None:
    """Raise Problem 413 if the announced length is too large for the route."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and int(announced) > (most := limit(policy, scope)):
        raise too_large(most)


def too_large(most: int) -> Problem:
    """Return the problem. The rest of the body is still on its way, so the connection cannot be used again."""
    return Problem(413, f"The body is larger than {most} bytes", headers={"Connection": "close"})
