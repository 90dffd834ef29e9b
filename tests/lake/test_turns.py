"""Turns at an object store between processes: one at a time, also after one died, and whoever was slow has none."""

from __future__ import annotations

import threading

import pytest

from backstop.errors import LakeError
from backstop.lake import turns
from backstop.lake.bucket import Bucket
from tests.lake.test_quarantine_at_once import at_once
from tests.store.servers import wait_for

FOLDER = "quarantine"


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    bucket, alone = Bucket(f"memory://{tmp_path.name}/lake"), threading.Lock()
    create = bucket.create

    def create_alone(*given):
        # as stores promise it; a dictionary looks first and puts then
        with alone:
            return create(*given)

    monkeypatch.setattr(bucket, "create", create_alone)
    return bucket


def numbers(bucket) -> list[tuple[int, bool]]:
    """The numbers that are there, and whether each is free."""
    return [(n, bucket.read(turns._path(FOLDER, n)) == turns.FREE) for n in turns._numbers(bucket, FOLDER)]


def test_one_after_the_other_takes_the_next_number_and_leaves_one_object(bucket):
    for n in range(1, 4):
        with turns.held(bucket, FOLDER):
            assert numbers(bucket) == [(n, False)]
        assert numbers(bucket) == [(n, True)]
    assert bucket.list(FOLDER) == []


def test_those_who_come_at_once_go_in_one_by_one(bucket):
    """Nothing but the store is between them: each reads a count and writes it back plus one."""
    bucket.replace("count", b"0")
    inside = []

    def work():
        for _ in range(5):
            with turns.held(bucket, FOLDER):
                inside.append(1)
                assert len(inside) == 1
                bucket.replace("count", str(int(bucket.read("count")) + 1).encode())
                inside.pop()

    at_once(*[work] * 4)
    assert bucket.read("count") == b"20"
    assert numbers(bucket) == [(20, True)]


def test_a_turn_is_given_back_by_who_fails_in_it(bucket):
    with pytest.raises(ZeroDivisionError), turns.held(bucket, FOLDER):
        raise ZeroDivisionError
    assert numbers(bucket) == [(1, True)]


def test_the_turn_of_one_who_died_is_followed_and_he_who_lives_is_waited_for(bucket, monkeypatch):
    bucket.create(turns._path(FOLDER, 7), b"a process that is no more")
    waiting = threading.Thread(target=lambda: turns._taken(bucket, FOLDER), daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert (waiting.is_alive(), numbers(bucket)) == (True, [(7, False)])
    monkeypatch.setattr(turns, "ABANDONED_S", 0.2)
    wait_for(lambda: not waiting.is_alive())
    assert numbers(bucket) == [(8, False)]


def test_whoever_creates_a_number_that_was_removed_meanwhile_has_no_turn(bucket, monkeypatch):
    """He saw number 1 free; until he creates number 2 others had it, and have number 3."""
    with turns.held(bucket, FOLDER):
        pass
    create = bucket.create
    others = [turns.held(bucket, FOLDER), turns.held(bucket, FOLDER)]

    def late(path, content):
        monkeypatch.setattr(bucket, "create", create)
        with others[0]:
            pass
        others[1].__enter__()
        assert numbers(bucket) == [(3, False)]
        put = create(path, content)
        assert put  # number 2 could be created once more
        return put

    monkeypatch.setattr(bucket, "create", late)
    slow = threading.Thread(target=lambda: turns._taken(bucket, FOLDER), daemon=True)
    slow.start()
    wait_for(lambda: others and bucket.create is create and numbers(bucket) == [(3, False)])
    slow.join(0.3)
    assert slow.is_alive()
    others[1].__exit__(None, None, None)
    wait_for(lambda: not slow.is_alive())
    assert numbers(bucket) == [(4, False)]


def test_where_a_store_overlooks_the_condition_the_last_one_s_word_stands(bucket, monkeypatch):
    create = bucket.create

    def overlooked(path, content):
        monkeypatch.setattr(bucket, "create", create)
        create(path, content)
        bucket.replace(path, b"another who created it at the same instant")
        return True

    monkeypatch.setattr(bucket, "create", overlooked)
    assert not turns._is_mine(bucket, FOLDER, 1, b"me")


def test_a_number_that_was_created_by_a_try_whose_answer_was_lost_is_his(bucket, monkeypatch):
    """A driver tries again by itself, and is told then that the object is there."""
    create = bucket.create
    monkeypatch.setattr(bucket, "create", lambda path, content: create(path, content) and create(path, content))
    assert turns._is_mine(bucket, FOLDER, 1, b"me")
    assert not turns._is_mine(bucket, FOLDER, 1, b"another")
    assert bucket.read(turns._path(FOLDER, 1)) == b"me"


def test_a_store_that_refuses_gives_no_turn_and_one_that_is_lost_in_it_takes_nothing_back(bucket, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("Access Denied")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket.filesystem, "pipe_file", refuse)
        with (
            pytest.raises(LakeError, match=r"turn-00000001 could not be created \(Access Denied\)"),
            bucket.turn(FOLDER),
        ):
            pass
    with bucket.turn(FOLDER):
        bucket.replace("made", b"x")
        monkeypatch.setattr(bucket.filesystem, "pipe_file", refuse)
    assert bucket.read("made") == b"x"


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("PreconditionFailed", {"Condition": "If-None-Match"}),  # as S3 says it
        ("PreconditionFailed", {}),  # as other stores that speak its language may
        ("ConditionalRequestConflict", {}),
    ],
)
def test_an_object_that_another_created_first_is_no_error_however_the_store_says_it(bucket, monkeypatch, code, more):
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    answer = {"Error": {"Code": code, "Message": "At least one of the pre-conditions did not hold", **more}}

    def refuse(*_, **__):
        raise translate_boto_error(ClientError(answer, "PutObject"))

    monkeypatch.setattr(bucket.filesystem, "pipe_file", refuse)
    assert not bucket.create("there", b"mine")
