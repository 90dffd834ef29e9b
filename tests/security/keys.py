"""What a key, a password or a token looks like in a file: in general, and those of this product's own settings."""

from __future__ import annotations

import re

NAMED = rb"(?:keys?|token|secret|passwd|password|notify_url|bearer|authorization)"
"""How a name ends that holds one: `theodds_key`, `apiKey`, `BACKSTOP_API_KEYS`."""

SET = rb"""["'\]]{0,2}\s*(?:=>|[=:]|\s)\s*(?:bearer\s+|SecretStr\(\s*|\$\{[A-Z_]+:-)?["']?"""
RANDOM = (
    rb"(?=[\d_-]*[a-z])(?:(?=[0-9a-z_-]*?[a-z]\d[0-9a-z_-]*?[a-z]\d)[0-9a-z_-]{20,}|(?=[a-z]*\d)[0-9a-z]{24,}"
    rb"|(?-i:(?=[a-z]*[A-Z]+[a-z]+[A-Z]+[a-z]+[A-Z])[A-Za-z]{30,}))"
)
"""Letters and digits that are no word and no name in the code: long, and the more so the fewer digits are among them."""

PATTERNS = {
    "private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "AWS key": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}"),
    "Slack": re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]+"),
    "webhook": re.compile(rb"(?i)notify_url\W{1,6}(?:SecretStr\(\W)?https?://[^\s\"']*/" + RANDOM),
    "Google key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    "JSON web token": re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    "name and key": re.compile(rb"(?i)" + NAMED + SET + RANDOM),
    "password in an address": re.compile(rb"[a-z][a-z0-9+]+://[^\s:/@{}$\"'<>]*:(?!\*)[^\s/@{}$\"'<>*]{6,}@[a-z0-9]"),
}


def suspicious(content: bytes) -> list[tuple[str, bytes]]:
    """Return what content seems to hold: the kind, and the text."""
    return [(what, hit.group()) for what, pattern in PATTERNS.items() for hit in pattern.finditer(content)]
