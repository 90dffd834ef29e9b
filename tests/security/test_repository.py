"""No tracked file holds what looks like a key; the few that do so on purpose are listed with the reason."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = {
    "private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "AWS key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": rb"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}",
    "Slack": rb"\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]+",
    "Google key": rb"\bAIza[0-9A-Za-z_-]{35}\b",
    "JSON web token": rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "word and key": rb"(?i)(?:api_?key|token|secret|passwd|password)[\"']?\s*[=:]\s*[\"']?[0-9a-f]{24,}",
    "password in an address": rb"[a-z][a-z0-9+]+://[^\s:/@{}$\"'<>]*:(?!\*)[^\s/@{}$\"'<>*]{6,}@[a-z0-9]",
}
ALLOWED: dict[str, str] = {
    "tests/net/tls.py": "makes a certificate of its own for a server on loopback while the test runs",
    "tests/operations/test_show.py": "an address with a made-up password, to see it hidden",
    "tests/store/test_addresses.py": "addresses with made-up passwords, to see them read",
    "tests/store/test_embedded.py": "an address with a made-up password, to see it hidden",
    "tests/store/test_tls.py": "the made-up password of a server that the test starts on loopback",
    "tests/security/test_addresses.py": "addresses with a made-up password, to see them refused",
}


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what is tracked is not known")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def suspicious(content: bytes) -> list[str]:
    return [what for what, pattern in PATTERNS.items() if re.search(pattern, content)]


def test_no_tracked_file_holds_what_looks_like_a_key() -> None:
    names = tracked()
    assert len(names) > 300
    found = {name: kinds for name in names if (kinds := suspicious((ROOT / name).read_bytes()))}
    assert {name: kinds for name, kinds in found.items() if name not in ALLOWED} == {}


def test_no_file_of_settings_or_keys_is_tracked() -> None:
    for name in tracked():
        path = Path(name)
        assert path.name != ".env", name
        assert path.suffix not in {".pem", ".key", ".p12", ".pfx", ".kdbx"}, name


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "apiKey=" + "0123456789abcdef" * 2,
        'password: "' + "0123456789abcdef" * 2,
        "postgresql://backstop:" + "geheim123" + "@db",
        "ghp_" + "a1B2" * 9,
    ],
)
def test_what_looks_like_a_key_is_found(text: str) -> None:
    assert suspicious(text.encode())
