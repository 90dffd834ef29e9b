"""What is installed is what was locked: a name, a version, its hashes, and no address to fetch it from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-server.lock", "requirements-dev.lock"]
PIN = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==[0-9][0-9A-Za-z.+!]*( ; .+)?")


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    lines = [line for line in text.replace("\\\n", "").splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) > 50
    for line in lines:
        pin, *hashes = line.split("--hash=")
        assert PIN.fullmatch(pin.strip()), pin
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), pin
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("name", ["scripts/setup", "deployments/docker/Dockerfile"])
def test_what_installs_a_lock_asks_for_its_hashes(name: str) -> None:
    installs = [line for line in (ROOT / name).read_text().splitlines() if "--requirement" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_make_audits_every_lock() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\naudit:")[2].partition("\n\n")[0]
    assert "pip-audit" in recipe
    assert all(name in recipe for name in LOCKS)
