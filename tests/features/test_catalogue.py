from __future__ import annotations

from pathlib import Path

from backstop.features.build import SCHEMA
from backstop.features.catalogue import CATALOGUE, render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


def test_every_feature_has_one_entry():
    assert sorted(feature.name for feature in CATALOGUE) == sorted(SCHEMA)


def test_every_entry_says_what_the_number_is():
    for feature in CATALOGUE:
        assert feature.unit, feature.name
        assert feature.meaning, feature.name
        assert feature.window, feature.name
        assert feature.null, feature.name


def test_nullable_columns_say_when_they_are_null(tallies):
    import datetime as dt

    from backstop.features.build import build
    from tests.features.season import FIRST, slate

    cutoff = FIRST + dt.timedelta(days=15)
    games, players = slate(15)
    rows = build(tallies.filter(tallies["game_date"] < cutoff), games, players, cutoff=cutoff)
    null = {name for name in rows.columns if rows[name].null_count()}
    assert null <= {feature.name for feature in CATALOGUE if feature.null != "never"}


def test_the_data_dictionary_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run: python -m backstop.features.catalogue > docs/data-dictionary.md"
    )
