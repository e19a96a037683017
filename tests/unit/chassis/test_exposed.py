"""The port from which metrics are read."""

import urllib.request
from urllib.error import URLError

import pytest

from services.chassis.metrics import exposed, new_registry
from services.chassis.settings import MetricsSettings


@pytest.mark.timeout(20)
@pytest.mark.parametrize("asked", [False, True])
def test_it_closes_at_the_end_of_the_block_whether_or_not_anybody_asked(asked: bool) -> None:
    with exposed(MetricsSettings(port=0), new_registry()) as port:
        address = f"http://127.0.0.1:{port}/metrics"
        if asked:
            assert b"payback_build_info" in urllib.request.urlopen(address, timeout=5).read()
    with pytest.raises(URLError):
        urllib.request.urlopen(address, timeout=5)
