"""The parts that every page of the desk needs: the viewer, their token, and what they may do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from fastapi import Request, Response

from contracts.rejections import place_in_words
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.api.policy import Who, policy_of
from services.chassis.web import words
from services.chassis.web.frame import Frame, Link, Look, templates
from services.desk.platform import Platform, Service, SignedOut
from services.desk.settings import ApiSettings

LOOK = Look(
    subtitle="What needs doing with our orders",
    navigation=(
        Link("/", "Today"),
        Link("/orders", "Orders"),
        Link("/wrong", "Wrong data"),
        Link("/refusals", "Refused events"),
        Link("/check", "Check a file"),
        Link("/held", "What the nation holds"),
        Link("/returns", "Returns and reports"),
        Link("/settings", "Our settings"),
    ),
    sign_in="Signed in, you see the orders of your authority, what is due on them, and what needs putting right.",
)


class NotForYou(Exception):
    """The viewer is not a person of an authority who may see its orders."""


@dataclass(frozen=True, slots=True)
class Looker:
    """A viewer who belongs to an authority, with the token that proves it."""

    identity: Identity
    token: str

    @property
    def authority(self) -> str:
        """Return the code of their authority."""
        return self.identity.authority or ""

    @property
    def may_send(self) -> bool:
        """Return whether they may also send events."""
        return Who.SENDER.lets_in(self.identity)

    @property
    def may_manage(self) -> bool:
        """Return whether they may acknowledge missed duties, and set the authority's own days, targets and aims."""
        return Who.MANAGER.lets_in(self.identity)


@dataclass(frozen=True, slots=True)
class Site(Frame):
    """The frame, with the platform behind it."""

    platform: Platform

    def looker(self, request: Request) -> Looker:
        """Return the viewer. Raises SignedOut without a valid token, and NotForYou for a viewer whom the page's policy does not admit."""
        identity = self.viewer(request)
        if identity is PUBLIC:
            raise SignedOut
        if not policy_of(request.app.state.policies, request.scope).who.lets_in(identity):
            raise NotForYou
        return Looker(identity, self.token(request) or "")


def site_of(platform: Platform, settings: ApiSettings) -> Site:
    """Return the site of this service."""
    names = {"words": words, "services": Service, "figures_url": settings.platform.public_reporting_url}
    names["place_in_words"] = place_in_words
    return Site(settings.site, LOOK, templates("services.desk.pages", names), platform)


T_co = TypeVar("T_co", covariant=True)
Page = Callable[[Site, Looker, Request], Awaitable[T_co]]


class Route(NamedTuple):
    """An address of the desk."""

    path: str
    page: Page[Response]
    takes: tuple[str, ...] = ()
    """The query parameters that the page reads."""
    method: str = "GET"
