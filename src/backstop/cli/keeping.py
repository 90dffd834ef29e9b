"""Commands that look after what is kept: Redis against the lake, quarantined rows, versions of a slate."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import orjson
import polars as pl
import typer
from rich.table import Table
from rich.text import Text

from backstop.cli import tables
from backstop.cli.running import Upstream, deployments
from backstop.clock import parse_day
from backstop.errors import StoreError
from backstop.settings import Settings
from backstop.stages import rebuild as rebuilding
from backstop.stages.house import House
from backstop.store.slates import Slates

redis = typer.Typer(help="Restore what Redis serves from the lake, and compare both.", no_args_is_help=True)
quarantine = typer.Typer(
    help="The rows that broke a rule: look at them, load them after a mend, drop what never will be.",
    no_args_is_help=True,
)
versions = typer.Typer(help="The kept versions of a slate: list, compare, roll back, pin.", no_args_is_help=True)

Slate = Annotated[str, typer.Argument(help="Baseball day, YYYY-MM-DD.")]
SomeSlates = Annotated[
    list[str] | None, typer.Option("--slate", "--slates", help="A baseball day; repeat for several, default all.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

CELL = 60
"""Characters of a quarantined row that fit a line."""


def _house() -> House:
    return House.of(Settings())


@redis.command("rebuild")
def rebuild(slates: SomeSlates = None) -> None:
    """Publish slates again from the lake, each as old as it was; a newer one that is served stays.

    Without --slate those that were turned back or pinned are left as they are. Exit code 1 when a slate that was named
    cannot be restored, none can, or the lake's rows of one are damaged; the others are restored all the same.
    """
    days = [parse_day(text) for text in slates] if slates else None
    done = rebuilding.rebuild(_house(), days)
    if not done:
        raise StoreError("The lake holds no slate, so nothing was rebuilt. Run `backstop refresh DATE` first.")
    table = Table("slate", "version", "rows", "left alone because")
    for each in done:
        table.add_row(str(each.day), str(each.version or "–"), f"{each.rows:,}", Text(each.left_because))
    tables.terminal().print(table)
    lost = [each for each in done if not each.restorable]
    if lost and (days or len(lost) == len(done) or any(each.damaged for each in lost)):
        first = max(lost, key=lambda each: each.damaged)
        raise StoreError(
            f"{len(lost)} of {len(done)} slates cannot be restored from the lake, first {first.day}: "
            f"{first.left_because} with `backstop refresh {first.day}`."
        )


@redis.command("verify")
def verify(slates: SomeSlates = None, as_json: AsJson = False) -> None:
    """Compare what Redis serves with the lake, row by row; exit code 1 when they differ or neither has a slate.

    Of a slate that was turned back or is pinned the newest version is compared: the lake holds what was published last.
    """
    days = [parse_day(text) for text in slates] if slates else None
    found = rebuilding.verify(_house(), days)
    compared = {each.day for each in found if each.rows or each.version is not None}
    absent = sorted({each.day for each in found} - compared)
    if not compared or (days and absent):
        raise StoreError(
            f"Neither Redis nor the lake holds {f'a slate of {absent[0]}' if absent else 'any slate'}, so there is "
            f"nothing to compare. Run `backstop refresh {absent[0] if absent else 'DATE'}` first."
        )
    if as_json:
        _print_json([{**dataclasses.asdict(each), "equal": each.equal} for each in found])
    else:
        tables.terminal().print(_comparison(found))
        for day, why in sorted({(each.day, each.held) for each in found if each.held}):
            typer.echo(f"{day} is {why}; the newest is compared.")
    # first what a rebuild mends and undoes nothing
    wrong = sorted((each for each in found if not each.equal), key=lambda each: bool(each.held))
    if wrong:
        first = wrong[0]
        restores = f"`backstop redis rebuild --slate {first.day}` restores it from the lake"
        if first.damaged:
            restores = f"{first.example.rstrip('.')}: `backstop refresh {first.day}` makes it again"
        raise StoreError(
            f"Redis and the lake differ for {len(wrong)} of {len(found)} comparisons, first {first.day} {first.kind}. "
            + (f"It is {first.held}: once it may be served, {restores}." if first.held else f"{restores}.")
        )


def _comparison(found: Sequence[rebuilding.Verified]) -> Table:
    table = Table("slate", "kind", "version", "rows", "absent", "extra", "changed", "example")
    for each in found:
        numbers = (each.rows, each.absent, each.extra, each.changed)
        table.add_row(
            str(each.day), each.kind, str(each.version or "–"), *(f"{n:,}" for n in numbers), Text(each.example)
        )
    return table


def _print_json(value: object) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


@quarantine.command("list")
def list_rows(
    table: Annotated[str | None, typer.Option("--table", help="For example core_quotes.")] = None,
    slate: Annotated[str | None, typer.Option("--date", help="Baseball day of the rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the open rows, oldest first."""
    rows = _house().quarantine.list(table, parse_day(slate) if slate else None)
    if as_json:
        typer.echo(orjson.dumps(rows.to_dicts(), option=orjson.OPT_INDENT_2).decode())
        return
    shown = Table("row id", "table", "day", "rule", "row")
    for each in rows.head(200).iter_rows(named=True):
        shown.add_row(each["row_id"], each["table"], str(each["game_date"]), each["rule"], Text(each["row"][:CELL]))
    tables.terminal().print(shown)
    typer.echo(f"{rows.height:,} rows in quarantine")


@quarantine.command("show")
def show_row(
    row_id: Annotated[str, typer.Argument(help="As `quarantine list` prints it.")], as_json: AsJson = False
) -> None:
    """Print one row with the rule, the reason, the run and the raw answer that it came from."""
    found = _house().quarantine.show(row_id)
    if as_json:
        _print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name:<14} {'–' if value is None else value}")


@quarantine.command("drop")
def drop_rows(
    row_ids: Annotated[list[str], typer.Argument(help="As `quarantine list` prints them.")],
    because: Annotated[str, typer.Option("--because", help="Why they will never be loaded; it is kept with them.")],
) -> None:
    """Close rows that will never be loaded."""
    typer.echo(f"{_house().quarantine.drop(row_ids, because=because)} rows dropped")


@quarantine.command("replay")
def replay_rows(
    table: Annotated[str | None, typer.Option("--table", help="For example core_quotes.")] = None,
    slate: Annotated[str | None, typer.Option("--date", help="Baseball day of the rows.")] = None,
    upstream: Upstream = None,
) -> None:
    """After a rule or a parser was fixed: read the archived answers again, load what passes now, publish it."""
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    deployments("replaying").replay(settings, table, parse_day(slate) if slate else None)


@versions.command("list")
def list_versions(slate: Slate, as_json: AsJson = False) -> None:
    """List the kept versions of a slate, newest first."""
    house, day = _house(), parse_day(slate)
    kept = Slates(house.redis).versions(day)
    if not kept:
        raise StoreError(
            f"No version of a slate of {day} is kept here; published are: "
            f"{', '.join(str(each) for each in house.reader.days()) or 'none'}."
        )
    if as_json:
        _print_json([dataclasses.asdict(each) for each in reversed(kept)])
        return
    table = Table("version", "published (UTC)", "cutoff (UTC)", "run", "served", "pinned")
    for each in reversed(kept):
        instants = (f"{each.published_at:%Y-%m-%d %H:%M:%S}", f"{each.cutoff:%Y-%m-%d %H:%M:%S}")
        table.add_row(
            str(each.version), *instants, each.run_id, "yes" if each.served else "", "yes" if each.pinned else ""
        )
    tables.terminal().print(table)


@versions.command("diff")
def diff(
    slate: Slate,
    before: Annotated[int, typer.Argument()],
    after: Annotated[int, typer.Argument()],
    as_json: AsJson = False,
) -> None:
    """Say what changed from one version to another: rows added, rows gone, fields changed."""
    found = Slates(_house().redis).diff(parse_day(slate), before, after)
    if as_json:
        _print_json({name: getattr(found, name).to_dicts() for name in ("added", "gone", "changed")})
        return
    typer.echo(f"{found.added.height:,} added, {found.gone.height:,} gone, {found.changed.height:,} fields changed")
    with pl.Config(tbl_rows=20, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        for frame in (found.added, found.gone, found.changed):
            if frame.height:
                typer.echo(str(frame.head(20)))


@versions.command("rollback")
def rollback(
    slate: Slate,
    to: Annotated[int | None, typer.Option("--to", help="Version to serve; the previous one by default.")] = None,
) -> None:
    """Serve an earlier version of a slate again."""
    typer.echo(f"slate {slate} is served in version {Slates(_house().redis).rollback(parse_day(slate), to)}")


@versions.command("pin")
def pin(slate: Slate, version: Annotated[int, typer.Argument(help="As `versions list` prints it.")]) -> None:
    """Serve a version and stay with it: later ones are kept, not served, until `unpin`."""
    day = parse_day(slate)
    typer.echo(f"slate {day} is held at version {Slates(_house().redis).pin(day, version)}")


@versions.command("unpin")
def unpin(slate: Slate) -> None:
    """Serve the newest version of a slate again."""
    day = parse_day(slate)
    typer.echo(f"slate {day} is served in version {Slates(_house().redis).unpin(day)}")
