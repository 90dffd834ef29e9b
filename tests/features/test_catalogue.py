from __future__ import annotations

import datetime as dt

from backstop.features.build import SCHEMA, build
from scripts.catalogue import CATALOGUE
from tests.features.season import FIRST, slate


def test_every_feature_has_one_entry():
    assert sorted(feature.name for feature in CATALOGUE) == sorted(SCHEMA)


def test_every_entry_says_what_the_number_is():
    for feature in CATALOGUE:
        assert feature.unit, feature.name
        assert feature.meaning, feature.name
        assert feature.window, feature.name
        assert feature.null, feature.name


def test_nullable_columns_say_when_they_are_null(tallies):
    cutoff = FIRST + dt.timedelta(days=15)
    games, players = slate(15)
    rows = build(tallies.filter(tallies["game_date"] < cutoff), games, players, cutoff=cutoff)
    null = {name for name in rows.columns if rows[name].null_count()}
    assert null <= {feature.name for feature in CATALOGUE if feature.null != "never"}
