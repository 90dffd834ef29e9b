"""The Chadwick register: one person's ids at MLB, Retrosheet, Baseball-Reference and FanGraphs (ODC-By 1.0).

Sixteen files, `data/people-0.csv` to `people-f.csv`, of half a million people, most of whom never had an id at MLB.
Updated weekly; a rookie may be missing for some days. Last checked 2026-07.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from backstop.errors import UpstreamMalformed
from backstop.excerpt import names
from backstop.net.item import Answer, Body, Item
from backstop.settings import Feed
from backstop.sources import cast, csvtext
from backstop.sources.parsed import Parsed, last_by_key, merge
from backstop.tables import Column, Table

SOURCE = "Chadwick register"
SHARDS: Final = "0123456789abcdef"

REGISTER = Table(
    "core_register",
    "one row per person with an id at MLB",
    ("player_id_mlbam",),
    (
        Column("player_id_mlbam", pl.Int64(), "MLBAM id", "key_mlbam"),
        Column("person_id_chadwick", pl.String(), "UUID", "key_uuid"),
        Column("player_id_retrosheet", pl.String(), "8 characters; null without one", "key_retro"),
        Column("player_id_bbref", pl.String(), "null without one", "key_bbref"),
        Column("player_id_fangraphs", pl.String(), "null without one", "key_fangraphs"),
        Column("name_last", pl.String(), "last name"),
        Column("name_first", pl.String(), "first name he goes by"),
        Column("name_given", pl.String(), "all given names"),
        Column("name_suffix", pl.String(), "Jr., Sr., II, ...; null without one"),
        Column("birth_year", pl.Int16(), "null when not known"),
        Column("birth_month", pl.Int16(), "null when not known"),
        Column("birth_day", pl.Int16(), "null when not known"),
        Column("first_season", pl.Int16(), "first in the majors; null before it", "mlb_played_first"),
        Column("last_season", pl.Int16(), "last in the majors; null before it", "mlb_played_last"),
    ),
)
TABLE = REGISTER.name

KNOWN = frozenset({
    "key_person", "key_uuid", "key_mlbam", "key_retro", "key_bbref", "key_bbref_minors", "key_fangraphs", "key_npb",
    "key_wikidata", "name_last", "name_first", "name_given", "name_suffix", "name_matrilineal", "name_nick",
    "birth_year", "birth_month", "birth_day", "death_year", "death_month", "death_day", "mlb_played_first",
    "mlb_played_last", "mlb_managed_first", "mlb_managed_last", "mlb_umpired_first", "mlb_umpired_last",
    "pro_played_first", "pro_played_last", "pro_managed_first", "pro_managed_last", "pro_umpired_first",
    "pro_umpired_last", "col_played_first", "col_played_last", "col_managed_first", "col_managed_last", "key_sr_nfl",
    "key_sr_nba", "key_sr_nhl",
})  # fmt: skip


def plan() -> list[Item]:
    """Ask for the sixteen files of the register."""
    return [
        Item(
            Feed.CHADWICK,
            TABLE,
            shard,
            f"/chadwickbureau/register/master/data/people-{shard}.csv",
            body=Body.CSV,
        )
        for shard in SHARDS
    ]


def inspect(body: bytes) -> None:
    """Check that the content is a file of the register.

    Raises:
        UpstreamMalformed: a web page, another text, or a body that ends within a quotation.
    """
    csvtext.refuse_html(body, SOURCE)
    header = csvtext.header_of(body)
    if "key_mlbam" not in header:
        raise UpstreamMalformed(
            f"{SOURCE} answered no file of people (first columns: {names(header[:3]) or 'none'}); check the address.",
            source=SOURCE,
        )
    csvtext.separators(body, SOURCE)


def parse(answer: Answer) -> Parsed:
    """Turn a file into the people with an id at MLB; the others are no rows.

    Raises:
        UpstreamMalformed, SchemaDrift: see `inspect` and `cast.to_table`.
    """
    inspect(answer.body)
    text = csvtext.read(answer.body, REGISTER.upstream_names.keys(), source=SOURCE)
    at_mlb = csvtext.Text(text.header, text.frame.filter(pl.col("key_mlbam").is_not_null()), text.misshapen)
    parsed = cast.to_table(at_mlb, REGISTER, needed=frozenset({"key_mlbam"}), known=KNOWN, source=SOURCE)
    kept, outdone = last_by_key(parsed.frame, REGISTER)
    return Parsed(kept, pl.concat([parsed.rejected, outdone]), parsed.rows_in, parsed.drift)


def whole(parts: list[Parsed]) -> Parsed:
    """Put the files together."""
    return merge(parts, REGISTER)


def full_name() -> pl.Expr:
    """First and last name with the suffix, as the Stats API writes it."""
    suffix = pl.when(pl.col("name_suffix").is_null()).then(pl.lit("")).otherwise(" " + pl.col("name_suffix"))
    return (pl.col("name_first") + " " + pl.col("name_last") + suffix).alias("full_name")


def birth_date() -> pl.Expr:
    """Date of birth, null unless year, month and day are known and are a date."""
    text = pl.format("{}-{}-{}", "birth_year", "birth_month", "birth_day")
    return text.str.to_date("%Y-%m-%d", strict=False).alias("birth_date")
