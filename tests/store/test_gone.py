"""A draft that vanishes while it is loaded or published: told in a sentence, and no key stays without a lifetime."""

from __future__ import annotations

import pytest

from backstop.errors import IncompleteVersion
from backstop.store import loader
from backstop.store.keys import SlateKeys, days
from backstop.store.loader import SlateWriter
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props

KEYS = SlateKeys(DAY)


def restarts_empty(redis, draft) -> None:
    redis.flushall()


def meta_expires(redis, draft) -> None:
    redis.delete(KEYS.meta(draft.version))


LOSSES = [restarts_empty, meta_expires]


def immortal(redis) -> set[str]:
    """Keys without a lifetime, but for the counter of versions, which is meant to stay."""
    return {name.decode() for name in redis.scan_iter() if redis.ttl(name) == -1} - {KEYS.sequence}


def after(monkeypatch, owner, name: str, happens) -> None:
    """Let something happen after a step."""
    step = getattr(owner, name)

    def stepped(*args, **kwargs):
        result = step(*args, **kwargs)
        happens()
        return result

    monkeypatch.setattr(owner, name, stepped)


def loaded(writer: SlateWriter):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    rows = {"features": features(20), "props": props(20)}
    for kind, frame in rows.items():
        writer.load(draft, kind, frame)
    return draft, {kind: len(frame) for kind, frame in rows.items()}


@pytest.mark.parametrize("lost", LOSSES)
@pytest.mark.parametrize("codec", ["plain", "zstd"])
@pytest.mark.parametrize("moment", ["sealed", "read back", "about to flip"])
def test_a_draft_that_is_lost_while_it_is_published_is_refused_and_leaves_nothing_for_ever(
    redis, clock, monkeypatch, moment, codec, lost
):
    writer = SlateWriter(redis, clock, codec=codec)
    draft, rows = loaded(writer)
    owner, name = {
        "sealed": (writer, "_seal"),
        "read back": (loader, "check_rows"),
        "about to flip": (writer, "_settle"),
    }[moment]
    after(monkeypatch, owner, name, lambda: lost(redis, draft))
    with pytest.raises(IncompleteVersion, match=r"is gone .*Open a new one"):
        writer.publish(draft, rows)
    assert immortal(redis) <= {days()}
    assert redis.exists(KEYS.current) == 0


@pytest.mark.parametrize("lost", LOSSES)
def test_a_draft_that_is_lost_before_its_dictionary_is_trained_is_refused_and_leaves_nothing_for_ever(
    redis, clock, monkeypatch, lost
):
    writer = SlateWriter(redis, clock, codec="zstd")
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    after(monkeypatch, writer, "_enter", lambda: lost(redis, draft))
    with pytest.raises(IncompleteVersion, match=r"is gone .*Open a new one"):
        writer.load(draft, "props", props(20))
    assert immortal(redis) == set()


def test_a_draft_that_another_process_published_meanwhile_is_published_once(redis, clock, reader, monkeypatch):
    """Between the reading back and the note of it the other one flips: the second says so and changes nothing."""
    first, second = (SlateWriter(redis, clock) for _ in range(2))
    draft, rows = loaded(first)
    after(monkeypatch, first, "_seal", lambda: second.publish(draft, rows, {"by": "second"}))
    published = first.publish(draft, rows, {"by": "first"})
    assert (published.version, published.again, published.served) == (draft.version, True, True)
    assert reader.slate(DAY).meta == {"by": "second"}


def test_of_two_that_train_a_dictionary_both_use_the_first(redis, clock):
    writer = SlateWriter(redis, clock, codec="zstd")
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props(20, seed=1))
    known = redis.hget(KEYS.meta(draft.version), "dictionary:props")
    writer.load(draft, "props", props(20, seed=2, first=700_000))
    assert redis.hget(KEYS.meta(draft.version), "dictionary:props") == known
    assert writer.publish(draft, {"props": 2 * len(props(20))}).served
