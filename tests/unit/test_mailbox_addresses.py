"""Which addresses a person may have us connect to."""

from ipaddress import ip_network

import pytest

from libs.mailbox.addresses import permitted


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:224.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
    ],
)
def test_no_address_leads_into_a_network_that_is_not_public(address: str) -> None:
    assert permitted([(address, 993)], []) == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert permitted([(address, 993)], []) == [(address, 993)]


def test_allowed_networks_are_permitted_and_no_others() -> None:
    allowed = [ip_network("10.0.0.0/8"), ip_network("fc00::/7")]
    addresses = [("127.0.0.1", 1), ("10.9.8.7", 1), ("::ffff:10.1.1.1", 1), ("fc00::5", 1), ("::1", 1)]

    assert permitted(addresses, allowed) == [("10.9.8.7", 1), ("::ffff:10.1.1.1", 1), ("fc00::5", 1)]
