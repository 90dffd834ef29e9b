"""The only module that spells the keys of the network room; every one of them expires by itself.

The host (or the feed) is the cluster hash tag: what one script touches lies in one slot.
"""

from __future__ import annotations

import hashlib
from typing import Final

PREFIX: Final = "bs:net"


def hosts() -> str:
    """Key of the addresses that were asked lately, with the time of the last opening."""
    return f"{PREFIX}:hosts"


def gate(host: str) -> list[str]:
    """Keys of a host's gate: who is alive, slots held, slots wanted, the width, the pause."""
    return [f"{PREFIX}:{{{host}}}:gate:{part}" for part in ("alive", "held", "want", "width", "pause")]


def pace(host: str) -> str:
    """Key of a host's next free start."""
    return f"{PREFIX}:{{{host}}}:pace"


def breaker(host: str, feed: str) -> str:
    """Key of the breaker of a feed at a host."""
    return f"{PREFIX}:{{{host}}}:breaker:{feed}"


def counts(host: str, feed: str) -> str:
    """Key of what all workers counted of a feed at a host."""
    return f"{PREFIX}:{{{host}}}:counts:{feed}"


def call(host: str, fingerprint: str) -> str:
    """Key of a request under way or just answered."""
    return f"{PREFIX}:{{{host}}}:call:{fingerprint}"


def credits_of(account: str) -> list[str]:
    """Keys of a paid account: what is left, and what is reserved until when."""
    return [f"{PREFIX}:{{{account}}}:credits:{part}" for part in ("left", "reserved", "until")]


def account(feed: str, secret: str) -> str:
    """Name a paid account without its key: two keys of one feed have separate credits."""
    return f"{feed}-{hashlib.sha256(secret.encode()).hexdigest()[:12]}" if secret else feed


def channel(host: str) -> str:
    """Channel on which the workers of a host tell each other what changed."""
    return f"{PREFIX}:{{{host}}}:news"
