"""Savant's leaderboards as tables keyed by player, day of retrieval and season.

They change daily while a season lasts and hold, once fetched later, the very games that are to be predicted: a feature
may only use rows retrieved before its cutoff. An unknown parameter makes the server answer its web page with 200.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from backstop.clock import EASTERN
from backstop.errors import UpstreamMalformed, UsageError
from backstop.excerpt import excerpt, names
from backstop.net.item import Answer, Body, Item
from backstop.settings import Feed
from backstop.sources import cast, csvtext
from backstop.sources.parsed import Parsed, last_by_key
from backstop.sources.savant.board import Board
from backstop.sources.savant.boards import BOARDS
from backstop.tables import Table


def plan(season: int, boards: Iterable[str] | None = None) -> list[Item]:
    """Ask for boards of a season, all that have a known address if none are named.

    Raises:
        UsageError: a name is no board, or the address of a board is not known.
    """
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
        UsageError: the item names no board.
    """
    board = _board(answer.item.table.removeprefix("core_board_"))
    inspect(answer.body)
    text = csvtext.read(answer.body, board.headers, source=f"Savant leaderboard {board.name}")
    needed = frozenset({board.player_id, *board.keys})
    parsed = cast.to_table(text, board.table, needed=needed, known=board.headers, source=f"Savant {board.name}")
    return _dated(parsed, board.table, answer)


def _dated(parsed: Parsed, table: Table, answer: Answer) -> Parsed:
    """Add the day of retrieval, and the season asked where the board does not say it."""
    season = int(answer.item.key) if answer.item.key.isdecimal() else None
    frame = parsed.frame.with_columns(
        retrieved_on=pl.lit(retrieved_on(answer.fetched_at)),
        season=pl.col("season").fill_null(pl.lit(season, pl.Int16)),
    )
    kept, outdone = last_by_key(frame, table)
    return Parsed(kept, pl.concat([parsed.rejected, outdone]), parsed.rows_in, parsed.drift)


def retrieved_on(instant: dt.datetime) -> dt.date:
    """Return the Eastern calendar day of an instant: boards are recomputed in the morning there."""
    return instant.astimezone(EASTERN).date()
