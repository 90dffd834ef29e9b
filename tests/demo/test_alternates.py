"""Alternate lines of the simulated books: what they are worth, what they cost, how they are read."""

from __future__ import annotations

import datetime as dt
import itertools

import httpx
import numpy as np
import polars as pl
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.league import opinions
from backstop.demo.league.calendar import season
from backstop.demo.league.cards import cards
from backstop.demo.league.world import SEED
from backstop.net.item import Item
from backstop.sources.theodds import props
from backstop.sources.theodds.markets import ALTERNATE, with_alternates
from backstop.stages.plan import MARKETS
from tests.sources.answers import answer

GAME = next(row for row, fixture in enumerate(season()) if fixture.day == DEMO_DAY)
LINE = ["bookmaker", "market", "player_name", "line", "side"]


def last_of_the_day(demo: httpx.Client) -> dict:
    listed = demo.get("/v4/sports/baseball_mlb/events").json()
    evening = f"{DEMO_DAY + dt.timedelta(days=1)}T08"
    return max((one for one in listed if one["commence_time"] < evening), key=lambda one: one["commence_time"])


def ask(demo: httpx.Client, markets: list[str]) -> tuple[Item, httpx.Response]:
    one = last_of_the_day(demo)
    listed = pl.DataFrame({"event_id_theodds": [one["id"]], "commence_at": [one["commence_time"]]})
    (item,) = props.plan(listed.with_columns(pl.col("commence_at").str.to_datetime(time_zone="UTC")), markets)
    response = demo.get(item.path, params=item.params)
    assert response.status_code == 200
    return item, response


def by_enumeration(chances: np.ndarray, share: list[float], more_than: float) -> float:
    """The probability of a sum over `more_than`, outcome by outcome of three, four and five turns."""
    total = 0.0
    worth = range(chances.shape[1] + 1)
    for turns, weight in zip((3, 4, 5), share, strict=True):
        for outcomes in itertools.product(worth, repeat=turns):
            if sum(outcomes) > more_than:
                rates = [chances[n, o - 1] if o else 1 - chances[n].sum() for n, o in enumerate(outcomes)]
                total += weight * float(np.prod(rates))
    return total


@pytest.mark.parametrize("line", [0.5, 1.5, 3.5, 19.5, 20.5])
def test_the_sum_over_a_batters_turns_is_that_of_all_its_outcomes(line: float) -> None:
    chances = np.random.default_rng(5).dirichlet([1, 1, 1, 1, 6], 5)[:, :4]
    share = [0.1, 0.4, 0.5]
    exactly = opinions.count_of(chances, np.array(share))
    assert exactly.sum() == pytest.approx(1)
    assert exactly[int(line) + 1 :].sum() == pytest.approx(by_enumeration(chances, share, line))


def test_further_lines_continue_the_main_ones_and_fall_as_the_line_rises() -> None:
    main, further = opinions.opinions_of(cards(SEED), GAME), opinions.further_of(cards(SEED), GAME)
    assert main.join(further, on=["player", "market", "point"]).is_empty()
    both = pl.concat([main, further]).filter(pl.col("market").is_in(further["market"].unique().implode()))
    ladders = both.sort("player", "market", "point").group_by("player", "market", maintain_order=True)
    for (player, market), ladder in ladders:
        assert ladder["over"].diff().drop_nulls().lt(0).all(), (player, market)
        assert ladder["over"].is_between(0, 1, closed="none").all()


def test_they_are_served_and_charged_when_they_are_asked_for_and_only_then(demo: httpx.Client) -> None:
    for markets in (list(MARKETS), with_alternates(MARKETS)):
        item, response = ask(demo, markets)
        served = {market["key"] for book in response.json()["bookmakers"] for market in book["markets"]}
        assert served == set(markets)
        assert int(response.headers["x-requests-last"]) == item.credits == len(markets)


def test_they_are_read_as_more_lines_of_their_market_and_leave_the_main_ones_as_they_are(demo: httpx.Client) -> None:
    (item, plain), (_, wide) = ask(demo, list(MARKETS)), ask(demo, with_alternates(MARKETS))
    main, more = (props.parse(answer(item, response.content)) for response in (plain, wide))
    assert main.rejected_by_rule == more.rejected_by_rule == {}
    assert set(more.frame["market"]) == set(MARKETS)
    assert more.frame.join(main.frame, on=LINE, how="semi").equals(main.frame)
    further = more.frame.join(main.frame, on=LINE, how="anti")
    in_markets = sum(
        len(market["outcomes"])
        for book in wide.json()["bookmakers"]
        for market in book["markets"]
        if market["key"].endswith(ALTERNATE)
    )
    assert further.height == in_markets > main.frame.height / 3
    one_sided = further.group_by(LINE[:-1]).agg(pl.col("side").sort())
    assert set(one_sided["side"].list.join(",")) == {"over", "over,under"}
