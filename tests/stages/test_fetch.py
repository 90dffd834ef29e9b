"""Fetch: what came lies in the archive, what did not is named, a capped day is fetched by game and whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from backstop.sources.savant import pitches
from backstop.stages.fetch import fetch, reopen
from backstop.stages.house import House
from backstop.telemetry import Progress, listening
from tests.flows.proxy import WEB_PAGE, csv
from tests.stages.rows import DAY, games, pitch_csv

BEFORE = DAY - dt.timedelta(days=1)
CAP = 25_000


@pytest.fixture
def patient(online: House) -> Iterator[House]:
    """That house where every request is answered in the end, and answers of 25,000 rows may take their time."""
    house = House(online.settings.model_copy(update={"request_budget_s": 60.0}), online.clock)
    yield house
    house.close()


def test_answers_lie_in_the_archive_verbatim_and_what_is_missing_is_named(online, feed):
    feed.spoil(f"game_date_gt={DAY}", csv(pitch_csv(DAY, 1)))
    feed.spoil(f"game_date_gt={BEFORE}", WEB_PAGE)
    batch = fetch(online, 3, pitches.plan([BEFORE, DAY]), "pitches")
    (answer,) = batch.answers
    assert (batch.number, answer.item.key, answer.from_archive) == (3, DAY.isoformat(), False)
    assert reopen(online, answer).body == pitch_csv(DAY, 1)
    assert batch.size == len(pitch_csv(DAY, 1))
    (missed,) = batch.missed
    assert missed.item.key == BEFORE.isoformat()
    assert "in maintenance" in missed.sentence


def test_progress_counts_every_item_once(online, feed):
    feed.spoil("game_date", csv(pitch_csv(DAY, 1)))
    events: list[Progress] = []
    with listening(events.append):
        fetch(online, 1, pitches.plan([BEFORE, DAY]), "pitches")
    assert sum(event.total for event in events) == sum(event.done for event in events) == 2


def test_no_items_are_no_requests(online, feed):
    assert fetch(online, 1, [], "pitches").answers == ()
    assert feed.asked == []


def test_a_day_at_the_row_cap_is_fetched_game_by_game(patient, feed):
    patient.lake.write("core_games", DAY, games(DAY, 1, 2))
    feed.spoil(f"game_date_gt={DAY}", csv(pitch_csv(DAY, 1, each=CAP)))
    for pk in (1, 2):
        feed.spoil(f"game_pk={pk}", csv(pitch_csv(DAY, pk)))
    batch = fetch(patient, 1, pitches.plan([DAY]), "pitches")
    assert sorted(answer.item.key for answer in batch.answers) == [f"{DAY}/1", f"{DAY}/2"]
    assert batch.missed == ()


def test_a_capped_day_of_which_one_game_is_missing_is_missing_whole(patient, feed):
    patient.lake.write("core_games", DAY, games(DAY, 1, 2))
    feed.spoil(f"game_date_gt={DAY}", csv(pitch_csv(DAY, 1, each=CAP)))
    feed.spoil("game_pk=1", csv(pitch_csv(DAY, 1)))
    batch = fetch(patient, 1, pitches.plan([DAY]), "pitches")
    assert batch.answers == ()
    assert [missed.item.key for missed in batch.missed] == [DAY.isoformat()]


def test_a_game_at_the_row_cap_is_not_split_further_but_named(patient, feed):
    patient.lake.write("core_games", DAY, games(DAY, 1, 2))
    feed.spoil(f"game_date_gt={DAY}", csv(pitch_csv(DAY, 1, each=CAP)))
    feed.spoil("game_pk=1", csv(pitch_csv(DAY, 1, each=CAP)))
    feed.spoil("game_pk=2", csv(pitch_csv(DAY, 2)))
    batch = fetch(patient, 1, pitches.plan([DAY]), "pitches")
    assert batch.answers == ()
    (missed,) = batch.missed
    assert (missed.item.key, missed.error) == (DAY.isoformat(), "RowCapReached")
    assert "a single game that large is an error of the feed" in missed.sentence


def test_a_capped_day_whose_games_are_not_known_stays_missed_beside_what_came(patient, feed):
    feed.spoil(f"game_date_gt={DAY}", csv(pitch_csv(DAY, 1, each=CAP)))
    feed.spoil(f"game_date_gt={BEFORE}", csv(pitch_csv(BEFORE, 1)))
    batch = fetch(patient, 1, pitches.plan([BEFORE, DAY]), "pitches")
    assert [answer.item.key for answer in batch.answers] == [BEFORE.isoformat()]
    (missed,) = batch.missed
    assert (missed.item.key, missed.error, batch.split) == (DAY.isoformat(), "RowCapReached", 0)
    assert "25,000 rows" in missed.sentence
    assert "core_games" in missed.sentence
