"""No tracked file, and no line that ever was in one, holds what looks like a key; the made-up ones are listed."""

from __future__ import annotations

import random
import re
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backstop.settings import Settings
from tests.security.keys import suspicious

ROOT = Path(__file__).resolve().parents[2]
HISTORY_S = 120
MADE_UP = {
    b"0ddba11c0ffee": "keys of the tests of the wire and of addresses",
    b"5ec4e7f00dcafe": "the key of the tests that look for it",
    b"mark000": "marked secrets of a run that is searched for them",
    b":secret@": "addresses with a password, to see it hidden",
    b":geheim@": "the same, to see it refused",
    b":p%40ss@": "the same, to see it read",
}
"""Parts of what is found and is no secret, with the reason; anything else that is found beside it is."""

WEB = "https://hooks.example.com/services/"
CHANCE = random.Random(20250615)
KEYS = {
    "theodds_key": "".join(CHANCE.choices("0123456789abcdef", k=32)),
    "sportradar_key": "".join(CHANCE.choices(string.ascii_letters + string.digits, k=40)),
    "api_keys": "".join(CHANCE.choices(string.ascii_letters + string.digits + "-_", k=32)),
    "notify_url": WEB + "".join(CHANCE.choices(string.ascii_letters + string.digits, k=24)),
}
"""A value of each secret setting as its issuer makes it, the same every time."""

FORMS = {
    "environment": "BACKSTOP_{upper}={value}",
    "quoted": 'export BACKSTOP_{upper}="{value}"',
    "compose": "      BACKSTOP_{upper}: {value}",
    "default in compose": "BACKSTOP_{upper}: ${{BACKSTOP_{upper}:-{value}}}",
    "json": '{{"{name}": "{value}"}}',
    "python": 'Settings({name}="{value}")',
    "secret": 'Settings({name}=SecretStr("{value}"))',
    "item": 'os.environ["BACKSTOP_{upper}"] = "{value}"',
}


def found(content: bytes) -> list[str]:
    """Return what content seems to hold, made-up values aside; never the value itself."""
    return [what for what, text in suspicious(content) if not any(part in text for part in MADE_UP)]


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what is tracked is not known")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def history(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every commit's message and what it changed in each file, as (commit and file, text)."""
    command = ["git", "log", "--patch", "--unified=0", "--no-color", "--no-ext-diff", "--format=%x00%H%n%B"]
    log = subprocess.run(command, cwd=repository, check=True, capture_output=True, timeout=HISTORY_S).stdout
    for commit in log.split(b"\0")[1:]:
        number, _, rest = commit.partition(b"\n")
        message, *files = re.split(rb"(?m)^diff --git ", rest)
        yield f"{number[:9].decode()} message", message
        for text in files:
            yield f"{number[:9].decode()} {text.split(b' ')[0].decode(errors='replace')}", text


def test_no_tracked_file_holds_what_looks_like_a_key() -> None:
    names = tracked()
    assert len(names) > 300
    assert {name: kinds for name in names if (kinds := found((ROOT / name).read_bytes()))} == {}


def test_nothing_that_was_ever_committed_looks_like_a_key() -> None:
    tracked()
    shallow = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], cwd=ROOT, capture_output=True, check=True)
    if shallow.stdout.strip() == b"true":
        pytest.skip("a shallow checkout: there is no history to search")
    assert {where: kinds for where, text in history(ROOT) if (kinds := found(text))} == {}


def test_a_key_that_was_committed_and_removed_is_found(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet", tmp_path], check=True)
    file = tmp_path / "notes.txt"
    for text in (f"BACKSTOP_THEODDS_KEY={KEYS['theodds_key']}\n", "nothing\n"):
        file.write_text(text)
        subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", "a note"], cwd=tmp_path, check=True)
    assert found(file.read_bytes()) == []
    assert sorted({where.split()[1]: found(text) for where, text in history(tmp_path) if found(text)}) == [
        "a/notes.txt"
    ]


def test_no_file_of_settings_or_keys_is_tracked() -> None:
    for name in tracked():
        path = Path(name)
        assert path.name != ".env", name
        assert path.suffix not in {".pem", ".key", ".p12", ".pfx", ".kdbx"}, name


def test_every_secret_setting_has_an_example() -> None:
    secret = {
        name for name, field in Settings.model_fields.items() if SecretStr in getattr(field.annotation, "__args__", ())
    }
    assert secret == set(KEYS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", KEYS)
def test_a_secret_setting_is_found_however_it_is_written(name: str, form: str) -> None:
    assert found(FORMS[form].format(name=name, upper=name.upper(), value=KEYS[name]).encode())


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "https://api.the-odds-api.com/v4/sports?apiKey=" + KEYS["theodds_key"],
        "https://api.sportradar.com/mlb/trial/v8?api_key=" + KEYS["sportradar_key"],
        "x-api-key: " + KEYS["sportradar_key"],
        "Authorization: Bearer " + KEYS["api_keys"],
        'password: "' + "0123456789abcdef" * 2,
        "BACKSTOP_POSTGRES_PASSWORD=" + KEYS["api_keys"],
        "postgresql://backstop:" + "hunter22" + "@db",
        "BACKSTOP_REDIS_URL=rediss://:" + "hunter22" + "@redis:6379/0",
        "https://hooks.slack.com/services/T" + "0ABCDEF/B0ABCDEF/x",
        "ghp_" + "a1B2" * 9,
    ],
)
def test_what_looks_like_a_key_is_found(text: str) -> None:
    assert found(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "BACKSTOP_THEODDS_KEY=...",
        "BACKSTOP_THEODDS_KEY: ${BACKSTOP_THEODDS_KEY:?set it in .env}",
        "postgresql+asyncpg://backstop:${BACKSTOP_POSTGRES_PASSWORD:?set it in .env}@postgres:5432/prefect",
        'theodds_key: SecretStr | None = Field(default=None, description="The Odds API key")',
        "key=lambda each: each.player_id_mlbam",
        "key = house.settings.model_dump_json()",
        "sort(key=expected_statistics_batter_2025)",
        "content_hash: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        '"key": "expected_statistics"',
    ],
)
def test_what_is_no_key_is_left_alone(text: str) -> None:
    assert found(text.encode()) == []


def test_a_real_key_beside_a_made_up_one_is_found() -> None:
    assert found(f"theodds_key=0ddba11c0ffee0ddba11c0ffee123456\ntheodds_key={KEYS['theodds_key']}".encode())
