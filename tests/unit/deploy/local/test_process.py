"""Ports for processes of one's own."""

import sys
from pathlib import Path

import pytest

from deploy.local.process import free_ports


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which ports it gives away")
def test_ports_are_none_that_the_system_gives_to_connections() -> None:
    """Between looking for a port and listening on it, some connection could get it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < lowest
