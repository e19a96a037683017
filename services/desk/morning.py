"""`python -m services.desk morning`: sends the morning e-mail once, to each authority that asked for it. Run it from a timer."""

import asyncio
import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from contracts.authorities import AUTHORITIES, current_code
from services.chassis import logs
from services.chassis.failures import Failure, Refused
from services.desk.asking import data_of, today_of
from services.desk.platform import Platform, SignedOut
from services.desk.settings import MorningSettings, SmtpSettings
from services.desk.words.mail import Morning, message, morning_of

log = logging.getLogger(__name__)


class Recipients(Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets it, and the file of a token that may read the authority's orders."""

    to: list[str]
    token_path: str


def run_morning(settings: MorningSettings) -> int:
    """Send to everybody. Returns 1 where one authority's could not be sent; the others' are."""
    logs.configure(settings.logs, "desk-morning")
    wanted = _wanted(settings.recipients_path)
    failed = [code for code, recipients in wanted.items() if not _sent(settings, code, recipients)]
    return 1 if failed else 0


def _wanted(path: Path | None) -> dict[str, Recipients]:
    """By authority. Nobody where no file is named: the e-mail is off."""
    if path is None:
        log.info("no recipients are named: nothing is sent")
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Recipients])
    except (OSError, msgspec.DecodeError) as fault:
        raise Refused(f"{path} cannot be read: {fault}") from fault
    if unknown := [code for code in found if current_code(code) is None]:
        raise Refused(f"{path}: no authority has the code {unknown[0]}")
    return found


def _sent(settings: MorningSettings, code: str, recipients: Recipients) -> bool:
    try:
        morning = asyncio.run(_ask(settings, code, Path(recipients.token_path).read_text().strip()))
        with _server(settings.smtp) as server:
            for to in recipients.to:
                server.send_message(message(morning, settings.desk_url, settings.smtp.sender, to))
    except SignedOut:
        log.error("%s: the token is not believed any more", code)  # noqa: TRY400 - it is no secret why
    except (Failure, OSError, smtplib.SMTPException) as fault:
        log.error("%s: not sent: %s", code, type(fault).__name__)  # noqa: TRY400 - the fault may quote addresses
    else:
        log.info("%s: sent to %d", code, len(recipients.to))
        return True
    return False


async def _ask(settings: MorningSettings, code: str, token: str) -> Morning:
    async with httpx.AsyncClient(timeout=settings.platform.timeout_seconds) as client:
        platform = Platform(settings.platform, client)
        today, data = await asyncio.gather(today_of(platform, token), data_of(platform, token))
    return morning_of(AUTHORITIES[current_code(code) or code].name, today, data.newly, data.refused)


@contextmanager
def _server(settings: SmtpSettings) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds) as server:
        if settings.start_tls:
            server.starttls()
        if settings.user:
            server.login(settings.user, settings.password.get_secret_value())
        yield server
