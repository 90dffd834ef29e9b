"""Pitches from Savant's search: `/statcast_search/csv`, one row per pitch, one request per day.

Collected daily about 03:00 Eastern; yesterday is often incomplete next morning and corrections arrive for weeks. The
answer stops silently at a row cap, so that a day (3,800-5,200 rows) is the unit asked for. The schema moves: columns
are bound by name, and only those used are needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from backstop.errors import RowCapReached, UpstreamMalformed
from backstop.excerpt import excerpt, names
from backstop.net.item import Answer, Body, Item, Priority
from backstop.settings import Feed
from backstop.sources import cast, csvtext
from backstop.sources.parsed import Drift, Parsed, last_by_key, rejections
from backstop.sources.parsed import merge as merge_parts
from backstop.sources.savant.vocabulary import COLUMNS_2026
from backstop.sources.teams import ABBREVIATIONS
from backstop.tables import PITCHES

TABLE = PITCHES.name
PATH = "/statcast_search/csv"
SOURCE = "Savant pitches"

ROW_CAPS = (25_000, 30_000, 40_000)
"""Rows at which an answer was silently cut: today, in 2017, from 2018 to 2020."""

FEWEST_COLUMNS = 89
"""Columns of a header in 2020; later ones have more."""

KNOWN = frozenset(COLUMNS_2026)
NEEDED = frozenset({
    "game_pk", "game_date", "at_bat_number", "pitch_number", "game_type", "home_team", "away_team", "batter",
    "pitcher", "stand", "p_throws", "inning", "inning_topbot",
})  # fmt: skip
"""Columns without which a row means nothing."""

NULLABLE = frozenset({"events"})
"""Columns that must be there though most values are null."""


def plan(days: Iterable[dt.date]) -> list[Item]:
    """Ask for each day by itself; both bounds of the search are inclusive."""
    return [
        _item(day.isoformat(), ("game_date_gt", day.isoformat()), ("game_date_lt", day.isoformat())) for day in days
    ]


def split(item: Item, game_pks: Iterable[int]) -> list[Item]:
    """Ask for the games of a capped answer one by one: a game has some 300 pitches.

    A game is not split further: the longest have some 700 pitches. One at the cap is damaged, and named as missing.
    """
    return [_item(f"{item.key}/{game_pk}", ("game_pk", str(game_pk))) for game_pk in game_pks]


def _item(key: str, *params: tuple[str, str]) -> Item:
    fixed = (("all", "true"), ("type", "details"))
    return Item(Feed.SAVANT, TABLE, key, PATH, (*fixed, *params), Body.CSV, priority=Priority.HISTORY)


def inspect(body: bytes) -> None:
    """Check that the content is a whole answer of pitches; an empty one is whole (a day without games).

    Raises:
        UpstreamMalformed: a web page, an error in the data, another table, or a cut answer.
        RowCapReached: exactly as many rows as the feed gives at most.
    """
    csvtext.refuse_html(body, SOURCE)
    header = csvtext.header_of(body)
    if not header:
        return
    if "error" in header:
        said = excerpt(csvtext.strip(body).partition(b"\n")[2][:300].decode(errors="replace").strip().strip('"'))
        raise UpstreamMalformed(f"{SOURCE} answered an error as data: {said}", source=SOURCE)
    if len(NEEDED & set(header)) * 2 < len(NEEDED):
        raise UpstreamMalformed(
            f"{SOURCE} answered another table (first columns: {names(header[:4])}); expected one row per pitch, "
            "starting with pitch_type: check the parameters.",
            source=SOURCE,
        )
    end = csvtext.end_of(body)
    _refuse_cut(body, end, header)
    rows = body.count(b"\n", 0, end)
    if rows >= min(ROW_CAPS):  # a play's text may hold line ends, which are to be told from those of rows
        rows = len(csvtext.separators(body[:end], SOURCE)) - 1
    if rows in ROW_CAPS:
        raise RowCapReached(
            f"{SOURCE} answered exactly {rows:,} rows, which is its cap: the answer is incomplete. "
            "A day is split by game; a single game that large is an error of the feed.",
            source=SOURCE,
        )


def _refuse_cut(body: bytes, end: int, header: tuple[str, ...]) -> None:
    """Compare the last line with the header: a whole answer may end without line end, but not within a row."""
    start = csvtext.last_line(body, end)
    fields = b"".join(body[start:end].split(b'"')[::2]).count(b",") + 1
    is_open = start == 0 and end == len(body)  # a header alone, without the line end that would say that it is whole
    header_cut = is_open and (len(header) < FEWEST_COLUMNS or header[-1] not in KNOWN)
    if body.count(b'"') % 2 or fields != len(header) or header_cut:
        raise UpstreamMalformed(
            f"{SOURCE} answered {len(body):,} bytes whose last line has {fields} fields where the header has "
            f"{len(header)}: the answer was cut; ask again.",
            source=SOURCE,
        )


def parse(answer: Answer) -> Parsed:
    """Turn an answer into `core_pitches`, one row per pitch, sorted by game, plate appearance and pitch.

    Rejected besides what `cast.to_table` rejects: `superseded` (the pitch stands twice), `other_day` (a row of another
    day than the one asked). Team abbreviations are today's (OAK becomes ATH, ARI becomes AZ).

    Raises:
        UpstreamMalformed, SchemaDrift: see `inspect` and `cast.to_table`.
    """
    csvtext.refuse_html(answer.body, SOURCE)
    if not csvtext.header_of(answer.body):
        return Parsed(PITCHES.empty(), rejections([]), 0)
    text = csvtext.read(answer.body, PITCHES.upstream_names.keys(), source=SOURCE)
    parsed = cast.to_table(text, PITCHES, needed=NEEDED, known=KNOWN, source=SOURCE, nullable=NULLABLE)
    parsed = _only_asked_days(parsed, answer.item)
    frame = parsed.frame.with_columns(pl.col("home_team", "away_team").replace(ABBREVIATIONS))
    kept, outdone = last_by_key(frame, PITCHES)
    return Parsed(kept, pl.concat([parsed.rejected, outdone]), parsed.rows_in, parsed.drift)


def merge(parts: Iterable[Parsed]) -> Parsed:
    """Put the parts of a split day together."""
    return merge_parts(parts, PITCHES)


def _only_asked_days(parsed: Parsed, item: Item) -> Parsed:
    params = dict(item.params)
    if "game_date_gt" not in params or "game_date_lt" not in params:
        return parsed
    first, last = dt.date.fromisoformat(params["game_date_gt"]), dt.date.fromisoformat(params["game_date_lt"])
    asked = parsed.frame["game_date"].is_between(first, last)
    if asked.all():
        return parsed
    others = rejections(
        [
            (row, "other_day", f"game_date is {row['game_date']}, but {first} to {last} was asked.")
            for row in parsed.frame.filter(~asked).to_dicts()
        ]
    )
    return Parsed(
        parsed.frame.filter(asked), pl.concat([parsed.rejected, others]), parsed.rows_in, parsed.drift or Drift()
    )
