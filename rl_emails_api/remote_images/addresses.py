"""Which network addresses an image may be fetched from: the public internet, and nothing else.

IPv4 is what IANA's special-purpose registry leaves (`ipaddress` knows it), less what cloud providers answer their
machines on. IPv6 is an allow list, 2000::/3, less the blocks in it that lead elsewhere; an IPv4 address in an IPv6 one
counts as what it is. https://www.iana.org/assignments/iana-ipv6-special-registry, September 2026.
"""

import ipaddress

_METADATA = frozenset({ipaddress.IPv4Address("168.63.129.16")})
"""Public by its number, and the host's own services on one cloud; the others use link-local or private addresses."""
_NOT_PUBLIC = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata
        "192.0.0.0/24",  # protocol assignments, and one cloud's metadata
        "192.88.99.0/24",  # relays into 6to4
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # Teredo, ORCHID and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address behind a relay
        "3fff::/20",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this is an address of the public internet; False for what is no address, or names an interface."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        inner = found.ipv4_mapped
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is None:
            return found in _GLOBAL_UNICAST and found.is_global and not any(found in block for block in _NOT_GLOBAL)
        found = inner
    return found.is_global and found not in _METADATA and not any(found in block for block in _NOT_PUBLIC)
