"""Tokens for development."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from contracts.authorities import AUTHORITIES
from deploy.local.tokens import DevelopmentKey, identity_of, mint_for_everybody
from services.chassis.clock import FixedClock
from services.chassis.settings import DEVELOPMENT_ISSUER

OPERATOR = identity_of("operator")


def claims(token: str, key: DevelopmentKey) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(
        token, key.public_path.read_text(), algorithms=["EdDSA"], audience="payback", issuer=DEVELOPMENT_ISSUER
    )
    return found


def test_everybody_gets_what_they_need(tmp_path: Path) -> None:
    key = DevelopmentKey(tmp_path / "keys" / "development.pem")
    tokens = mint_for_everybody(key)
    assert tokens.keys() == {"national", "inspector", "operator", *AUTHORITIES}
    fife = claims(tokens["S12000047"], key)
    assert (fife["scope"], fife["authority"]) == ("events:write orders:manage orders:read", "S12000047")
    national, operator = claims(tokens["national"], key), claims(tokens["operator"], key)
    assert (national["scope"], operator["scope"]) == ("national:read", "national:read operations")
    assert claims(tokens["inspector"], key)["scope"] == "national:inspect national:read"
    assert "authority" not in national
    assert "authority" not in operator


def test_the_pair_is_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "development.pem"
    first = DevelopmentKey(path).mint(OPERATOR)
    assert claims(first, DevelopmentKey(path))["sub"] == "operator"
    assert path.stat().st_mode & 0o077 == 0


def test_a_token_runs_out(tmp_path: Path) -> None:
    key = DevelopmentKey(tmp_path / "development.pem")
    long_ago = FixedClock(datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(jwt.ExpiredSignatureError):
        claims(key.mint(OPERATOR, timedelta(days=1), long_ago), key)


def test_nobody_else_gets_a_token() -> None:
    with pytest.raises(ValueError, match="S12000015 is neither"):
        identity_of("S12000015")  # Fife's retired code
