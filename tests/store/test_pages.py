"""Hashes read page by page: every field of every hash, also over a line that breaks, and nothing left for the next."""

import contextlib

import pytest
from redis.exceptions import ResponseError

from backstop.errors import StoreError
from backstop.store import pages as module
from backstop.store import verify
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.loader import SlateWriter
from backstop.store.pages import pages
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props
from tests.store.servers import Server, cluster

VALUE = b"v" * 1000


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(module, "PAGE_FIELDS", 40)


def fill(client, **sizes):
    """Make hashes of so many fields, and return what is in them."""
    made = {f"{{h}}{name}": {b"%d" % n: VALUE for n in range(size)} for name, size in sizes.items()}
    for name, fields in made.items():
        if fields:
            client.hset(name, mapping=fields)
    return made


def read(client, made):
    found = {}
    for name, page in pages(client, list(made)):
        found.setdefault(name, {}).update(page)
    return found


def test_every_field_of_every_hash_is_read_and_a_hash_that_is_missing_is_empty(redis):
    made = fill(redis, a=1000, b=0, c=3, d=500)
    assert read(redis, made) == made


def test_a_cluster_is_read_where_the_slot_is(tmp_path):
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        made = fill(client, a=1000, b=0, c=300)
        assert read(client, made) == made


def test_a_line_that_breaks_between_pages_loses_no_field(tmp_path):
    with Server(tmp_path) as server, contextlib.closing(connect_url(server.url)) as near:
        made, found, killed = fill(near, a=1000, b=700), {}, 0
        with contextlib.closing(connect_url(server.url)) as far:
            for n, (name, page) in enumerate(pages(far, list(made))):
                found.setdefault(name, {}).update(page)
                if n in (2, 8, 14):
                    others = {int(each["id"]) for each in near.client_list()} - {near.client_id()}
                    killed += sum(near.client_kill_filter(_id=str(each)) for each in others)
        assert n > 20
        assert killed >= 3
        assert found == made


def test_a_reader_that_stops_in_the_middle_leaves_no_answer_to_the_next_caller(redis):
    made = fill(redis, a=1000)
    reading = pages(redis, list(made))
    next(reading)
    reading.close()
    redis.set("name", "mine")
    assert redis.get("name") == b"mine"


def test_an_error_names_its_command_and_leaves_the_connection_clean(redis):
    redis.set("{h}text", "not a hash")
    with pytest.raises(StoreError, match=r"HSCAN \{h\}text caused error: WRONGTYPE"), explained("a test"):
        list(pages(redis, ["{h}text", "{h}a"]))
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        list(pages(redis, ["{h}a", "{h}text"]))
    assert redis.get("{h}text") == b"not a hash"


def test_a_field_that_a_scan_tells_twice_is_counted_once(redis, clock, monkeypatch):
    """As Redis may while it gives a hash another size."""
    monkeypatch.setattr(verify, "pages", lambda *of: (each for each in pages(*of) for _ in range(2)))
    writer = SlateWriter(redis, clock)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1", rows={"props": 30_000})
    writer.load(draft, "props", props(100))
    assert writer.publish(draft, {"props": 1200}, {}).served
