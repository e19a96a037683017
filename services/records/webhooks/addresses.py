"""Addresses to which messages may be sent. Names are resolved elsewhere; their addresses are judged here.

Somebody outside types in a receiver's address, so it must not lead into the platform's own network.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

Address = IPv4Address | IPv6Address
Networks = Collection[IPv4Network | IPv6Network]
LONGEST = 2000
PORTS: Final = range(1, 2**16)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""The prefix behind which a gateway puts all of IPv4 (RFC 6052)."""


def may_go(scheme: str, address: Address, allowed: Networks) -> bool:
    """Return whether a message may be sent there: to the world, and to networks that the operator allows; without
    TLS only to this machine.
    """
    meant = _meant(address)
    if scheme != "https" and not (scheme == "http" and meant.is_loopback):
        return False
    return _is_public(meant) or any(meant in network for network in allowed)


def fault_of(url: str, allowed: Networks) -> str | None:
    """Return the error in a receiver's address, as far as it shows without a lookup; None if there is none."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host  # which cannot be read of every name that goes over the wire
    except (httpx.InvalidURL, ValueError):
        return "it is not an address"
    if parsed.scheme not in {"https", "http"} or not host:
        return "it must begin with https://"
    if parsed.port is not None and parsed.port not in PORTS:
        return "it has a port that there is not"
    if parsed.userinfo or parsed.fragment:
        return "it must not hold a user name, password or fragment"
    literal = _literal(host)
    if literal is None:
        return None if parsed.scheme == "https" else "it must begin with https://"
    return None if may_go(parsed.scheme, literal, allowed) else "messages may not be sent to this address from here"


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does, or else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_public(address: Address) -> bool:
    local = isinstance(address, IPv6Address) and address.is_site_local  # global to Python, though it never was
    return address.is_global and not (address.is_multicast or address.is_reserved or local)
