"""Entity tags: whose tag is the same may be given the same; what differs in one byte or one release is told apart."""

from __future__ import annotations

import pytest

from backstop.api.documents import FORMAT
from backstop.cache import keys
from backstop.cache.shared import PLAIN
from backstop.store.slates import Slates as Versions
from tests.api.serving import DAY, parts_over, serving
from tests.store.servers import wait_for

AT = f"/api/v1/slates/{DAY}"


def raw(api, path, encoding):
    with api.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return answer.headers["etag"], b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", [AT, f"{AT}/board", "/api/v1/players/1001", "/"])
def test_a_strong_tag_never_names_two_sequences_of_bytes(api, path):
    answers = [raw(api, path, encoding) for encoding in ("identity", "gzip", "zstd")]
    assert len({body for _, body in answers}) > 1
    assert len({tag for tag, _ in answers if not tag.startswith("W/")}) in {0, 3}


def test_a_copy_in_one_encoding_holds_for_who_would_get_another(api):
    tag, _ = raw(api, f"{AT}/board", "zstd")
    for encoding in ("identity", "gzip"):
        again = api.get(f"{AT}/board", headers={"If-None-Match": tag, "Accept-Encoding": encoding})
        assert (again.status_code, again.headers["etag"]) == (304, tag)


def test_tags_may_come_in_a_list_or_in_several_lines(api):
    tag = api.get(AT).headers["etag"]
    several = [("If-None-Match", '"another"'), ("If-None-Match", f'W/"a third", {tag}')]
    assert api.get(AT, headers=several).status_code == 304
    assert api.get(AT, headers=several[:1]).status_code == 200


def test_who_has_a_page_from_before_the_pin_is_told_of_it(api, redis):
    before = api.get(AT)
    assert before.json()["slate"]["pinned"] is False
    Versions(redis).pin(DAY, 1)
    wait_for(lambda: api.get(AT).json()["slate"]["pinned"])
    after = api.get(AT, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.json()["slate"]["pinned"]) == (200, True)
    # the board's document says nothing of it: that copy still holds
    board = api.get(f"{AT}/board").headers["etag"]
    Versions(redis).unpin(DAY)
    wait_for(lambda: not api.get(AT).json()["slate"]["pinned"])
    assert api.get(f"{AT}/board", headers={"If-None-Match": board}).status_code == 304


@pytest.mark.parametrize("path", [AT, f"{AT}/board", "/api/v1/players/1001"])
def test_who_has_an_answer_of_another_release_is_given_that_of_this_one(api, monkeypatch, path):
    old = api.get(path).headers["etag"]
    monkeypatch.setattr(keys, "code", lambda: "0ther")
    new = api.get(path, headers={"If-None-Match": old})
    assert new.status_code == 200
    assert api.get(path, headers={"If-None-Match": new.headers["etag"]}).status_code == 304


def test_what_another_release_left_in_redis_is_not_served_by_this_one(embedded_url, api, redis, monkeypatch):
    plain = {"Accept-Encoding": "identity"}
    assert api.get(f"{AT}/board", headers=plain).json()["format"] == FORMAT
    (left,) = redis.keys("*:cache:*")
    redis.set(left, PLAIN + b'{"format":0}', ex=60)
    with serving(parts_over(embedded_url)) as same:
        assert same.get(f"{AT}/board", headers=plain).json()["format"] == 0
    monkeypatch.setattr(keys, "code", lambda: "0ther")
    with serving(parts_over(embedded_url)) as other:
        assert other.get(f"{AT}/board", headers=plain).json()["format"] == FORMAT
