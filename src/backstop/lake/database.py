"""Open the ledger's database and bring it to the newest migration."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from backstop.errors import ConfigurationError, LakeError

BUSY_S: Final = 30
"""How long a SQLite writer waits for another: a transaction here takes milliseconds, a migration under a second."""

ADVISORY_LOCK: Final = 0x6261636B73746F70
"""Key of the PostgreSQL lock under which migrations run: `backstop` in ASCII."""

READS: Final = "backstop_reads"
"""Option of a connection that will not write: it waits for no writer."""

HEAD: Final = "0001"
"""The newest migration in `migrations/versions`; a database that is there already is not touched."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for SQLite (write-ahead log, one writer at a time) or PostgreSQL.

    Raises:
        ConfigurationError: the URL is not one that SQLAlchemy reads, its driver is missing, it is another database, or
            SQLite's file cannot have a folder.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ConfigurationError(
                f"The ledger cannot be kept in {parsed.get_backend_name()}; use SQLite or PostgreSQL."
            )
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
            _make_folder(Path(parsed.database).parent)
        arguments: dict[str, Any] = {"pool_pre_ping": True}
        if parsed.get_backend_name() == "sqlite":
            arguments = {"connect_args": {"timeout": BUSY_S}}
        engine = sa.create_engine(parsed, **arguments)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"The ledger's URL cannot be opened ({error}); expected for example sqlite:///ledger.sqlite or "
            "postgresql://user@host/name (with the extra `postgres`)."
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The ledger's folder {folder} cannot be made ({error.strerror or error}); name another in the ledger's "
            "URL, or permit it."
        ) from error


def migrate(engine: sa.Engine) -> None:
    """Bring the table to the newest migration; safe for several processes at once.

    Raises:
        ConfigurationError: a later release has migrated it further.
        LakeError: the database does not answer, refuses, or is none.
    """
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            revision = _revision(connection)
            if (revision or "") > HEAD:
                raise ConfigurationError(
                    f"The ledger's database is at migration {revision}, this release knows none after {HEAD}: a later "
                    "release has used it. Install that one, or put back the database's backup from before it."
                )
            if revision != HEAD:
                _upgrade(connection)
    except sa.exc.OperationalError as error:
        raise LakeError(
            f"The ledger's database does not answer ({error.orig}). Check its URL and that it runs.", source="ledger"
        ) from error
    except sa.exc.DatabaseError as error:
        raise LakeError(
            f"The ledger's database cannot be used ({error.orig}). Check that its URL names a ledger and that its "
            "user may make tables there.",
            source="ledger",
        ) from error


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("ledger_version"):
        return None
    return connection.execute(sa.text("select version_num from ledger_version")).scalar_one_or_none()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a third of a second that only a new database pays
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(config, HEAD)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own transaction handling starts a transaction too late for `begin immediate`
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=normal")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    """Take the write lock at the start: a transaction that reads first cannot be told `database is locked` later."""
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("begin" if reads else "begin immediate")
