"""A short hunt on every parser, the same seeds each time; `make fuzz` goes on for longer."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from backstop.demo.upstream import Upstream
from backstop.sources import registry
from backstop.sources.parsed import Parsed
from tests.fuzz import rows
from tests.fuzz.bodies import sound
from tests.fuzz.damage import damaged
from tests.fuzz.hunt import COUNTED, READ, Hunt, once
from tests.fuzz.recorded import recorded

TRIES = 60


@pytest.fixture(scope="module")
def answers():
    with Upstream.start("demo") as upstream:
        return sound(upstream.base_url)


def test_a_damaged_answer_is_read_row_by_row_or_refused_by_name(answers):
    for answer, games in answers.values():
        found = Hunt(answer.item.table)
        ends = Counter(once(answer, games, seed, found) for seed in range(TRIES))
        assert found.crashes == {}, answer.item.table
        read = ends[READ] + ends[COUNTED]
        assert TRIES / 4 < read < TRIES * 7 / 8, f"{answer.item.table}: {read} of {TRIES} read, the others refused"
        assert ends[COUNTED if answer.item.table in {*rows.LINES, *rows.PLACES} else READ] >= read - 2


@pytest.mark.realdata
def test_a_damaged_recording_is_read_row_by_row_or_refused_by_name(realdata):
    for table, answers in recorded(realdata).items():
        found = Hunt(table)
        for seed in range(TRIES // 3):
            once(*answers[seed % len(answers)], seed, found)
        assert found.crashes == {}, table


def test_a_parser_that_loses_a_row_before_it_counts_is_found(answers, monkeypatch):
    answer, games = answers["core_events"]
    whole = registry.TABLES["core_events"]

    def forgetful(answer):
        parsed = whole.parse(answer)
        return Parsed(parsed.frame.head(-1), parsed.rejected, parsed.rows_in - 1, parsed.drift)

    monkeypatch.setitem(registry.TABLES, "core_events", whole._replace(parse=forgetful))
    found = Hunt("core_events")
    ends = {once(answer, games, seed, found) for seed in range(20)}
    assert COUNTED not in ends
    assert any("rows, the parser tells of" in sentence for sentence in found.crashes.values())


def test_a_parser_that_falls_over_is_found(answers, monkeypatch):
    answer, games = answers["core_events"]
    broken = registry.Source(lambda _body: None, lambda _answer: {}["absent"])
    monkeypatch.setitem(registry.TABLES, "core_events", broken)
    found = Hunt("core_events")
    assert once(answer, games, 1, found) == "crashed"
    assert found.crashes == {1: "KeyError('absent')"}


def test_the_same_seed_makes_the_same_wound():
    body = b"a,b\n1,2\n3,4\n"
    assert damaged(body, random.Random(7)) == damaged(body, random.Random(7))
