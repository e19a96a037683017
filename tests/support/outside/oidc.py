"""A real OpenID Connect provider (panva's oidc-provider) as a local process, and a browser's path through it."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from fastapi.testclient import TestClient

from deploy.local.process import free_ports
from services.chassis.settings import OidcSettings, TokenSettings
from tests.support.children import child
from tests.support.outside.npm import fetched

HOME = Path("tests/oidc")
FIFE = "S12000047"
ACCOUNTS = {
    "case worker": {"scope": "orders:read", "authority": FIFE},
    "data officer": {"scope": "orders:read events:write", "authority": FIFE},
    "statistician": {"scope": "national:read"},
    "operator": {"scope": "operations"},
    "vendor machine": {"scope": "events:write", "authority": FIFE},
}
RESOURCE = "https://payback.test"
SECRET = "a-secret-of-tests"


class Provider(NamedTuple):
    """A running provider."""

    issuer: str

    def site(self, address: str) -> OidcSettings:
        """Return the settings of the site at this address."""
        return OidcSettings(
            issuer=self.issuer, client_id=_name(address), client_secret=SECRET, address=address, resource=RESOURCE
        )

    def tokens(self) -> TokenSettings:
        """Return the settings of trusted tokens, as in production."""
        return TokenSettings(issuer=self.issuer, jwks_url=f"{self.issuer}/jwks", audience="payback")


@contextmanager
def provider(sites: Sequence[str]) -> Iterator[Provider]:
    """Run a provider that knows the sites at these addresses. npm fetches it the first time."""
    fetched(HOME, "oidc-provider")
    (port,) = free_ports(1)
    told = {"clients": [_client(site) for site in sites], "accounts": ACCOUNTS, "resource": RESOURCE}
    with child(
        ["node", "provider.js", str(port)],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told).encode())
        process.stdin.close()
        try:
            while (line := process.stdout.readline()) != b"ready\n":
                assert line, "the provider did not start"
            yield Provider(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _client(site: str) -> dict[str, Any]:
    web = "native" if site.startswith("http://") else "web"
    return {
        "client_id": _name(site),
        "client_secret": SECRET,
        "redirect_uris": [f"{site}/sign-in/done"],
        "application_type": web,
    }


def _name(site: str) -> str:
    return site.rpartition("/")[2].partition(":")[0]


def through(address: str, account: str) -> str:
    """Return what the provider sends back to the site, for somebody who signs in there with this account in a new browser."""
    with httpx.Client(timeout=20) as browser:
        answer = browser.get(address)
        while not str(answer.headers.get("location", "")).startswith(("https://", "http://localhost")):
            if answer.is_redirect:
                answer = browser.get(answer.next_request.url if answer.next_request else "")
            else:
                assert "<form" in answer.text, answer.text
                answer = browser.post(answer.url, data={"account": account})
        return str(answer.headers["location"])


def sign_in(site: TestClient, account: str) -> Any:
    """Return the site's last answer to somebody who signs in with this account."""
    begun = site.get("/sign-in/begin", follow_redirects=False)
    return site.get(through(begun.headers["location"], account), follow_redirects=False)
