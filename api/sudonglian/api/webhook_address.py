"""Where webhooks may lead: https anywhere in the open, and hosts inside one's own network only if a setting names them.

docs/webhooks.md; docs/decisions/0823. Checked when a webhook is made, and at each attempt with the addresses of then.
"""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import ClassVar, Final, NamedTuple
from urllib.parse import urlsplit

from sudonglian.api.errors import UsageRefused

MAX_URL: Final = 2_000

PORTS: Final = {"https": 443, "http": 80}

NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: behind it lies whatever its last four bytes name."""


class AddressRefused(UsageRefused):
    """An address that a webhook may not lead to."""

    slug: ClassVar[str] = "webhook-address"


class Target(NamedTuple):
    """What an URL of a webhook names."""

    is_https: bool
    host: str
    """As it is looked up: lower case, without brackets."""
    port: int
    path: str
    """With its query."""


def target_of(url: str, inside: Collection[str], place: str = "url") -> Target:
    """Return what an URL names, if a webhook may have it; `inside` are the hosts that a setting names.

    >>> target_of("https://cdc.example/hook?a=1", ())
    Target(is_https=True, host='cdc.example', port=443, path='/hook?a=1')
    >>> target_of("http://cdc.example/hook", ())
    Traceback (most recent call last):
    ...
    sudonglian.api.webhook_address.AddressRefused: http is for hosts that SUDONGLIAN_WEBHOOK_HOSTS names

    Raises
    ------
    AddressRefused
        No http or https, http to a host that is not inside, a name and password in it, or no URL at all.
    """
    try:
        if len(url) > MAX_URL or not url.isascii() or any(one <= " " or one == "\x7f" for one in url):
            raise ValueError
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        is_whole = parts.scheme in PORTS and host and "%" not in host and "@" not in parts.netloc and not parts.fragment
        if not is_whole or port == 0:
            raise ValueError
    except ValueError:
        raise AddressRefused(
            f"not an https address of at most {MAX_URL} characters, without name and password", place=place
        ) from None
    if parts.scheme == "http" and host not in inside:
        raise AddressRefused("http is for hosts that SUDONGLIAN_WEBHOOK_HOSTS names", place=place)
    path = parts.path or "/"
    return Target(
        parts.scheme == "https", host, port or PORTS[parts.scheme], path + (f"?{parts.query}" if parts.query else "")
    )


def check_addresses(target: Target, addresses: Iterable[str], inside: Collection[str], place: str = "url") -> None:
    """Refuse a host one of whose addresses is not where a webhook may lead.

    Raises
    ------
    AddressRefused
        An address that is nobody's, or inside a network whose host no setting names; http to one that is in the open.
    """
    for text in addresses:
        real = _real(text)
        is_nobodys = real.is_multicast or real.is_unspecified or real.is_link_local
        if is_nobodys or (real.is_reserved and not real.is_loopback):
            # Link-local: cloud machines serve their own credentials there, to whoever asks from inside.
            raise AddressRefused("its address leads to no server of anybody's", place=place)
        if not real.is_global and target.host not in inside:
            raise AddressRefused("it is inside a network; SUDONGLIAN_WEBHOOK_HOSTS must name it", place=place)
        if real.is_global and not target.is_https:
            raise AddressRefused("http would go through the open: use https", place=place)


def _real(text: str) -> IPv4Address | IPv6Address:
    """Return the address that packets reach, if it stands inside another one."""
    found = ip_address(text.partition("%")[0])
    if isinstance(found, IPv4Address):
        return found
    if found in NAT64:
        return IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else found)
