"""Receive: archived answers become rows again, a day at a time, and no row of any answer is lost."""

from __future__ import annotations

import datetime as dt

import orjson

from backstop.sources.savant import pitches
from backstop.sources.statsapi import schedule
from backstop.stages import receive
from tests.stages.rows import DAY, batch, fetched, listed_game, listing, pitch_csv

BEFORE = DAY - dt.timedelta(days=1)


def pitches_of(house, *answers):
    ((day, own),) = receive.answers_by_day(batch(*answers)).items()
    return receive.pitches_of(house, day, own)


def test_a_day_fetched_in_parts_comes_together(house):
    (item,) = pitches.plan([DAY])
    parts = [
        fetched(house, part, pitch_csv(DAY, pk)) for part, pk in zip(pitches.split(item, [1, 2]), [1, 2], strict=True)
    ]
    received = pitches_of(house, *parts)
    assert (received.table, received.day) == ("core_pitches", DAY)
    assert received.parsed.rows_in == received.parsed.frame.height == 6
    assert received.raw_ref == ",".join(part.content_hash for part in parts)


def test_each_day_of_a_batch_comes_by_itself(house):
    answers = [
        fetched(house, item, pitch_csv(dt.date.fromisoformat(item.key), 1)) for item in pitches.plan([BEFORE, DAY])
    ]
    by_day = receive.answers_by_day(batch(*answers))
    received = [receive.pitches_of(house, day, answers) for day, answers in by_day.items()]
    assert [each.day for each in received] == [BEFORE, DAY]
    assert all(each.parsed.frame["game_date"].unique().to_list() == [each.day] for each in received)


def test_pitches_of_another_day_are_rejected_with_the_day_that_was_asked(house):
    (item,) = pitches.plan([DAY])
    body = pitch_csv(DAY, 1) + pitch_csv(BEFORE, 2).partition(b"\n")[2]
    received = pitches_of(house, fetched(house, item, body))
    assert received.parsed.rejected_by_rule == {"other_day": 3}
    assert received.parsed.rows_in == 6


def test_an_empty_day_is_a_day_with_no_rows(house):
    (item,) = pitches.plan([DAY])
    received = pitches_of(house, fetched(house, item, b""))
    assert received.parsed.rows_in == 0
    assert received.parsed.frame.is_empty()


def test_a_game_whose_official_date_nobody_asked_for_is_rejected_and_not_written_over_its_day(house):
    stray = listed_game(9, BEFORE)
    (item,) = schedule.plan_day(DAY)
    answer = fetched(house, item, listing(listed_game(1, DAY), stray))
    (received,) = receive.games_by_day(house, [batch(answer)])
    assert received.day == DAY
    assert received.parsed.frame["game_pk"].to_list() == [1]
    assert received.parsed.rejected_by_rule == {"other_day": 1}
    assert orjson.loads(received.parsed.rejected["row"][0])["gamePk"] == 9
    assert received.parsed.rows_in == 2


def test_a_game_listed_under_two_dates_is_kept_once(house):
    (item,) = schedule.plan(BEFORE, DAY)
    moved = listed_game(5, DAY)
    body = orjson.dumps(
        {"dates": [{"date": f"{BEFORE}", "games": [moved]}, {"date": f"{DAY}", "games": [moved, listed_game(6, DAY)]}]}
    )
    received = list(receive.games_by_day(house, [batch(fetched(house, item, body))]))
    assert [each.day for each in received] == [DAY]
    assert sorted(received[0].parsed.frame["game_pk"]) == [5, 6]
    assert received[0].parsed.rows_in == 3


def test_rejected_rows_go_with_the_first_partition_alone(house):
    (item,) = schedule.plan(BEFORE, DAY)
    stray = listed_game(9, BEFORE - dt.timedelta(days=30))
    answer = fetched(house, item, listing(listed_game(1, BEFORE), listed_game(2, DAY), stray))
    first, second = receive.games_by_day(house, [batch(answer)])
    assert (first.parsed.rejected.height, second.parsed.rejected.height) == (1, 0)
    assert orjson.loads(first.parsed.rejected["row"][0])["game_pk"] == 9
    assert first.parsed.rows_in + second.parsed.rows_in == 3


def test_rows_that_are_all_rejected_are_not_lost(house):
    (item,) = schedule.plan_day(DAY)
    answer = fetched(house, item, listing(listed_game(9, BEFORE)))
    received = list(receive.games_by_day(house, [batch(answer)]))
    assert sum(each.parsed.rows_in for each in received) == 1
    assert [each.day for each in received] == [DAY]


def test_every_day_that_an_answer_speaks_of_is_covered(house):
    items = [*schedule.plan_day(DAY), *schedule.plan(dt.date(2025, 5, 30), dt.date(2025, 6, 2))]
    answers = [fetched(house, item, b'{"dates": []}') for item in items]
    assert receive.days_covered([batch(*answers)]) == [
        dt.date(2025, 5, 30), dt.date(2025, 5, 31), dt.date(2025, 6, 1), dt.date(2025, 6, 2), DAY,
    ]  # fmt: skip
