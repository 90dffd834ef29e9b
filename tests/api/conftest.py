"""One slate of a small simulated season, published into a Redis of the test process."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.features.build import build
from backstop.features.tally import tally
from backstop.props.generate import generate
from backstop.props.price import price
from backstop.stages.project import served
from tests.api.serving import DAY, parts_over, publish, serving
from tests.features.season import pitches, slate
from tests.props.quoting import quote, quotes

GAMES = [
    {"game_pk": pk, "away_team": away, "home_team": home, "start_at": "2024-04-16T23:05:00Z"}
    for pk, away, home in ((151, "BBB", "AAA"), (153, "DDD", "CCC"))
]


@pytest.fixture(scope="session")
def features():
    games, players = slate(15)
    return build(tally(pitches(15)), games, players, cutoff=DAY)


@pytest.fixture(scope="session")
def quoted(features):
    batters = features.filter(pl.col("role") == "batter").to_dicts()[:10]
    sides = (("over", 2.1), ("under", 1.8))
    return quotes(
        *(
            {**quote(each, side, paid, book=book), "player_name": each["player_name"], "game_date": DAY}
            for each in batters
            for side, paid in sides
            for book in ("one", "two")
        )
    )


@pytest.fixture(scope="session")
def frames(features, quoted):
    """What is published: features as they are served, and priced props."""
    return {"features": served(features), "props": price(generate(features, lines=quoted), quoted)}


@pytest.fixture
def meta(features):
    pks = features["game_pk"].unique().sort().to_list()
    games = [{**game, "game_pk": pk} for game, pk in zip(GAMES, pks, strict=True)]
    return {"quality": "complete", "games": games, "gaps": []}


@pytest.fixture
def published(redis, frames, meta):
    """Version 1 of the slate."""
    return publish(redis, frames, meta=meta, cutoff=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))


@pytest.fixture
def api(embedded_url, published, quoted):
    with serving(parts_over(embedded_url, quoted)) as client:
        yield client


@pytest.fixture
def repriced(frames):
    """Return the slate with other prices for one player."""

    def repriced(player, price_decimal):
        mine = pl.col("player_id_mlbam") == player
        other = pl.when(mine).then(pl.lit(price_decimal)).otherwise(pl.col("best_price_decimal"))
        return {**frames, "props": frames["props"].with_columns(best_price_decimal=other)}

    return repriced
