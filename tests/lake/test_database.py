"""The ledger's database: opened by anybody at once, and refused in a sentence where it is none of ours."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import BackstopError, ConfigurationError, LakeError
from backstop.lake import database
from backstop.lake.entries import sentence
from backstop.lake.ledger import Ledger
from backstop.lake.schema import entries
from backstop.lake.states import State


def refusal(url):
    with pytest.raises(BackstopError) as refused:
        Ledger.connect(str(url))
    return refused.value


def test_a_file_that_is_no_database_is_named_as_none(tmp_path):
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"a page of somebody's notes\n" * 99)
    error = refusal(f"sqlite:///{file}")
    assert isinstance(error, LakeError)
    assert "cannot be used (file is not a database)" in error.message
    assert file.read_bytes().startswith(b"a page")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path):
    error = refusal(f"sqlite:///{tmp_path}")
    assert isinstance(error, LakeError)
    assert "unable to open database file" in error.message


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    error = refusal(f"sqlite:///{tmp_path}/taken/ledger.sqlite")
    assert isinstance(error, ConfigurationError)
    assert f"{tmp_path}/taken cannot be made" in error.message
    assert "name another in the ledger's URL" in error.message


def test_a_ledger_of_a_later_release_is_left_alone(ledger):
    url = ledger.engine.url.render_as_string(hide_password=False)
    ledger.begin("t", "k", run_id="r1")
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("update ledger_version set version_num = '0099'"))
    try:
        error = refusal(url)
        assert isinstance(error, ConfigurationError)
        assert "at migration 0099" in error.message
        assert f"none after {database.HEAD}" in error.message
        assert ledger.entry("t", "k").run_id == "r1"
    finally:
        with ledger.engine.begin() as connection:
            connection.execute(sa.text("update ledger_version set version_num = :head"), {"head": database.HEAD})


def test_a_user_who_may_make_no_table_is_told_so(postgres_url):
    admin = sa.create_engine(sa.make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with admin.begin() as connection:
        connection.execute(sa.text("create role reader login password 'only-reads'"))
        connection.execute(sa.text("create schema locked"))
    try:
        url = sa.make_url(postgres_url).set(username="reader", password="only-reads")
        error = refusal(
            url.update_query_dict({"options": "-csearch_path=locked"}).render_as_string(hide_password=False)
        )
        assert isinstance(error, LakeError)
        assert "its user may make tables there" in error.message
        assert "only-reads" not in error.message
    finally:
        with admin.begin() as connection:
            connection.execute(sa.text("drop schema locked"))
            connection.execute(sa.text("drop role reader"))
        admin.dispose()


def test_the_table_goes_down_and_comes_up_again_empty(tmp_path):
    ledger = Ledger.connect(f"sqlite:///{tmp_path}/ledger.sqlite")
    ledger.begin("t", "k", run_id="r1")
    config = Config()
    config.set_main_option("script_location", f"{database.__file__.rpartition('/')[0]}/migrations")
    with ledger.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert not sa.inspect(ledger.engine).has_table(entries.name)
    database.migrate(ledger.engine)
    assert ledger.entries() == []
    assert ledger.begin("t", "k", run_id="r2").attempts == 1
    ledger.close()


def test_a_ledger_that_is_there_is_opened_without_the_migration_tool(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    Ledger.connect(url).close()
    script = "import sys; from backstop.lake.ledger import Ledger; Ledger.connect(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, url], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("reason", ["speed is \x00", "name is \ud800", "é ⚾ \u2028\n", "x" * 20_000])
def test_a_reason_may_quote_whatever_a_feed_sent(ledger, reason):
    ledger.begin("t", "k", run_id="r1")
    told = ledger.fail("t", "k", run_id="r1", reason=reason).reason
    assert told == reason.replace("\x00", "\\x00").replace("\ud800", "\\ud800")
    ledger.begin("t", "k", run_id="r2")
    ledger.complete("t", "k", run_id="r2", rows_in=0)
    assert ledger.stale("t", ["k"], reason=reason) == 1
    assert (ledger.entry("t", "k").state, ledger.entry("t", "k").reason) == (State.STALE, told)


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_stored_reason_is_text_and_stored_again_the_same(text):
    stored = sentence(text)
    assert "\x00" not in stored
    assert stored.encode().decode() == stored
    assert sentence(stored) == stored
    if text.isprintable():
        assert stored == text
