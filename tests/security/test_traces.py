"""A whole run with marked secrets, and every byte that it left behind searched for them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import redis
import zstandard
from cryptography.fernet import Fernet
from prefect.server.utilities import encryption

from backstop.demo.upstream import Upstream
from deployments import server
from tests.flows.proxy import Proxy
from tests.flows.receiver import Receiver
from tests.security import traces, working
from tests.store.servers import Server

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
DAY = "2025-04-04"
SECRETS = {
    "BACKSTOP_THEODDS_KEY": "mark0001theoddsa1b2c3d4e5f60718",
    "BACKSTOP_SPORTRADAR_KEY": "mark0002sportradara1b2c3d4e5f607181920aa",
    "BACKSTOP_API_KEYS": "mark0003apikeya1b2c3d4",
    "REDIS_PASSWORD": "mark0004redispassworda1b2",
    "NOTIFY_TOKEN": "mark0005notifytokena1b2c3",
    "LEDGER_PASSWORD": "mark0006ledgerpassworda1b2",
}


@dataclass(frozen=True)
class Ran:
    """What is left of the run, and what was seen of the secrets where they belong."""

    left: list[tuple[str, bytes]]
    asked: list[str]
    radar_keys: set[str]
    notified: list[str]
    statuses: dict[str, int]
    doors: dict[str, bool]
    database: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("run")
    home = folder / "home"
    home.mkdir()
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(working.ledger_url(SECRETS["LEDGER_PASSWORD"]))
        running = stack.enter_context(Server(folder / "redis"))
        upstream = stack.enter_context(Upstream.start("demo", log=folder / "upstream.log", extra=["--require-key"]))
        feeds = stack.enter_context(Proxy(upstream.base_url))
        receiver = Receiver()
        stack.callback(receiver.close)
        prefect = server.start(folder / "prefect")
        stack.callback(prefect.stop)
        redis.Redis(port=running.port).config_set("requirepass", SECRETS["REDIS_PASSWORD"])
        client = stack.enter_context(redis.Redis(port=running.port, password=SECRETS["REDIS_PASSWORD"]))
        environment = working.environment_of(
            home,
            SECRETS,
            BACKSTOP_UPSTREAM=feeds.base_url,
            BACKSTOP_HISTORY_FIRST_SEASON="2025",
            BACKSTOP_REDIS_URL=f"redis://:{SECRETS['REDIS_PASSWORD']}@127.0.0.1:{running.port}/0",
            BACKSTOP_LEDGER_URL=ledger,
            BACKSTOP_NOTIFY_URL=f"{receiver.url}/{SECRETS['NOTIFY_TOKEN']}",
            PREFECT_API_URL=prefect.api_url,
            PREFECT_HOME=str(folder / "client"),
        )
        prefect.wait_ready()
        told = [
            working.ran([working.BACKSTOP, *command], folder, environment)
            for command in (["refresh", DAY], ["fetch", "injuries", DAY], ["deploy"])
        ]
        told.append(working.notified(receiver, folder, environment))
        answered, statuses = working.served(folder, environment, SECRETS["BACKSTOP_API_KEYS"], DAY)
        doors = {
            "REDIS_PASSWORD": running_without_password(running.port),
            "LEDGER_PASSWORD": working.opens(ledger.replace(SECRETS["LEDGER_PASSWORD"], "another")),
        }
        prefect.stop()
        left = [
            ("terminal", b"\n".join(told)),
            ("API", answered),
            *traces.of_folder(folder),
            *traces.of_redis(client, 2),
            *traces.of_sql(ledger),
        ]
        database = folder / "prefect" / "prefect.db"
        yield Ran(left, feeds.asked, feeds.keys, receiver.paths, statuses, doors, database)


def running_without_password(port: int) -> bool:
    """Return whether a Redis lets one in without its password."""
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.AuthenticationError:
        return False


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_nothing_that_a_run_left_behind(ran: Ran, name: str) -> None:
    mark = SECRETS[name].encode()
    assert [where for where, content in ran.left if mark in content] == []


def test_every_secret_was_needed_and_used(ran: Ran) -> None:
    assert any(f"apiKey={SECRETS['BACKSTOP_THEODDS_KEY']}" in each for each in ran.asked)
    assert ran.radar_keys == {SECRETS["BACKSTOP_SPORTRADAR_KEY"]}
    assert ran.notified == [f"/notify/{SECRETS['NOTIFY_TOKEN']}"]
    assert ran.statuses == {"none": 401, "wrong": 401, "right": 200}
    assert ran.doors == {"REDIS_PASSWORD": False, "LEDGER_PASSWORD": False}


def test_the_webhooks_address_lies_in_prefects_database_encrypted_with_a_key_that_lies_there_too(ran: Ran) -> None:
    with contextlib.closing(sqlite3.connect(ran.database)) as database:
        blocks = dict(database.execute("SELECT name, data FROM block_document WHERE name NOT LIKE 'anonymous%'"))
        (key,) = database.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'").fetchone()
    opened = Fernet(json.loads(key)["fernet_key"]).decrypt(json.loads(blocks["backstop-notify"]))
    assert json.loads(opened)["url"].endswith(f"/notify/{SECRETS['NOTIFY_TOKEN']}")


def test_with_a_key_of_its_own_prefect_does_not_ask_its_database_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key()
    monkeypatch.setenv("PREFECT_SERVER_ENCRYPTION_KEY", key.decode())
    sealed = asyncio.run(encryption.encrypt_fernet(None, {"url": "x"}))  # type: ignore[arg-type]
    assert json.loads(Fernet(key).decrypt(sealed.encode())) == {"url": "x"}
    assert "`PREFECT_SERVER_ENCRYPTION_KEY`" in (ROOT / "SECURITY.md").read_text()


def test_what_was_searched_is_everything_that_there_is(ran: Ran) -> None:
    places = "\n".join(where for where, _ in ran.left)
    for part in (".jsonl", ".zst unpacked", ".parquet as rows", "sql ", "redis 0"):
        assert part in places, part
    assert b"batter_hits" in b"".join(content for where, content in ran.left if "unpacked" in where)
    # the run's own record, in the database of Prefect
    assert any(where.endswith(".db flow") and b"slate-refresh" in content for where, content in ran.left)
    assert any(where.endswith(".db events") and b"backstop.slate.degraded" in content for where, content in ran.left)
    assert any(where.startswith("redis") and b"batter_" in content for where, content in ran.left)


def test_a_mark_is_found_wherever_it_hides(tmp_path: Path) -> None:
    mark = "mark0000" * 4
    (tmp_path / "plain.txt").write_text(f"key={mark}")
    (tmp_path / f"{mark}.txt").write_text("in a name")
    (tmp_path / "packed").write_bytes(zstandard.compress(mark.encode() * 3))
    pl.DataFrame({"text": [mark] * 500}).write_parquet(tmp_path / "table.parquet")
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE t (x TEXT, y BLOB)")
        database.execute("INSERT INTO t VALUES (?, ?)", ("a" * 4090 + mark, b""))
    database.close()
    found = {where for where, content in traces.of_folder(tmp_path) if mark.encode() in content}
    assert found >= {"plain.txt", f"{mark}.txt", "packed unpacked", "table.parquet as rows", "a.db t"}
