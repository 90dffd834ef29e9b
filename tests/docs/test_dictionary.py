"""The data dictionary has every table that the lake can hold, and every column of it with type, unit and meaning."""

from __future__ import annotations

import importlib
import pkgutil
import re

import polars as pl
import pytest

import backstop
from backstop.features.build import SCHEMA
from backstop.sources import registry
from backstop.tables import Column, Table
from scripts import dictionary

FRAMES_ONLY = {"core_events", "core_lineups"}
"""Tables of feeds that are read on the way and kept under no name: which events there are, and posted line-ups."""

PREFIXES = {"core_board_"}
NAME = re.compile(r"(core|out)_[a-z0-9_]+")
PAGE = "\n".join(dictionary.page())


def named_in_the_library():
    """Every table that a module declares or names in a constant."""
    for found in pkgutil.walk_packages(backstop.__path__, "backstop."):
        if found.name.endswith("__main__") or ".migrations" in found.name:
            continue
        for value in vars(importlib.import_module(found.name)).values():
            name = value.name if isinstance(value, Table) else value
            if isinstance(name, str) and NAME.fullmatch(name):
                yield name


def test_no_table_of_the_library_is_missing():
    named = {*named_in_the_library(), *registry.TABLES, *registry.PARTS}
    assert len(named) > 60
    assert named - FRAMES_ONLY - PREFIXES == {"out_features", *dictionary.TABLES}


@pytest.mark.parametrize("name", ["out_features", *dictionary.TABLES])
def test_each_table_is_on_the_page_once_with_all_of_its_columns(name):
    (section,) = re.findall(rf"^##+ {name}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if "|" in line]
    schema = SCHEMA if name == "out_features" else dictionary.TABLES[name].schema
    assert [(row[0], row[1]) for row in rows[2:]] == [(column, str(dtype)) for column, dtype in schema.items()]
    assert rows[0][:4] == ["column", "type", "unit", "meaning"]
    assert [row[0] for row in rows if not all(row[:4])] == []


@pytest.mark.parametrize(
    ("table", "column", "unit"),
    [
        ("core_pitches", "release_speed_mph", "mph"),
        ("core_pitches", "pitch_number", "ordinal"),
        ("core_box", "hits", "count"),
        ("core_quotes", "price_decimal", "decimal odds"),
        ("core_people", "height_in", "in"),
        ("core_register", "birth_year", "calendar"),
        ("core_tallies", "xba_thousandths", "1/1000"),
        ("out_props", "market_prob_low", "probability"),
        ("out_settled", "taken_at", "UTC"),
        ("out_grades", "log_loss", "nats"),
    ],
)
def test_a_column_has_the_unit_that_it_is_measured_in(table, column, unit):
    columns = {each.name: each for each in dictionary.TABLES[table].columns}
    assert dictionary.unit(columns[column]) == unit


def test_a_number_without_a_unit_is_refused_with_what_to_do():
    with pytest.raises(LookupError, match=r"unit of minutes is not known: end its name in one of .*_s, .*NUMBERS"):
        dictionary.unit(Column("minutes", pl.Float64(), "on the ice"))
