"""`python -m services.desk morning` and `weekly`: sends an e-mail once to each authority that asked for it. Run them from timers."""

import asyncio
import logging
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from contracts.authorities import AUTHORITIES, current_code
from services.chassis import logs
from services.chassis.failures import Away, Failure, Refused
from services.desk.asking import data_of, today_of
from services.desk.model.hours import Capacity
from services.desk.platform import Platform, Service, SignedOut
from services.desk.settings import MorningSettings, SmtpSettings
from services.desk.today import Choice
from services.desk.words.digest import digest, week_of
from services.desk.words.mail import message, morning_of

log = logging.getLogger(__name__)


class Recipients(Struct, frozen=True, forbid_unknown_fields=True):
    """The recipients, and the file of a token that may read the authority's orders."""

    token_path: str
    to: list[str] = []
    """Recipients of the morning e-mail."""
    weekly: list[str] = []
    """Recipients of the weekly e-mail."""


def run_morning(settings: MorningSettings, weekly: bool = False) -> int:
    """Send to everybody who wants it each morning, or each week. Returns 1 if one authority's could not be sent; the others' are."""
    logs.configure(settings.logs, "desk-morning")
    wanted = _wanted(settings.recipients_path)
    failed = [code for code, recipients in wanted.items() if not _sent(settings, code, recipients, weekly)]
    return 1 if failed else 0


def _wanted(path: Path | None) -> dict[str, Recipients]:
    """Return recipients by authority; none if no file is named, since the e-mail is then off."""
    if path is None:
        log.info("no recipients are given, so nothing is sent")
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Recipients])
    except (OSError, msgspec.DecodeError) as fault:
        raise Refused(f"{path} cannot be read: {fault}") from fault
    if unknown := [code for code in found if current_code(code) is None]:
        raise Refused(f"{path}: no authority has the code {unknown[0]}")
    return found


def _sent(settings: MorningSettings, code: str, recipients: Recipients, weekly: bool) -> bool:
    people = recipients.weekly if weekly else recipients.to
    if not people:
        return True
    try:
        write = asyncio.run(_ask(settings, code, Path(recipients.token_path).read_text().strip(), weekly))
        with _server(settings.smtp) as server:
            for to in people:
                server.send_message(write(to))
    except SignedOut:
        log.error("%s: the token is no longer accepted", code)  # noqa: TRY400 - it is no secret why
    except (Failure, OSError, smtplib.SMTPException) as fault:
        log.error("%s: not sent: %s", code, _why(fault))  # noqa: TRY400 - the fault may quote addresses
    else:
        log.info("%s: sent to %d", code, len(people))
        return True
    return False


_WHY: dict[type[Exception], str] = {
    Away: "{}; PAYBACK_PLATFORM_ORDERS_URL, _UNPAID_WORK_URL and _REPORTING_URL say where the services are",
    smtplib.SMTPNotSupportedError: "the mail server does not offer encryption; PAYBACK_SMTP_START_TLS=false goes without",
    smtplib.SMTPAuthenticationError: "the mail server does not accept PAYBACK_SMTP_USER and PAYBACK_SMTP_PASSWORD",
    ConnectionError: "the mail server does not answer at PAYBACK_SMTP_HOST and PAYBACK_SMTP_PORT",
    FileNotFoundError: "the file with the token is not there",
}
"""Why nothing was sent, in words that quote nothing of the fault but what the desk itself says."""


def _why(fault: Exception) -> str:
    words = next((words for kind, words in _WHY.items() if isinstance(fault, kind)), type(fault).__name__)
    return words.format(fault)


async def _ask(settings: MorningSettings, code: str, token: str, weekly: bool) -> Callable[[str], EmailMessage]:
    """Ask the services, and return a function that makes the e-mail for each recipient."""
    async with httpx.AsyncClient(timeout=settings.platform.timeout_seconds) as client:
        platform = Platform(settings.platform, client)
        today, data = await asyncio.gather(today_of(platform, token, Choice(), limit=0), data_of(platform, token))
        capacity = await platform.ask(token, Service.UNPAID_WORK, "capacity", Capacity) if weekly else None
    morning = morning_of(AUTHORITIES[current_code(code) or code].name, today, data.newly, data.refused)
    where = settings.desk_url, settings.smtp.sender
    if capacity is None:
        return partial(message, morning, *where)
    return partial(digest, week_of(morning, today, capacity), *where)


@contextmanager
def _server(settings: SmtpSettings) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds) as server:
        if settings.start_tls:
            server.starttls()
        if settings.user:
            server.login(settings.user, settings.password.get_secret_value())
        yield server
