"""Tables and headings for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from backstop.odds import Form, written

if TYPE_CHECKING:
    from backstop.store.reader import PlayerView, SlateView

MINUTE, HOUR, DAY = 60, 3600, 86_400

NARROW, WIDTH = 80, 144
"""What rich assumes of a pipe, and what the widest table needs."""

PRICES = ("fair_over_decimal", "fair_under_decimal", "best_price_decimal")

STATE_STYLES = {"fresh": "green", "stale": "yellow", "missing": "red"}


def terminal() -> Console:
    """Return a console that is wide enough for the tables where nobody set a width: a pipe, a log."""
    console = Console()
    return console if console.is_terminal or console.width > NARROW else Console(width=WIDTH)


def age(seconds: float | None) -> str:
    """Say an age in the largest unit that keeps it readable.

    >>> age(75)
    '1 min 15 s'
    """
    if seconds is None:
        return "unknown age"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def slate_heading(view: SlateView) -> Text:
    """Return the line that says which slate this is and how fresh."""
    games = len(view.meta.get("games", []))
    text = Text(f"Slate {view.day} · version {view.version} · ")
    text.append(view.state, STATE_STYLES[view.state])
    quality = view.meta.get("quality", "unknown quality")
    return text.append(f", {age(view.age_s)} old · {quality} · {games} games · {view.props_count:,} props")


def games(view: SlateView) -> Table:
    """Return the slate's games."""
    table = Table(title="Games", title_justify="left")
    for column in ("game_pk", "away", "home", "first pitch (UTC)"):
        table.add_column(column)
    for game in view.meta.get("games", []):
        table.add_row(str(game["game_pk"]), game["away_team"], game["home_team"], (game["start_at"] or "TBD")[:16])
    return table


def best_props(props: pl.DataFrame, top: int, odds: Form = Form.DECIMAL) -> Table:
    """Return the props with the best stakes: edges beyond their band first, then by expected value.

    An edge is only known against a two-sided quote; a long shot that one book offers alone has none.
    """
    order = ["kelly_quarter", "ev_per_unit", "prob_over"]
    ranked = props.sort(order, descending=True, nulls_last=True).head(top)
    return player_props(ranked.to_dicts(), f"Best-priced props ({ranked.height} of {props.height:,})", odds)


def player_props(rows: Sequence[dict[str, Any]], title: str = "Props", odds: Form = Form.DECIMAL) -> Table:
    """Return props as a table: probability, fair price, best price, edge with its band."""
    table = Table(title=title, title_justify="left")
    table.add_column("player", no_wrap=True)
    table.add_column("market", no_wrap=True)
    for column in ("line", "P(over)", "fair over", "fair under", "best price", "EV/unit", "edge ± band"):
        table.add_column(column, justify="right", no_wrap=True)
    prices = pl.DataFrame({name: [row[name] for row in rows] for name in PRICES}, dict.fromkeys(PRICES, pl.Float64))
    said = prices.select(written(pl.col(name), odds).fill_null("–").alias(name) for name in PRICES)
    for row, (over, under, best) in zip(rows, said.iter_rows(), strict=True):
        table.add_row(
            escape(f"{row['player_name']} ({row['team']})"),
            row["market"].replace("_", " ").removeprefix("batter "),
            number(row["line"], 1),
            number(row["prob_over"], 3),
            over,
            under,
            "–" if row["best_price_decimal"] is None else f"{row['best_side']} {best} {row['best_book']}",
            _signed(row["ev_per_unit"]),
            _edge(row),
        )
    return table


def player_heading(view: PlayerView) -> Text:
    """Return the line that says who this is and how fresh."""
    names = {row["player_name"] for row in (*view.features, *view.props)}
    who = f"{', '.join(sorted(names))} ({view.player_id})"
    text = Text(f"{who} · slate {view.slate.day} · version {view.slate.version} · ")
    text.append(view.state, STATE_STYLES[view.state])
    return text.append(f", {age(view.age_s)} old")


def features(row: dict[str, Any]) -> Table:
    """Return one row of features, a line each; lists are left to `--json`."""
    table = Table(title=f"Features · {row.get('role', '')} · game {row.get('game_pk', '')}", title_justify="left")
    table.add_column("feature")
    table.add_column("value", justify="right")
    for name, value in row.items():
        if not isinstance(value, list | dict) and name not in {"role", "game_pk"}:
            table.add_row(
                name, f"{value:.4f}" if isinstance(value, float) else escape(str("–" if value is None else value))
            )
    return table


def number(value: Any, digits: int) -> str:
    """Say a number, a dash for none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _edge(row: dict[str, Any]) -> str:
    if row["edge"] is None:
        return "–"
    mark = "" if abs(row["edge"]) > row["edge_band"] else " none"
    return f"{row['edge']:+.3f} ± {row['edge_band']:.3f}{mark}"
