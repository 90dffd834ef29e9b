"""The ledger's schema across releases: forward by opening it, back by the release that knows the way."""

from __future__ import annotations

import sqlite3

import pytest
from alembic.util.exc import CommandError

from backstop.lake import database
from backstop.settings import Settings
from backstop.stages.house import House
from deployments import schema


@pytest.fixture
def settings(tmp_path):
    settings = Settings(_env_file=None, home=tmp_path / "home")
    settings.home.mkdir()
    yield settings
    house = House._houses.pop(settings.model_dump_json(), None)
    if house is not None:
        house.close()


def tables(settings):
    with sqlite3.connect(settings.ledger_file) as connection:
        found = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    connection.close()
    return found


def test_the_newest_migration_is_one_of_those_that_are_known():
    assert database.HEAD in schema.known()


def test_a_ledger_that_was_never_opened_is_at_no_migration(settings):
    assert schema.revision(settings) is None


def test_forward_brings_it_to_the_newest_and_a_second_time_changes_nothing(settings):
    assert schema.forward(settings) == database.HEAD
    assert schema.revision(settings) == database.HEAD
    before = settings.ledger_file.read_bytes()
    assert schema.forward(settings) == database.HEAD
    assert settings.ledger_file.read_bytes() == before


def test_back_undoes_what_forward_did_and_forward_does_it_again(settings):
    schema.forward(settings)
    full = tables(settings)
    schema.back(settings, "base")
    assert schema.revision(settings) is None
    assert "ledger" not in tables(settings)
    House._houses.pop(settings.model_dump_json()).close()
    schema.forward(settings)
    assert tables(settings) == full


def test_back_to_a_migration_that_nobody_has_changes_nothing(settings):
    schema.forward(settings)
    before = tables(settings)
    with pytest.raises(CommandError, match="9999"):
        schema.back(settings, "9999")
    assert (schema.revision(settings), tables(settings)) == (database.HEAD, before)


def test_the_command_goes_forward_and_with_back_to_it_goes_back(settings, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_HOME", str(settings.home))
    schema.main([])
    assert schema.revision(settings) == database.HEAD
    schema.main(["--back-to", "base"])
    assert schema.revision(settings) is None
    for key, house in list(House._houses.items()):
        if house.settings.home == settings.home:
            house.close()
            del House._houses[key]


def test_where_the_ledger_is_kept_is_said_by_its_url_or_by_the_home(settings):
    assert schema.url_of(settings) == f"sqlite:///{settings.home}/ledger.sqlite"
    elsewhere = settings.model_copy(update={"ledger_url": "postgresql+psycopg://b@db/ledger"})
    assert schema.url_of(elsewhere) == "postgresql+psycopg://b@db/ledger"
