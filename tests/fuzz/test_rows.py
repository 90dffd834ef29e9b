"""The count beside the parser, on answers small enough to be counted by hand."""

from __future__ import annotations

import json

import pytest

from tests.fuzz.rows import counted, places, records


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (b"", 0, 0),
        (b"a,b", 0, 0),
        (b"a,b\n1,2", 1, 1),
        (b"a,b\n1,2\n3\n\n4,5,6\n", 3, 3),
        (b"a,b\r\n1,2\r\n", 1, 1),
        (b'a,b\n1,"x\ny"\n2,z', 2, 3),
        (b'a,b\n1,"x,y"\n', 1, 1),
    ],
)
def test_the_records_of_a_csv(text, least, most):
    assert records(text.strip()) == range(least, most + 1)


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ([1, {}, None], "[]", 3),
        ({}, "a[]", 0),
        ({"a": None}, "a[]", 0),
        ({"a": {}}, "a[]", 1),
        ({"a": "text"}, "a[].b[]", 1),
        ({"a": [{"b": [1, 2]}, {"b": []}, 7, {}, None]}, "a[].b[]", 4),
        ({"a": {"x": 1, "y": 2}}, "a{}", 2),
        ({"a": []}, "a{}", 1),
        ([], "a.b[]", 1),
        ({"a": {"b": [1]}}, "a.b[]", 1),
    ],
)
def test_the_places_where_rows_belong(value, path, expected):
    assert places(value, path.split(".")) == expected


def test_an_answer_from_the_archive_of_the_odds_api_is_unwrapped():
    listed = [{"id": "e"}, {"id": "f"}]
    for body in (listed, {"timestamp": "2025-06-15T16:00:00Z", "data": listed}):
        assert counted("core_events", json.dumps(body).encode()) == range(2, 3)


def test_where_a_format_does_not_say_how_many_rows_there_are_nothing_is_claimed():
    assert counted("core_register", b"key_person\n1") is None
    assert counted("core_events", b"{") is None
