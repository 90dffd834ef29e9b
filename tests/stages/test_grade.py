"""The morning after: results kept, scores by market and version, closing-line value, what cannot be settled named."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.errors import DataError
from backstop.features.build import build
from backstop.features.tally import tally
from backstop.props import generate, price
from backstop.sources import parsed as parsing
from backstop.stages import grade
from backstop.stages.taken import keep_terms
from backstop.store.loader import Published
from scripts import dictionary
from tests.features.season import FIRST, pitches, slate

NUMBER = 12
DAY = FIRST + dt.timedelta(days=NUMBER)
START = dt.datetime(2024, 4, 13, 23, tzinfo=dt.UTC)


def full(table, rows):
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    lacking = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in table.schema.items() if name not in frame]
    return frame.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in table.schema.items())


def quotes_of(props, price_over, seen):
    """Both sides of every line of hits at one book."""
    lines = props.filter(market="batter_hits", line=0.5)
    sides = [
        lines.select("game_pk", "player_id_mlbam", "player_name", "market", "line").with_columns(
            side=pl.lit(side), price_decimal=pl.lit(paid), bookmaker=pl.lit("ada"), game_date=pl.lit(DAY),
            event_id_theodds=pl.format("{}", pl.col("game_pk")), commence_at=pl.lit(START), updated_at=pl.lit(seen),
        )
        for side, paid in (("over", price_over), ("under", 1.9))
    ]  # fmt: skip
    return full(tables.QUOTES, pl.concat(sides))


def publish(house, props, version, at):
    """What the lake has of a slate: its props in place of those before, and their terms beside the earlier ones."""
    keep_terms(house, DAY, props, Published(version, DAY, served=True, rows={}, published_at=at))
    house.lake.write("out_props", DAY, props)


@pytest.fixture
def published(house):
    """A slate that was priced in the morning and in the evening, box scores of all but one game, the last quotes."""
    games, players = slate(NUMBER)
    features = build(tally(pitches(NUMBER)), games, players, cutoff=DAY)
    made = generate.generate(features)
    for version, (paid, ago) in enumerate(((2.4, dt.timedelta(hours=9)), (2.0, dt.timedelta(minutes=5))), start=1):
        publish(house, price.price(made, quotes_of(made, paid, START - ago)), version, START - ago)
    lost, *_ = games["game_pk"].sort()
    people = players.filter(pl.col("game_pk") != lost).select(
        "game_pk", "game_date", "player_id_mlbam", "team",
        is_starter=pl.lit(value=True),
        plate_appearances=pl.when(pl.col("slot").is_not_null()).then(4),
        hits=pl.col("player_id_mlbam") % 2, strikeouts=1, walks=0, home_runs=0, doubles=0, triples=0,
        total_bases=pl.col("player_id_mlbam") % 2,
        batters_faced=pl.when(pl.col("slot").is_null()).then(22), pitcher_strikeouts=5,
    )  # fmt: skip
    house.lake.write("core_box", DAY, full(tables.BOX, people))
    house.lake.write("core_games", DAY, games.with_columns(status=pl.lit("Final"), abstract_status=pl.lit("Final")))
    late = START + dt.timedelta(hours=1)
    house.lake.write("core_quotes", DAY, quotes_of(made, 2.0, START - dt.timedelta(minutes=5)))
    return house, made, lost, late


def test_every_published_prop_has_a_result_or_a_reason_and_is_kept(published):
    house, made, lost, _ = published
    graded = grade.grade_slate(house, DAY)
    kept = house.lake.read(grade.SETTLED, DAY)
    assert kept.height == made.height == graded.settled
    assert kept.filter(pl.col("result").is_in(["void", "open"]))["reason"].null_count() == 0
    assert set(kept.filter(game_pk=lost)["result"]) == {"open"}
    waiting = {(row["market"], row["reason"]): row["props"] for row in graded.waiting.to_dicts()}
    assert waiting["batter_hits", "the game has no box score"] == 18 * 3
    assert ("batter_runs_scored", "the box score lacks the count") in waiting
    assert graded.calibration.startswith(b"\x89PNG")


def test_what_grading_keeps_has_the_columns_of_the_data_dictionary(published):
    house, *_ = published
    grade.grade_slate(house, DAY)
    for table in (grade.SETTLED, grade.GRADES, tables.TAKEN.name):
        assert house.lake.read(table, DAY).schema == dictionary.TABLES[table].schema


def test_scores_stand_per_market_and_model_version_with_the_noise_floor(published):
    house, *_ = published
    grades = grade.grade_slate(house, DAY).grades
    assert not grades.select("market", "model_version").is_duplicated().any()
    hits = grades.filter(market="batter_hits").row(0, named=True)
    assert 0 < hits["brier"] < 1
    assert hits["ece_floor"] > 0
    assert house.lake.read(grade.GRADES, DAY).height == grades.height


def test_a_price_that_was_better_than_the_closing_one_has_closing_line_value(published):
    house, *_ = published
    hits = grade.grade_slate(house, DAY).grades.filter(market="batter_hits").row(0, named=True)
    # taken at 2.4 in the morning; in the evening 2.0 and 1.9 are worth 0.487 by Shin's method
    assert hits["clv_props"] > 0
    assert hits["clv_return"] == pytest.approx(2.4 * 0.487 - 1, abs=0.002)
    assert hits["clv_probability"] == pytest.approx(0.487 - 1 / 2.4, abs=0.002)
    staked = house.lake.read(grade.SETTLED, DAY).filter(pl.col("clv_return").is_not_null())
    assert set(staked.select("taken_side", "taken_book", "taken_price_decimal", "taken_at").iter_rows()) == {
        ("over", "ada", 2.4, START - dt.timedelta(hours=9))
    }


def test_a_stake_that_was_named_only_after_the_first_pitch_was_not_taken(published):
    house, made, _, late = published
    house.lake.remove("out_taken", DAY)
    publish(house, price.price(made, quotes_of(made, 2.4, late)), 3, late)
    graded = grade.grade_slate(house, DAY)
    assert graded.grades["clv_props"].null_count() == graded.grades.height
    assert house.lake.read(grade.SETTLED, DAY)["taken_at"].null_count() == made.height


def test_props_that_a_later_slate_withdrew_are_settled_or_say_that_they_were_withdrawn(published):
    house, made, lost, _ = published
    last = house.lake.read("out_props", DAY)
    players = last.filter(pl.col("game_pk") != lost, market="batter_hits")["player_id_mlbam"].unique().sort()
    scratched, moved, *_ = players
    later = last.filter(~pl.col("player_id_mlbam").is_in([scratched, moved]))
    publish(house, later, 3, START - dt.timedelta(minutes=1))
    box = house.lake.read("core_box", DAY)
    house.lake.write("core_box", DAY, box.filter(pl.col("player_id_mlbam") != scratched))

    graded = grade.grade_slate(house, DAY)
    settled = house.lake.read(grade.SETTLED, DAY)
    assert settled.height == made.height == graded.settled
    assert settled["prop_id"].is_unique().all()
    assert set(settled.filter(pl.col("withdrawn"))["player_id_mlbam"]) == {scratched, moved}
    gone = settled.filter(player_id_mlbam=scratched)
    assert set(gone.select("result", "reason").iter_rows()) == {
        ("void", "withdrawn after it was published; he did not start")
    }
    hits = settled.filter(player_id_mlbam=moved, market="batter_hits", line=0.5).row(0, named=True)
    assert (hits["result"], hits["reason"]) == ("over" if moved % 2 else "under", None)
    assert hits["prob_over"] == last.filter(prop_id=hits["prop_id"])["prob_over"].item()
    waiting = graded.waiting.filter(pl.col("reason") == "withdrawn after it was published; he did not start")
    assert waiting["props"].sum() == gone.height


def test_prices_of_a_game_under_way_are_no_closing_prices(published):
    house, made, _, late = published
    house.lake.write("core_quotes", DAY, quotes_of(made, 5.0, late))
    graded = grade.grade_slate(house, DAY)
    assert graded.grades["clv_props"].null_count() == graded.grades.height


def test_grading_twice_changes_nothing(published):
    house, *_ = published
    first = grade.grade_slate(house, DAY)
    again = grade.grade_slate(house, DAY)
    assert again.grades.equals(first.grades)
    assert again.calibration == first.calibration


def test_a_day_that_was_never_published_is_refused_with_what_to_do(house):
    with pytest.raises(DataError, match="refresh that day first"):
        grade.check_published(house, DAY)


def test_a_game_that_is_not_over_stays_open_whatever_its_box_score_says_so_far(published):
    house, _, lost, _ = published
    games = house.lake.read("core_games", DAY)
    (played,) = set(games["game_pk"]) - {lost}
    live = pl.when(pl.col("game_pk") == played).then(pl.lit("Live")).otherwise("abstract_status")
    house.lake.write("core_games", DAY, games.with_columns(abstract_status=live))
    graded = grade.grade_slate(house, DAY)
    told = house.lake.read(grade.SETTLED, DAY).filter(game_pk=played)
    assert set(told.select("result", "reason").iter_rows()) == {("open", "the game is not over")}
    assert graded.grades.is_empty()
    assert graded.calibration == b""


@pytest.mark.parametrize("how", ["listed later", "named as another day's", "unknown"])
def test_props_of_a_game_that_left_the_day_are_void_once_it_is_known_where_it_went(published, how):
    house, _, lost, _ = published
    games = house.lake.read("core_games", DAY)
    house.lake.write("core_games", DAY, games.filter(pl.col("game_pk") != lost))
    later = DAY + dt.timedelta(days=30)
    if how == "listed later":
        moved = games.filter(pl.col("game_pk") == lost).with_columns(game_date=pl.lit(later))
        house.lake.write("core_games", later, moved)
    if how == "named as another day's":
        rows = parsing.rejections([({"gamePk": lost, "officialDate": str(later)}, "other_day", "moved")])
        house.quarantine.put("core_games", DAY, rows, run_id="r", raw_ref=None)
    grade.grade_slate(house, DAY)
    told = set(house.lake.read(grade.SETTLED, DAY).filter(game_pk=lost).select("result", "reason").iter_rows())
    known = {("void", "the game was moved to another day")}
    assert told == ({("open", "the day's schedule does not list the game")} if how == "unknown" else known)


@pytest.mark.parametrize("shape", [lambda who: {"person": {"id": who}}, lambda who: {"player_id_mlbam": who}])
def test_a_player_whose_line_lies_in_quarantine_is_open_until_it_is_brought_back_or_dropped(published, shape):
    house, _, lost, _ = published
    box = house.lake.read("core_box", DAY)
    who, other = box.filter(pl.col("plate_appearances") > 0)["player_id_mlbam"][:2]
    house.lake.write("core_box", DAY, box.filter(~pl.col("player_id_mlbam").is_in([who, other])))
    rows = parsing.rejections([(shape(who), "outs", "outs contradict"), (["no", "object"], "type", "no object")])
    house.quarantine.put("core_box", DAY, rows, run_id="r", raw_ref=None)

    def results(player):
        grade.grade_slate(house, DAY)
        told = house.lake.read(grade.SETTLED, DAY).filter(pl.col("game_pk") != lost, player_id_mlbam=player)
        return set(told.select("result", "reason").iter_rows())

    assert results(who) == {("open", "his line in the box score was refused")}
    assert results(other) == {("void", "he did not start")}
    house.quarantine.drop(house.quarantine.list("core_box", DAY)["row_id"].to_list(), because="he did not play")
    assert results(who) == {("void", "he did not start")}
