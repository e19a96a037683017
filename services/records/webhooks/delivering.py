"""Sends one message to one receiver, within a time limit, and never to a forbidden address."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address

import certifi
import httpx

from services.records.webhooks.addresses import Address, Networks, may_go
from services.records.webhooks.names import Names, TooMany
from services.records.webhooks.retrying import Fault

READ_BYTES, READ_SECONDS = 4096, 1.0
"""How much of an answer is read, so that its connection can be used again; its content does not matter."""
HEADERS = {"content-type": "application/json", "user-agent": "payback-webhooks/1", "accept-encoding": "identity"}


class NotSent(Exception):
    """A message that was not sent, with the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that apply to every receiver."""

    allowed: Networks
    """Private networks to which messages may go."""
    seconds: float
    """How long one message may take, from looking the name up to the status of the answer."""


class Postman:
    """Sends messages."""

    def __init__(self, limits: Limits, names: Names, ca: str | None = None) -> None:
        self._limits, self._names = limits, names
        self._tls = ssl.create_default_context(cafile=ca or certifi.where())

    @asynccontextmanager
    async def rounds(self) -> AsyncIterator[httpx.AsyncClient]:
        """Open connections for messages to one receiver. No other receiver shares them, since they were made for its name."""
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=None, headers=HEADERS) as client:  # noqa: S113 - `send` limits the whole
            yield client

    async def send(
        self, client: httpx.AsyncClient, whose: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Send a message to a receiver of this authority. Raises NotSent unless the receiver answers 2xx in time."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                address = await self._address(whose, httpx.URL(url))
                answer = await _answer(client, httpx.URL(url), address, headers, body)
        except (TimeoutError, TooMany):
            raise NotSent(Fault.TIMED_OUT) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            raise NotSent(Fault.CERTIFICATE if _is_about_certificate(fault) else Fault.UNREACHABLE) from None
        await _finish(answer)
        if answer.status_code == httpx.codes.GONE:
            raise NotSent(Fault.GONE)
        if not answer.is_success:
            raise NotSent(Fault.STATUS)

    async def _address(self, whose: str, url: httpx.URL) -> Address:
        try:
            found = await self._names.addresses(whose, _host(url), url.port or (443 if url.scheme == "https" else 80))
        except (OSError, UnicodeError):
            raise NotSent(Fault.NO_ADDRESS) from None
        addresses = [ip_address(one) for one in found]
        if not addresses:
            raise NotSent(Fault.NO_ADDRESS)
        if not all(may_go(url.scheme, one, self._limits.allowed) for one in addresses):
            raise NotSent(Fault.NOT_ALLOWED)
        return addresses[0]


def _host(url: httpx.URL) -> str:
    """Return the name as it goes over the wire: the resolver might make another name of its Unicode spelling."""
    return url.raw_host.decode()


async def _answer(
    client: httpx.AsyncClient, url: httpx.URL, address: Address, headers: Mapping[str, str], body: bytes
) -> httpx.Response:
    """Return the answer once its status is known; the rest may still be on its way."""
    named = {**headers, "host": url.netloc.decode()}
    # Connect to the address that was judged: a second lookup might give another one.
    pinned, name = url.copy_with(host=str(address)), {"sni_hostname": _host(url)}
    request = client.build_request("POST", pinned, content=body, headers=named, extensions=name)
    return await client.send(request, stream=True)


async def _finish(answer: httpx.Response) -> None:
    """Read the rest of the answer. However it ends, the status has already decided whether the message was accepted."""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(READ_SECONDS):
            await _drain(answer)
    await answer.aclose()


async def _drain(answer: httpx.Response) -> None:
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read > READ_BYTES:
            return


def _is_about_certificate(fault: BaseException | None) -> bool:
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False
