"""A PostgreSQL server of the machine's own, on a unix socket only, for as long as a test session lasts."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.absent import absent

if TYPE_CHECKING:
    from collections.abc import Iterator

UNPRIVILEGED = "postgres"
"""PostgreSQL refuses to run as root; its own account is what a package installs."""


def _programs() -> Path:
    looked_for = (shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    found = next(filter(None, looked_for), None)
    if found is None:
        absent("no PostgreSQL server on this machine: its initdb was not found")
    return Path(found).resolve().parent


def _account() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    try:
        account = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        absent("PostgreSQL does not run as root, and there is no account postgres to run it as")
    return {"user": account.pw_uid, "group": account.pw_gid}


@contextmanager
def server() -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database."""
    programs, account = _programs(), _account()
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if account:
            os.chown(folder, account["user"], account["group"])
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **account}
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "backstop", "--no-sync"], check=True, **quiet
        )
        process = subprocess.Popen([programs / "postgres", "-D", data, "-k", folder, "-h", ""], **quiet)
        try:
            url = f"postgresql+psycopg://backstop@/postgres?host={folder}"
            _wait(url)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _wait(url: str) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    end = time.monotonic() + 30
    while True:
        try:
            engine.connect().close()
            break
        except sa.exc.OperationalError:
            assert time.monotonic() < end, "PostgreSQL did not start in 30 s"
            time.sleep(0.05)
    engine.dispose()
