"""An installation at work with marked secrets: refresh, deploy, notify, a second feed, the API; each secret needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import sqlalchemy

from tests.flows.receiver import Receiver
from tests.lake import postgres
from tests.store.servers import wait_for

BACKSTOP = str(Path(sys.executable).parent / "backstop")
RUN_S = 240
TOLD_S = 120
"""An event passes four services of Prefect; on a busy machine each takes its time."""

EMITTED = """
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
resource = {"prefect.resource.id": "backstop.slate.2025-04-04"}
emit_event("backstop.slate.degraded", resource=resource, payload={"sentence": "The slate has gaps."})
EventsWorker.instance().drain()
"""


@contextlib.contextmanager
def ledger_url(password: str) -> Iterator[str]:
    """Yield the address of a PostgreSQL that lets nobody in without the password."""
    with postgres.server() as url:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"ALTER ROLE backstop PASSWORD '{password}'"))
            rules = Path(connection.execute(sqlalchemy.text("SHOW hba_file")).scalar_one())
            connection.commit()
            rules.write_text("local all all scram-sha-256\n")
            connection.execute(sqlalchemy.text("SELECT pg_reload_conf()"))
        engine.dispose()
        wait_for(lambda: not opens(url))
        yield url.replace("backstop@", f"backstop:{password}@")


def opens(url: str) -> bool:
    """Return whether a database lets one in."""
    engine = sqlalchemy.create_engine(url)
    try:
        engine.connect().close()
    except sqlalchemy.exc.OperationalError:
        return False
    finally:
        engine.dispose()
    return True


def ran(command: Sequence[str], folder: Path, environment: dict[str, str]) -> bytes:
    """Run a command that must succeed, and return all that it printed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=RUN_S, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told.decode()[-3000:]
    return told


def served(folder: Path, environment: dict[str, str], key: str, day: str) -> tuple[bytes, dict[str, int]]:
    """Serve the API, ask it with and without the key; return what was printed and answered, and the statuses."""
    asked: dict[str, dict[str, str]] = {"none": {}, "wrong": {"X-API-Key": "x" * 24}, "right": {"X-API-Key": key}}
    with subprocess.Popen(
        [BACKSTOP, "serve", "--port", "0"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.decode().split()[-1]
        answers = {
            name: httpx.get(f"{url}api/v1/slates/{day}", headers=sent, timeout=60) for name, sent in asked.items()
        }
        bodies = [httpx.get(url + path, headers=asked["right"], timeout=60) for path in ("metrics", "health/detailed")]
        process.send_signal(signal.SIGTERM)
        told = first + process.communicate(timeout=60)[0]
    texts = [str(each.headers).encode() + each.content for each in (*answers.values(), *bodies)]
    return b"\n".join([told, *texts]), {name: answer.status_code for name, answer in answers.items()}


def notified(receiver: Receiver, folder: Path, environment: dict[str, str]) -> bytes:
    """Let Prefect tell the webhook of a degraded slate."""
    told = ran([sys.executable, "-c", EMITTED], folder, environment)
    wait_for(lambda: bool(receiver.told), TOLD_S)
    return told


def environment_of(home: Path, secrets: dict[str, str], **more: str) -> dict[str, str]:
    """Return this process's environment with an installation's settings in place of its own."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("BACKSTOP_", "PREFECT_"))}
    keys = {name: value for name, value in secrets.items() if name.startswith("BACKSTOP_")}
    return {**mine, **keys, "BACKSTOP_HOME": str(home), "PREFECT_LOGGING_LEVEL": "DEBUG", **more}
