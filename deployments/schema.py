"""The ledger's schema across releases: which migration it is at, forward before a switch, back after a failed one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from backstop.lake import database
from backstop.settings import Settings
from backstop.stages.house import House

if TYPE_CHECKING:
    from collections.abc import Sequence


def url_of(settings: Settings) -> str:
    """Return where the ledger is kept."""
    return settings.ledger_url or f"sqlite:///{settings.ledger_file}"


def revision(settings: Settings) -> str | None:
    """Return the migration that the ledger is at, `None` before the first."""
    engine = database.open_engine(url_of(settings))
    try:
        with engine.connect().execution_options(**{database.READS: True}) as connection:
            if not sa.inspect(connection).has_table("ledger_version"):
                return None
            return connection.execute(sa.text("select version_num from ledger_version")).scalar_one_or_none()
    finally:
        engine.dispose()


def known() -> set[str]:
    """Return every migration that this release has."""
    return {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}


def forward(settings: Settings) -> str:
    """Bring the ledger to this release's newest migration; return it."""
    House.of(settings).ledger  # noqa: B018 - opening it does that
    return database.HEAD


def back(settings: Settings, to: str) -> None:
    """Undo the migrations after `to`; run by the release that has them, before an older one is switched to."""
    engine = database.open_engine(url_of(settings))
    config = _config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, to)
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    return config


def main(argv: Sequence[str] | None = None) -> None:
    """Go forward, or back to the migration that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--back-to", metavar="MIGRATION")
    options = parser.parse_args(argv)
    if options.back_to:
        back(Settings(), options.back_to)
    else:
        forward(Settings())


if __name__ == "__main__":
    main()
