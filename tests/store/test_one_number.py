"""Two runs whose versions have one number, as after a failover that lost what was written last.

The steps are put in order by hand: the first run is in the middle of a call when Redis comes back without its version and
another run gets the same number, for the same players and as many rows. Neither may touch what the other wrote.
"""

from __future__ import annotations

import datetime as dt

import pytest
from polars.testing import assert_frame_equal
from redis.crc import key_slot

from backstop.errors import IncompleteVersion
from backstop.store import loader
from backstop.store.faults import explained
from backstop.store.keys import SlateKeys
from backstop.store.loader import SlateWriter
from backstop.store.pipe import StagePipe
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props

KEYS = SlateKeys(DAY)
MINE, THEIRS = (props(3, seed=seed) for seed in (1, 2))
ROWS = {"props": len(THEIRS)}
GONE = r"version that was being written is gone .*Open a new one and load"


class Other:
    """The run that gets the number after the loss."""

    def __init__(self, redis, clock) -> None:
        self.redis, self.writer = redis, SlateWriter(redis, clock)
        self.draft = None

    def load(self) -> None:
        self.redis.flushall()
        self.draft = self.writer.open(DAY, cutoff=CUTOFF + dt.timedelta(seconds=1), run_id="theirs")
        assert self.draft.version == 1
        self.writer.load(self.draft, "props", THEIRS)

    def load_and_publish(self) -> None:
        self.load()
        self.publish()

    def publish(self) -> None:
        published = self.writer.publish(self.draft, ROWS, {"of": "theirs"})
        assert published.served

    def load_and_seal(self) -> None:
        """Go as far as a publish that is reading rows back."""
        self.load()
        self.writer._seal(self.draft)


def meanwhile(monkeypatch, owner, name: str, happens, *, before: bool = False) -> None:
    """Let something happen once, before or after a step, when Redis has carried out what was sent until then."""
    step = getattr(owner, name)

    def stepped(*given):
        monkeypatch.setattr(owner, name, step)
        result = None if before else step(*given)
        for pipe in (each for each in given if isinstance(each, StagePipe)):
            pipe.stream.drain()
        happens()
        return step(*given) if before else result

    monkeypatch.setattr(owner, name, stepped)


def everything(redis) -> dict[bytes, bytes]:
    """All that Redis holds of versions that were published."""
    return {name: redis.dump(name) for name in redis.scan_iter() if b":draft:" not in name}


@pytest.mark.parametrize("far", ["load", "load_and_publish"])
@pytest.mark.parametrize(
    ("owner", "step", "before"),
    [
        pytest.param(SlateWriter, "_enter", False, id="begun"),
        pytest.param(StagePipe, "_stage", False, id="with one row written"),
        pytest.param(loader, "send_best", True, id="with all rows written"),
        pytest.param(loader, "send_receipts", True, id="with the best rows written"),
    ],
)
def test_who_loses_his_version_within_a_load_writes_nothing_into_the_next_one_of_its_number(
    redis, clock, reader, monkeypatch, owner, step, before, far
):
    writer, other, seen = SlateWriter(redis, clock), Other(redis, clock), {}

    def lose() -> None:
        getattr(other, far)()
        seen.update(everything(redis))

    mine = writer.open(DAY, cutoff=CUTOFF, run_id="mine")
    meanwhile(monkeypatch, owner, step, lose, before=before)

    def go_on() -> None:
        # a call whose last batch had begun returns, and the next one is refused
        writer.load(mine, "props", MINE)
        writer.publish(mine, ROWS, {"of": "mine"})

    with pytest.raises(IncompleteVersion, match=GONE):
        go_on()
    assert (mine.version, everything(redis)) == (other.draft.version, seen)
    if far == "load":
        other.publish()
    assert reader.slate(DAY).meta == {"of": "theirs"}
    assert_frame_equal(reader.props(DAY).sort("prop_id"), THEIRS.sort("prop_id"), check_column_order=False)
    assert {redis.ttl(name) for name in redis.scan_iter("*:draft:*")}.isdisjoint({-1})


@pytest.mark.parametrize("step", ["_seal", "_settle"], ids=["it notes what it verified", "it flips"])
def test_who_loses_his_version_within_a_publish_notes_nothing_in_the_next_one_and_does_not_serve_it(
    redis, clock, reader, monkeypatch, step
):
    """The other one loaded equal rows, so that neither counts nor checksums tell the two apart."""
    writer, other, seen = SlateWriter(redis, clock), Other(redis, clock), {}

    def lose() -> None:
        other.load_and_seal()
        seen.update(redis.hgetall(KEYS.meta(1)))

    mine = writer.open(DAY, cutoff=CUTOFF, run_id="mine")
    writer.load(mine, "props", THEIRS)
    meanwhile(monkeypatch, loader if step == "_seal" else SlateWriter, "check_rows" if step == "_seal" else step, lose)
    with pytest.raises(IncompleteVersion, match=GONE):
        writer.publish(mine, ROWS, {"of": "mine"})
    assert redis.hgetall(KEYS.meta(1)) == seen
    assert redis.exists(KEYS.current) == 0
    other.publish()
    assert reader.slate(DAY).meta == {"of": "theirs"}


def test_who_loses_his_version_while_he_opens_it_takes_nothing_from_the_one_who_got_its_number(
    redis, clock, monkeypatch
):
    """A number is given out and written down in one stroke, or the second one's version would become the first one's."""
    writer, other = SlateWriter(redis, clock), Other(redis, clock)
    meanwhile(monkeypatch, redis, "eval", other.load_and_publish, before=True)
    mine = writer.open(DAY, cutoff=CUTOFF, run_id="mine")
    assert (mine.version, other.draft.version) == (2, 1)
    assert redis.hmget(KEYS.meta(1), "state", "run_id") == [b"published", b"theirs"]
    assert redis.hmget(KEYS.meta(2), "state", "run_id") == [b"open", b"mine"]


def test_no_number_of_a_version_that_is_there_is_given_out_where_the_sequence_alone_was_evicted(
    redis, clock, publish, reader
):
    publish()
    seen = redis.hgetall(KEYS.meta(1))
    assert redis.delete(KEYS.sequence) == 1
    assert SlateWriter(redis, clock).open(DAY, cutoff=CUTOFF, run_id="next").version == 2
    assert redis.hgetall(KEYS.meta(1)) == seen
    assert reader.slate(DAY).version == 1


@pytest.mark.parametrize("lost", [[KEYS.sequence], [KEYS.sequence, KEYS.versions], [KEYS.sequence, KEYS.current]])
def test_a_number_is_above_every_published_one_where_the_sequence_was_evicted_or_an_equal_cutoff_would_be_refused(
    redis, clock, publish, reader, lost
):
    """Only the last versions are there: the numbers before them are free, and older by what the flip compares."""
    for run in range(5):
        publish(run_id=f"run {run}")
    redis.delete(*lost, KEYS.meta(1))
    again = publish(run_id="again", meta={"of": "again"})
    assert (again.version, again.served) == (6, True)
    assert reader.slate(DAY).meta == {"of": "again"}


def test_a_draft_that_is_published_while_it_is_abandoned_is_served_whole(redis, clock, reader, monkeypatch):
    writer = SlateWriter(redis, clock)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="mine")
    writer.load(draft, "props", MINE)
    # where what was read of its state would be used too late
    meanwhile(monkeypatch, redis, "hgetall", lambda: writer.publish(draft, ROWS, {"of": "mine"}))
    writer.abandon(draft)
    assert reader.slate(DAY).meta == {"of": "mine"}
    assert_frame_equal(reader.props(DAY).sort("prop_id"), MINE.sort("prop_id"), check_column_order=False)


@pytest.mark.parametrize("run_id", ["{2025-06-15}", "a b\n:draft:", "}{", "läuft", "x" * 3000])
def test_a_run_may_be_called_anything(redis, clock, reader, run_id):
    """Its name is in keys, after the hash tag, and in the sentence about one of them."""
    writer = SlateWriter(redis, clock)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id=run_id)
    writer.load(draft, "props", MINE)
    assert {key_slot(name) for name in redis.scan_iter()} == {key_slot(KEYS.current.encode())}
    writer._seal(draft)
    with pytest.raises(IncompleteVersion) as refused, explained("a flip"):
        writer._flip(draft, {draft.rows("props", 0): 99}, 0)
    key, have = draft.rows("props", 0).replace("\n", " "), redis.hlen(draft.rows("props", 0))
    assert str(refused.value).startswith(f"{key} holds {have} entries, expected 99, so a flip was refused.")
    assert writer.publish(draft, ROWS, {}).served
    assert len(reader.props(DAY)) == len(MINE)
    assert not list(redis.scan_iter("*:draft:*"))
