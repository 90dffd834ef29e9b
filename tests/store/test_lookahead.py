"""Answers taken in turn: all of them in their order, also over a line that breaks, and nothing left for the next."""

import contextlib

import pytest
from redis.exceptions import ResponseError

from backstop.errors import IncompleteVersion, StoreError
from backstop.store import keys
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.loader import SlateWriter
from backstop.store.lookahead import answers
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props
from tests.store.servers import Server, cluster

VALUE = b"v" * 1000


def fill(client, **sizes):
    """Make hashes of so many fields, and return what is in them."""
    made = {f"{{h}}{name}": {b"%d" % n: VALUE for n in range(size)} for name, size in sizes.items()}
    for name, fields in made.items():
        if fields:
            client.hset(name, mapping=fields)
    return made


def asked(made, per=40):
    """Return commands for all the fields, and one that is not there for each hash."""
    for name, fields in made.items():
        wanted = [*fields, b"none"]
        for start in range(0, len(wanted), per):
            yield "HMGET", name, *wanted[start : start + per]


def told(made, per=40):
    """Return what they are answered."""
    return [[made[name].get(field) for field in fields] for _, name, *fields in asked(made, per)]


def test_every_command_is_answered_in_its_order(redis):
    made = fill(redis, a=1000, b=0, c=3, d=500)
    assert list(answers(redis, "{h}a", asked(made))) == told(made)
    assert list(answers(redis, "{h}a", ())) == []


def test_an_answer_of_none_is_an_answer(redis):
    redis.set("{h}b", "here")
    assert list(answers(redis, "{h}a", [("GET", f"{{h}}{name}") for name in "abab"])) == [None, b"here", None, b"here"]


def test_a_cluster_is_read_where_the_slot_is(tmp_path):
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        made = fill(client, a=1000, b=0, c=300)
        assert list(answers(client, "{h}a", asked(made))) == told(made)


def test_a_line_that_breaks_between_answers_loses_none(tmp_path):
    with Server(tmp_path) as server, contextlib.closing(connect_url(server.url)) as near:
        made, found, killed = fill(near, a=1000, b=700), [], 0
        with contextlib.closing(connect_url(server.url)) as far:
            for n, answer in enumerate(answers(far, "{h}a", asked(made))):
                found.append(answer)
                if n in (2, 8, 14):
                    others = {int(each["id"]) for each in near.client_list()} - {near.client_id()}
                    killed += sum(near.client_kill_filter(_id=str(each)) for each in others)
        assert n > 20
        assert killed >= 3
        assert found == told(made)


def test_a_reader_that_stops_in_the_middle_leaves_no_answer_to_the_next_caller(redis):
    made = fill(redis, a=1000)
    reading = answers(redis, "{h}a", asked(made))
    next(reading)
    reading.close()
    redis.set("name", "mine")
    assert redis.get("name") == b"mine"


def test_an_error_names_its_command_and_leaves_the_connection_clean(redis):
    redis.set("{h}text", "not a hash")
    text, absent = ("HMGET", "{h}text", "f"), ("HMGET", "{h}a", "f")
    with pytest.raises(StoreError, match=r"HMGET \{h\}text caused error: WRONGTYPE"), explained("a test"):
        list(answers(redis, "{h}a", [text, absent]))
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        list(answers(redis, "{h}a", [absent, text]))
    assert redis.get("{h}text") == b"not a hash"


@pytest.fixture
def staged(redis, clock):
    """A draft of both kinds over several hashes, and its writer."""
    writer = SlateWriter(redis, clock)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1", rows={"props": 30_000})
    writer.load(draft, "props", props(100))
    writer.load(draft, "features", features(100))
    return writer, draft


COUNTS = {"props": 1200, "features": 105}


def exchanged(redis, key):
    one, two = redis.hmget(key, "600001", "600002")
    redis.hset(key, mapping={"600001": two, "600002": one})


def added(redis, key):
    redis.hset(key, "1", "x")


def taken(redis, key):
    redis.hdel(key, "600001")


def emptied(redis, key):
    redis.hset(key, "600001", "")


@pytest.mark.parametrize("fault", [exchanged, added, taken, emptied])
def test_values_that_are_not_as_they_were_sent_are_not_published(redis, staged, fault):
    writer, draft = staged
    fault(redis, draft.rows("features", 0))
    with pytest.raises(IncompleteVersion, match="checksums"):
        writer.publish(draft, COUNTS, {})
    assert redis.hgetall(keys.SlateKeys(DAY).current) == {}


def test_receipts_of_another_form_vouch_for_nothing_and_their_draft_is_not_resumed(redis, clock):
    """As a release before this one left them, in JSON and without the list of players."""
    writer, slate = SlateWriter(redis, clock), keys.SlateKeys(DAY)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    redis.hset(draft.receipts, "props:600000-600099:1200", b"[1200,100,123]")
    with pytest.raises(IncompleteVersion, match="0 rows were loaded, expected 1200"):
        writer.publish(draft, {"props": 1200}, {})
    assert writer.open(DAY, cutoff=CUTOFF, run_id="r1").version == draft.version
    redis.hdel(slate.meta(draft.version), "receipts")
    assert writer.open(DAY, cutoff=CUTOFF, run_id="r1").version == draft.version + 1
    writer.abandon(draft)
    assert not redis.exists(slate.meta(draft.version), draft.receipts)


def test_players_of_many_loads_in_one_hash_are_counted_together(redis, clock, staged):
    writer, draft = staged
    more = props(250).filter(player_id_mlbam=600_000 + 240)
    writer.load(draft, "props", more)
    writer.load(draft, "props", more)
    assert writer.publish(draft, COUNTS | {"props": 1200 + len(more)}, {}).served
