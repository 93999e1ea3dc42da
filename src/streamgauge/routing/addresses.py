"""Which IP addresses a sink may be at: public ones, and private ones only where that is asked for.

Everything here is text in, verdict out. Names are resolved elsewhere, once, and what comes out is
judged here before anything connects to it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

#: Refused whatever the configuration says: nobody's webhook is there, and much that is trusted is.
#: Our own list, because that of ``ipaddress`` differs between Python's patch releases.
NEVER: dict[str, tuple[str, ...]] = {
    # The clouds' metadata services first: some of them lie inside of larger networks below.
    "a cloud's metadata service": (
        "169.254.169.254/32",
        "169.254.170.2/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
    ),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10", "fec0::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "of a carrier's NAT (CGNAT)": ("100.64.0.0/10",),
    # An IPv4 address in the form of another: what it leads to depends on the network.
    "IPv4 in the form of IPv6": ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"),
    "IPv4 in a tunnel": ("64:ff9b:1::/48", "2001::/32", "2002::/16", "192.88.99.0/24"),
    "reserved": (
        "192.0.0.0/24",
        "192.0.2.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ),
}
#: Refused unless ``allow_private`` is set.
PRIVATE: dict[str, tuple[str, ...]] = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}
#: All of IPv6 that is handed out to the public; the rest is not yet anybody's.
_PUBLIC_V6 = IPv6Network("2000::/3")


def _networks(table: dict[str, tuple[str, ...]]) -> list[tuple[str, Network]]:
    return [(kind, ip_network(text)) for kind, texts in table.items() for text in texts]


_NEVER = _networks(NEVER)
_PRIVATE = _networks(PRIVATE)


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Why nothing may connect to an address; None where it may.

    >>> refusal("169.254.169.254")
    "169.254.169.254 is a cloud's metadata service"
    >>> refusal("10.0.0.7"), refusal("10.0.0.7", allow_private=True)
    ('10.0.0.7 is private', None)
    >>> refusal("::ffff:127.0.0.1", allow_private=True)
    '::ffff:127.0.0.1 is IPv4 in the form of IPv6'
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"{address} is no IP address"
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        return f"{address} is of one link only"
    if (kind := _kind(parsed, _NEVER)) is not None:
        return f"{address} is {kind}"
    if (kind := _kind(parsed, _PRIVATE)) is not None:
        return None if allow_private else f"{address} is {kind}"
    if isinstance(parsed, IPv6Address) and parsed not in _PUBLIC_V6:
        return f"{address} is reserved"
    return None


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return _kind(ip_address(address), _PRIVATE[:2]) == "loopback"
    except ValueError:
        return False


def _kind(address: IPv4Address | IPv6Address, table: list[tuple[str, Network]]) -> str | None:
    return next((kind for kind, network in table if address in network), None)
