"""Every rule of every suite: sound rows pass it, and a change that breaks it is named by it alone."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter

import orjson
import polars as pl
import pytest

import expectations
from expectations.check import check
from expectations.pitches import pitches_suite
from scripts import pages
from tests.expectations.cases import SUITES, VOLUME, Broken

CASES = [pytest.param(name, each, id=f"{name}: {each.rule}") for name, suite in SUITES.items() for each in suite.broken]


def rules_of(name):
    return [each.meta["rule"] for each in SUITES[name].suite.expectations]


def test_every_suite_is_tried_here_and_shown_in_the_documents():
    modules = [
        importlib.import_module(f"expectations.{each.name}") for each in pkgutil.iter_modules(expectations.__path__)
    ]
    written = [
        name
        for module in modules
        for name, made in vars(module).items()
        if name.endswith("_suite") and made.__module__ == module.__name__
    ]
    assert len(written) == len(SUITES)
    assert sorted(re.findall(r"^## (\w+)$", pages.text("expectations.md"), re.MULTILINE)) == sorted(SUITES)


@pytest.mark.parametrize("name", SUITES)
def test_sound_rows_break_no_rule(name):
    suite = SUITES[name]
    verdict = check(suite.sound(pl.DataFrame()), suite.suite)
    assert verdict.broken == ()
    assert verdict.checked == len(suite.suite.expectations)
    assert verdict.kept.equals(suite.sound(pl.DataFrame()))


@pytest.mark.parametrize("name", SUITES)
def test_sound_rows_hold_a_value_for_every_rule_about_a_column(name):
    sound = SUITES[name].sound(pl.DataFrame())
    spoken_of = {
        each.configuration.kwargs["column"]
        for each in SUITES[name].suite.expectations
        if "column" in each.configuration.kwargs
    }
    assert spoken_of
    assert [column for column in spoken_of if sound[column].is_null().all()] == []


@pytest.mark.parametrize("name", SUITES)
def test_every_rule_has_a_case_that_breaks_it(name):
    assert {each.rule for each in SUITES[name].broken} == set(rules_of(name))


@pytest.mark.parametrize("name", SUITES)
def test_rules_of_a_suite_are_told_apart_by_name_and_each_says_why(name):
    assert [rule for rule, count in Counter(rules_of(name)).items() if count > 1] == []
    assert all(each.meta["reason"] for each in SUITES[name].suite.expectations)


@pytest.mark.parametrize("name", SUITES)
def test_sound_rows_have_the_columns_of_the_table(name):
    (declared,) = (each for each in SUITES[name].suite.expectations if each.meta["rule"] == "columns as declared")
    assert declared.exact_match
    assert SUITES[name].sound(pl.DataFrame()).columns == declared.column_set


@pytest.mark.parametrize(("name", "broken"), CASES)
def test_a_broken_rule_is_named_alone(name: str, broken: Broken):
    suite = SUITES[name]
    frame = broken.change(suite.sound(pl.DataFrame()))
    verdict = check(frame, suite.suite)
    assert {each.rule for each in verdict.broken} == {broken.rule, *broken.also}
    if not broken.rows:
        assert verdict.rules == {}
        (sentence,) = verdict.degraded if broken.warns else verdict.blocked
        assert sentence.startswith(f"expected {broken.rule}, saw ")
        assert verdict.blocked == () or not broken.warns
        assert verdict.kept.equals(frame)
    elif broken.warns:
        assert verdict.rules == {f"warning: {broken.rule}": broken.rows}
        assert verdict.kept.equals(frame)
        assert verdict.rejected.is_empty()
        assert verdict.blocked == verdict.degraded == ()
    else:
        assert verdict.rules == {broken.rule: broken.rows}
        assert verdict.rejected["rule"].to_list() == [broken.rule] * broken.rows
        assert verdict.kept.height + broken.rows == frame.height
        assert verdict.blocked == ()
        reason = next(each.meta["reason"] for each in suite.suite.expectations if each.meta["rule"] == broken.rule)
        assert set(verdict.rejected["reason"]) == {reason}
        assert list(orjson.loads(verdict.rejected["row"][-1])) == frame.columns


def test_without_a_schedule_the_volume_of_a_day_is_not_judged():
    suite = SUITES["core_pitches"]
    frame = suite.sound(pl.DataFrame())
    rules = {each.meta["rule"] for each in pitches_suite(frame["game_date"][0], None).expectations}
    assert set(rules_of("core_pitches")) - rules == {"any rows", *VOLUME}
    assert check(frame.head(3), pitches_suite(frame["game_date"][0], None)).broken == ()


def test_the_sides_of_the_all_star_game_are_known_and_so_are_the_words_of_other_seasons():
    stars = SUITES["core_pitches"].sound(pl.DataFrame()).with_columns(home_team=pl.lit("NL"), away_team=pl.lit("AL"))
    old = stars.with_columns(description=pl.lit("swinging_pitchout"), pitch_type=pl.lit("FT"), events=pl.lit("balk"))
    assert check(old, SUITES["core_pitches"].suite).broken == ()
