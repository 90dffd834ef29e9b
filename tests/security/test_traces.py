"""A whole run with marked secrets, and every byte that it left behind searched for them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import redis
import zstandard

from backstop.demo.upstream import Upstream
from tests.lake import postgres
from tests.security import traces
from tests.store.servers import Server

pytestmark = pytest.mark.slow

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
    """What is left of the run."""

    folder: Path
    told: bytes
    left: list[tuple[str, bytes]]


@contextlib.contextmanager
def ledger_url() -> Iterator[str]:
    """Address of a PostgreSQL with a password in it: the server asks for none, but who connects does not know."""
    with postgres.server() as url:
        yield url.replace("backstop@", f"backstop:{SECRETS['LEDGER_PASSWORD']}@")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("run")
    home = folder / "home"
    home.mkdir()
    with (
        ledger_url() as ledger,
        Server(folder / "redis") as running,
        Upstream.start("demo", log=folder / "upstream.log", extra=["--require-key"]) as upstream,
    ):
        redis.Redis(port=running.port).config_set("requirepass", SECRETS["REDIS_PASSWORD"])
        client = redis.Redis(port=running.port, password=SECRETS["REDIS_PASSWORD"])
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BACKSTOP_", "PREFECT_"))},
            **{name: value for name, value in SECRETS.items() if name.startswith("BACKSTOP_")},
            "BACKSTOP_HOME": str(home),
            "BACKSTOP_UPSTREAM": upstream.base_url,
            "BACKSTOP_HISTORY_FIRST_SEASON": "2025",
            "BACKSTOP_REDIS_URL": f"redis://:{SECRETS['REDIS_PASSWORD']}@127.0.0.1:{running.port}/0",
            "BACKSTOP_LEDGER_URL": ledger,
            "BACKSTOP_NOTIFY_URL": f"http://127.0.0.1:9/hook/{SECRETS['NOTIFY_TOKEN']}",
            "PREFECT_LOGGING_LEVEL": "DEBUG",
        }
        command = [str(Path(sys.executable).parent / "backstop"), "refresh", DAY]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=240, check=False)
        told = done.stdout + done.stderr
        assert done.returncode == 0, told.decode()[-3000:]
        left = [*traces.of_folder(folder), *traces.of_redis(client, 2), *traces.of_sql(ledger)]
        yield Ran(folder, told, [("terminal", told), *left])
        client.close()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_nothing_that_a_run_left_behind(ran: Ran, name: str) -> None:
    mark = SECRETS[name].encode()
    assert [where for where, content in ran.left if mark in content] == []


def test_what_was_searched_is_everything_that_there_is(ran: Ran) -> None:
    places = "\n".join(where for where, _ in ran.left)
    for part in (".jsonl", ".zst unpacked", ".parquet as rows", "sql ", "redis 0"):
        assert part in places, part
    assert b"batter_hits" in b"".join(content for where, content in ran.left if "unpacked" in where)
    # the run's own record, in the database of Prefect
    assert any(where.endswith(".db flow") and b"slate-refresh" in content for where, content in ran.left)
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
