"""What a service reads, and what it is told about it."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from backstop.client import AsyncClient, Client, State
from backstop.errors import ConfigurationError, StoreUnavailable, UsageError
from backstop.limits import SLATE_FRESH_S
from tests.store.rows import DAY

LATER = DAY + dt.timedelta(days=1)


def test_a_store_without_slates_is_a_state_not_an_error(client):
    assert client.slate().state is State.MISSING
    assert client.top().state is State.MISSING
    assert client.top().props.is_empty()
    assert client.player(600_000).state is State.MISSING
    assert client.days() == []


def test_without_a_day_the_newest_slate_is_read(client, publish):
    publish(DAY)
    publish(LATER)
    assert client.slate().day == LATER
    assert client.top(limit=1).slate.day == LATER
    assert client.player(600_000).slate.day == LATER
    assert client.slate(DAY).day == DAY
    assert client.days() == [DAY, LATER]


def test_a_day_that_was_never_published_is_missing(client, publish):
    publish(DAY)
    assert client.slate(LATER).state is State.MISSING
    assert client.top(day=LATER).state is State.MISSING


def test_a_slate_past_its_lifetime_is_stale_and_says_how_old_it_is(client, publish, clock):
    publish(DAY)
    assert client.slate().state is State.FRESH
    clock.advance(SLATE_FRESH_S + 5)
    assert client.slate().state is State.STALE
    assert client.top(limit=3).state is State.STALE
    assert client.player(600_000).state is State.STALE
    assert client.slate().age_s >= SLATE_FRESH_S + 5


def test_the_best_props_come_from_the_version_that_is_named_with_them(client, publish):
    publish(DAY, seed=1)
    first = client.top("batter_hits", limit=5)
    publish(DAY, seed=2)
    second = client.top("batter_hits", limit=5)
    assert (first.slate.version, second.slate.version) == (1, 2)
    assert first.props["ev_per_unit"].to_list() != second.props["ev_per_unit"].to_list()
    assert second.props["ev_per_unit"].is_sorted(descending=True)
    assert set(second.props["market"]) == {"batter_hits"}


def test_the_best_props_of_a_team_by_edge(client, publish):
    publish(DAY)
    found = client.top(team="BOS", limit=4, sort="edge").props
    assert set(found["team"]) == {"BOS"}
    assert found["edge"].is_sorted(descending=True)


def test_a_player_has_features_and_props_of_one_version(client, publish):
    version = publish(DAY)
    found = client.player(600_003)
    assert found.slate.version == version
    assert {row["player_id_mlbam"] for row in found.features} == {600_003}
    assert {row["player_id_mlbam"] for row in found.props} == {600_003}


def test_many_players_come_in_the_order_asked_for_and_one_who_is_not_there_is_missing(client, publish):
    publish(DAY)
    found = client.players([600_002, 1, 600_001])
    assert [view.player_id for view in found] == [600_002, 1, 600_001]
    assert [view.state for view in found] == [State.FRESH, State.MISSING, State.FRESH]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"sort": "luck"}])
def test_a_question_that_makes_no_sense_is_refused_with_what_would(client, wrong):
    with pytest.raises(UsageError, match="expected"):
        client.top(**wrong)


def test_an_address_that_nobody_answers_at_is_said_at_once(tmp_path):
    with pytest.raises(StoreUnavailable, match="Check that it runs"):
        Client.open(f"unix://{tmp_path}/nobody")


def test_an_address_of_no_kind_is_refused():
    with pytest.raises(ConfigurationError, match="not the address of a Redis"):
        Client.open("http://127.0.0.1")
    with pytest.raises(ConfigurationError, match="not the address of a Redis"):
        asyncio.run(AsyncClient.open("http://127.0.0.1"))


def test_both_kinds_have_the_same_methods():
    methods = [{name for name in vars(kind) if not name.startswith("_")} for kind in (Client, AsyncClient)]
    assert methods[0] == methods[1]
