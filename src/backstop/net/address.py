"""Which addresses this machine asks on behalf of a setting: the public internet, and what is named on purpose.

A setting that somebody else may have written must not make Backstop speak to what only this machine reaches: a cloud's
metadata (169.254.169.254), a database in the private network, a service on loopback. So an address that is not
public is asked only where it was named:

- loopback where the address itself says so (`localhost`, `127.0.0.1`, `[::1]`), as for the simulated upstream;
- anything else that is not public where its host is listed in `BACKSTOP_PRIVATE_HOSTS`.

A name is judged by what it led to: the address of the connection that was made, before a byte is sent on it. What a
name server answers afterwards does not matter.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from backstop.errors import ConfigurationError
from backstop.settings import known_upstream

if TYPE_CHECKING:
    from backstop.settings import Settings

LOCAL_NAME: Final = "localhost"

WITH_IPV4_AT_THE_END: Final = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""What leads to an IPv4 address: the old way of writing one (RFC 4291), and a network's translator (RFC 6052)."""

LOCAL_ALL_THE_SAME: Final = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("fec0::/10"))
"""What Python's registry of addresses calls global: a translator of one's own (RFC 8215), and the old site-local."""


def require_upstream(settings: Settings) -> None:
    """Check where answers come from; an address only by how it is written.

    Raises:
        ConfigurationError: it is no upstream, its folder is none, or its address may not be asked.
    """
    try:
        upstream = known_upstream(settings.upstream)
    except ValueError as error:
        raise ConfigurationError(f"{error}.") from error
    kind, _, where = upstream.partition(":")
    if kind in {"recorded", "replay"} and not Path(where).is_dir():
        raise ConfigurationError(f"{where!r} is not a folder; {kind}:DIR names one that exists.")
    if kind in {"http", "https"}:
        require(upstream, settings)


def require_server(settings: Settings) -> None:
    """Check that a simulated or recorded upstream is one that runs: by its name alone the live feeds would be asked.

    Raises:
        ConfigurationError: the upstream is a name that stands for a server which whoever asks has not started.
    """
    kind, _, _ = settings.upstream.partition(":")
    if kind in {"demo", "recorded"}:
        raise ConfigurationError(
            f"{settings.upstream!r} stands for a server that was not started here; nothing was asked. Start it with "
            f"`backstop upstream {settings.upstream}`, and set BACKSTOP_UPSTREAM to the address that it prints."
        )


def require(url: str, settings: Settings, *, query: bool = False) -> None:
    """Check an address that a setting holds.

    Args:
        url: The address.
        settings: Hold the hosts that are allowed though they are not public.
        query: Whether it may have a query, as a webhook has; a feed's has none.

    Raises:
        ConfigurationError: it is none, it carries a name or password, or its host is not public and not allowed.
    """
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        parts = httpx.URL("")
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ConfigurationError(
            f"{_shown(parts)!r} is not an address that can be asked; expected http(s)://host[:port]."
        )
    if parts.userinfo:
        raise ConfigurationError(
            f"The address of {parts.host!r} carries a name or a password, which would end up in logs; take them out of "
            "it. A feed's key has a setting of its own."
        )
    if (parts.query and not query) or parts.fragment:
        raise ConfigurationError(f"{_shown(parts)!r} goes on after its path; expected http(s)://host[:port][/path].")
    if is_literal(parts.host):
        require_reachable(parts.host, parts.host, settings)


def require_reachable(host: str, address: str, settings: Settings) -> None:
    """Check what a host's name led to.

    Args:
        host: As it stands in the setting.
        address: The IP address that is connected to.
        settings: Hold the hosts that are allowed though they are not public.

    Raises:
        ConfigurationError: the address is not public, and the host was not named as one that may be elsewhere.
    """
    found = _plain(address)
    if found.is_global and not (found.is_multicast or any(found in each for each in LOCAL_ALL_THE_SAME)):
        return
    if found.is_loopback and is_loopback(host):
        return
    if host.lower() in listed(settings):
        return
    kind = "on this machine" if found.is_loopback else "link-local" if found.is_link_local else "not public"
    raise ConfigurationError(
        f"{host!r} is at {found}, which is {kind}; nothing was sent. If it is meant, list {host!r} in "
        "BACKSTOP_PRIVATE_HOSTS."
    )


def listed(settings: Settings) -> frozenset[str]:
    """Return the hosts that may be at addresses that are not public, in lower case."""
    return frozenset(part.strip().lower() for part in (settings.private_hosts or "").split(",") if part.strip())


def is_loopback(host: str) -> bool:
    """Tell whether a host says by itself that it is this machine.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("feeds.example")
    (True, True, True, False)
    """
    return host.lower() == LOCAL_NAME or (is_literal(host) and _plain(host).is_loopback)


def is_literal(host: str) -> bool:
    """Tell whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address that is meant: an IPv4 address in IPv6's clothes is judged as what it is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address) or found.is_loopback or found.is_unspecified:
        return found
    if any(found in each for each in WITH_IPV4_AT_THE_END):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def _shown(url: httpx.URL) -> str:
    """Return an address without what may be secret in it."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None)) if url.host else str(url.scheme)
