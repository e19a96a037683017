"""Messages go to the world by https, and nowhere into a private network unless the operator allows it."""

from ipaddress import ip_address, ip_network

import pytest

from services.records.webhooks.addresses import fault_of, may_go

INSIDE = [
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "100.64.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
    *("::1", "::", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1"),
]
OUTSIDE = ["8.8.8.8", "2a00:1450:4009::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_goes_inside(address: str) -> None:
    assert not may_go("https", ip_address(address), ())
    assert not may_go("http", ip_address(address), ())


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_world_is_reached_by_https_only(address: str) -> None:
    assert may_go("https", ip_address(address), ())
    assert not may_go("http", ip_address(address), [ip_network("0.0.0.0/0"), ip_network("::/0")])


def test_what_the_operator_allows_is_reached_and_no_more() -> None:
    allowed = [ip_network("10.20.0.0/16"), ip_network("127.0.0.0/8")]
    assert may_go("https", ip_address("10.20.3.4"), allowed)
    assert may_go("https", ip_address("::ffff:10.20.3.4"), allowed)
    assert not may_go("http", ip_address("10.20.3.4"), allowed)
    assert not may_go("https", ip_address("10.21.3.4"), allowed)
    assert may_go("http", ip_address("127.0.0.1"), allowed)
    assert not may_go("ftp", ip_address("127.0.0.1"), allowed)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://receiver.example/",
            "http://localhost:80/",
            "ftp://receiver.example/",
            "receiver.example",
            "",
            "https://",
        ),
        *(
            "https://user:word@receiver.example/",
            "https://receiver.example/#part",
            "https://[::1]/",
            "https://10.0.0.1/",
        ),
        *("https://xn--/", "https://xn--a.example/", "https://receiver.example:0/", "https://receiver.example:65536/"),
        *("https://8.8.8.8:99999/", "https://receiver.example:-1/"),
        *("https://receiver.example:port/", "https://[::ffff:127.0.0.1]/", "http://8.8.8.8/", "file:///etc/passwd"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_when_it_is_typed(url: str) -> None:
    assert fault_of(url, ()) is not None


def test_other_addresses_are_taken() -> None:
    assert fault_of("https://receiver.example:8443/payback?of=us", ()) is None
    assert fault_of("https://8.8.8.8/", ()) is None
    assert fault_of("http://127.0.0.1:9999/", [ip_network("127.0.0.0/8")]) is None
