"""Commands that read what is published; each has `--json`."""

from __future__ import annotations

import contextlib
import datetime as dt
import shlex
from collections.abc import Iterator, Sequence
from typing import Annotated

import orjson
import typer

from backstop.cli import tables
from backstop.clock import parse_day
from backstop.errors import StoreError
from backstop.lake.tables import Lake
from backstop.odds import Form
from backstop.settings import Settings
from backstop.stages.house import House
from backstop.stages.rebuild import SLATES
from backstop.store.reader import PlayerView, SlateReader, SlateView

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Top = Annotated[int, typer.Option("--top", min=1, max=1000, help="Props to show in the table.")]


Odds = Annotated[Form, typer.Option("--odds", help="How prices are written in the table; JSON has them decimal.")]


def slate(
    date: Annotated[str, typer.Argument(help="Baseball day, YYYY-MM-DD.")],
    as_json: AsJson = False,
    top: Top = 15,
    odds: Odds = Form.DECIMAL,
) -> None:
    """Print a published slate: version, state, age, games, best-priced props."""
    day = parse_day(date)
    with _reading() as reader:
        view = reader.slate(day)
        if view.state == "missing":
            raise StoreError(_absent(day, reader.days(), Settings()))
        props = reader.props(day)
    if as_json:
        typer.echo(orjson.dumps({**_about(view), "props": props.to_dicts()}, option=orjson.OPT_INDENT_2).decode())
        return
    console = tables.terminal()
    console.print(tables.slate_heading(view))
    console.print(tables.games(view))
    console.print(tables.best_props(props, top, odds))


def player(
    player_id: Annotated[int, typer.Argument(help="MLBAM id, for example 592450.")],
    date: Annotated[
        str | None, typer.Option("--date", help="Baseball day; the newest slate with him by default.")
    ] = None,
    as_json: AsJson = False,
    odds: Odds = Form.DECIMAL,
) -> None:
    """Print one player's features and props, with their freshness."""
    day = parse_day(date) if date else None
    with _reading() as reader:
        view = reader.player(player_id, day)
    if view.state == "missing":
        where = f"the slate of {day}" if day else "any published slate"
        raise StoreError(
            f"Player {player_id} is not in {where}. `backstop slate DATE --json` lists the ids of a slate."
        )
    if as_json:
        typer.echo(orjson.dumps(_player(view), option=orjson.OPT_INDENT_2).decode())
        return
    console = tables.terminal()
    console.print(tables.player_heading(view))
    for row in view.features:
        console.print(tables.features(row))
    console.print(tables.player_props(view.props, odds=odds))


@contextlib.contextmanager
def _reading() -> Iterator[SlateReader]:
    """Open the store for one command; a server that was started only for it is stopped again."""
    house = House.of(Settings())
    try:
        yield house.reader
    finally:
        house.close()


def _absent(day: dt.date, published: Sequence[dt.date], settings: Settings) -> str:
    """Say that a slate is not here, and what to run: the demo league's is in a home of its own."""
    others = f"published are: {', '.join(str(each) for each in published) or 'none'}."
    demo = settings.home / "demo"
    # a Redis with an address is the same one from either home
    if settings.redis_url is None and day in Lake(demo / "lake").days(SLATES):
        return (
            f"No slate of {day} is published here, but the demo league has one in a home of its own. "
            f"Run `BACKSTOP_HOME={shlex.quote(str(demo))} backstop slate {day}`; here {others}"
        )
    return f"No slate of {day} is published here. Run `backstop refresh {day}`; {others}"


def _about(view: SlateView) -> dict[str, object]:
    return {
        "slate": view.day.isoformat(),
        "version": view.version,
        "state": view.state,
        "age_s": view.age_s,
        "published_at": view.published_at,
        "quality": view.meta.get("quality"),
        "games": view.meta.get("games", []),
        "gaps": view.meta.get("gaps", []),
        "props_count": view.props_count,
    }


def _player(view: PlayerView) -> dict[str, object]:
    return {
        "player_id_mlbam": view.player_id,
        "slate": view.slate.day,
        "version": view.slate.version,
        "state": view.state,
        "age_s": view.age_s,
        "features": view.features,
        "props_count": len(view.props),
        "props": view.props,
    }
