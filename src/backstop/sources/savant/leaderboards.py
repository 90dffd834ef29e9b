"""Savant's leaderboards as tables keyed by player, day of retrieval and season.

They change daily while a season lasts and hold, once fetched later, the very games that are to be predicted: a feature
may only use rows retrieved before its cutoff. An unknown parameter makes the server answer its web page with 200.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

import polars as pl

from backstop.clock import EASTERN
from backstop.errors import SchemaDrift, UpstreamMalformed, UsageError
from backstop.excerpt import excerpt, names
from backstop.net.item import Answer, Body, Item
from backstop.settings import STATCAST_SINCE, Feed
from backstop.sources import cast, csvtext
from backstop.sources.parsed import Parsed, last_by_key
from backstop.sources.savant.board import Board
from backstop.sources.savant.boards import BOARDS
from backstop.tables import Column, Table

YEAR: Final = re.compile(r"20\d\d")
DIFFERENCE: Final = re.compile(r"delta_20\d\d_20\d\d")
"""Header of what changed from one year to the next: known, but it follows from the two."""


def plan(season: int, boards: Iterable[str] | None = None) -> list[Item]:
    """Ask for boards of a season, all that have a known address if none are named.

    Raises:
        UsageError: a name is no board, the address of a board is not known, or the season lies before the first that
            was measured.
    """
    if season < STATCAST_SINCE:
        raise UsageError(f"Savant has no leaderboards of {season}: ask for {STATCAST_SINCE} or a later season.")
    names = [name for name, board in BOARDS.items() if board.path] if boards is None else list(boards)
    return [_item(_board(name), season) for name in names]


def _board(name: str) -> Board:
    board = BOARDS.get(name)
    if board is None:
        raise UsageError(f"{name!r} is no leaderboard; there are {', '.join(sorted(BOARDS))}.")
    return board


def _item(board: Board, season: int) -> Item:
    if not board.path:
        raise UsageError(f"The address of the leaderboard {board.name!r} is not known; download it and parse the file.")
    params = tuple(
        (name, value.replace("{season}", str(season)))
        for name, _, value in (pair.partition("=") for pair in f"{board.params}&csv=true".split("&"))
    )
    return Item(Feed.SAVANT, board.table.name, str(season), board.path, params, Body.CSV)


def inspect(body: bytes) -> None:
    """Check that the content is a table of players.

    Raises:
        UpstreamMalformed: a web page, an empty body, an error in the data, a header without a player.
    """
    source = "Savant leaderboard"
    csvtext.refuse_html(body, source)
    header = csvtext.header_of(body)
    if "error" in header:
        raise UpstreamMalformed(
            f"{source} answered an error as data: {excerpt(body[:300].decode(errors='replace'))}", source=source
        )
    ids = {board.player_id for board in BOARDS.values()}
    if not ids & set(header):
        raise UpstreamMalformed(
            f"{source} answered no table of players (first columns: {names(header[:4]) or 'none'}); "
            "check the parameters.",
            source=source,
        )


def parse(answer: Answer) -> Parsed:
    """Turn an answer into the table of its board, named by the item.

    Rejected: see `cast.to_table`; `missing_key` (no value that tells the rows of a player apart), `superseded`.

    Raises:
        UpstreamMalformed, SchemaDrift: see `inspect` and `cast.to_table`.
        UsageError: the item names no board, or not the metric of one that does not say it.
    """
    board = _board(answer.item.table.removeprefix("core_board_"))
    inspect(answer.body)
    return _dated(_by_year(board, answer) if board.metric else _by_name(board, answer), board.table, answer)


def _by_name(board: Board, answer: Answer) -> Parsed:
    """Read a board whose columns have names of their own."""
    text = csvtext.read(answer.body, board.headers, source=f"Savant leaderboard {board.name}")
    needed = frozenset({board.player_id, *board.keys})
    return cast.to_table(text, board.table, needed=needed, known=board.headers, source=f"Savant {board.name}")


def _by_year(board: Board, answer: Answer) -> Parsed:
    """Turn a board whose columns are named after years into one row per player and year; nulls are no rows.

    A line with a value that cannot be read is rejected whole, and counts as one row.
    """
    metric, source = dict(answer.item.params).get(board.metric), f"Savant {board.name}"
    if metric is None:
        raise UsageError(f"The request for {source} has no {board.metric!r}: what its values are is not known.")
    header = csvtext.numbered(csvtext.header_of(answer.body))
    years = [name for name in header if YEAR.fullmatch(name)]
    if not years:
        raise SchemaDrift(f"{source} answered no column named after a year, but {names(header) or 'none'}.")
    identity = [column for column in board.table.columns if column.upstream in {board.player_id, board.player_name}]
    values = [Column(year, pl.Float64(), "value of the year") for year in years]
    wide = Table(board.table.name, "one row per player", ("player_id_mlbam",), (*identity, *values))
    known = {board.player_id, board.player_name, *years, *filter(DIFFERENCE.fullmatch, header)}
    text = csvtext.read(answer.body, known, source=source)
    parsed = cast.to_table(text, wide, needed=frozenset({board.player_id}), known=frozenset(known), source=source)
    cells = parsed.frame.unpivot(
        years, index=[column.name for column in identity], variable_name="season", value_name="value"
    ).drop_nulls("value")
    frame = cells.with_columns(pl.col("season").cast(pl.Int16), metric=pl.lit(metric))
    return Parsed(frame, parsed.rejected, len(frame) + len(parsed.rejected), parsed.drift)


def _dated(parsed: Parsed, table: Table, answer: Answer) -> Parsed:
    """Add the day of retrieval, and the season asked where the board does not say it."""
    season = int(answer.item.key) if answer.item.key.isdecimal() else None
    frame = parsed.frame.with_columns(
        retrieved_on=pl.lit(retrieved_on(answer.fetched_at)),
        season=pl.col("season").fill_null(pl.lit(season, pl.Int16)),
    )
    kept, outdone = last_by_key(frame.select(*table.schema), table)
    return Parsed(kept, pl.concat([parsed.rejected, outdone]), parsed.rows_in, parsed.drift)


def retrieved_on(instant: dt.datetime) -> dt.date:
    """Return the Eastern calendar day of an instant: boards are recomputed in the morning there."""
    return instant.astimezone(EASTERN).date()
