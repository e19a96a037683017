"""Ports and settings for processes of one's own."""

import sys
from pathlib import Path

import pytest

from deploy.local.process import free_ports
from deploy.local.settings import clean_environment


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which ports it gives away")
def test_ports_are_none_that_the_system_gives_to_connections() -> None:
    """Between looking for a port and listening on it, some connection could get it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < lowest


def test_all_processes_have_the_list_of_authorities_of_who_starts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_AUTHORITIES_PATH", "/ten.toml")
    monkeypatch.setenv("PAYBACK_DATABASE_URL", "postgresql://elsewhere")
    told = {name: value for name, value in clean_environment().items() if name.startswith("PAYBACK_")}
    assert told == {"PAYBACK_AUTHORITIES_PATH": "/ten.toml"}
