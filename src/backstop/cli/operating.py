"""Commands of the operator: check the status, backfill a range, roll a slate back, register the deployments."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from backstop.cli import screen, tables
from backstop.cli.running import Upstream, deployments
from backstop.clock import parse_day
from backstop.errors import UsageError
from backstop.settings import Settings
from backstop.stages import standing
from backstop.stages.house import House
from backstop.store.slates import Slates

if TYPE_CHECKING:
    from backstop.stages.backfill import Backfill

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def backfill(  # noqa: PLR0917 - typer's options
    first: Annotated[str | None, typer.Argument(help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Argument(help="Last day, included; yesterday by default.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Every day of the kept seasons that lacks a slate.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=25, help="Days at once.")] = 2,
    prices: Annotated[
        bool, typer.Option("--prices/--no-prices", help="Ask the books for prices; may cost credits.")
    ] = True,
    degraded: Annotated[bool, typer.Option("--degraded", help="Also days that were published with gaps.")] = False,
    credit_limit: Annotated[int | None, typer.Option("--credits", min=0, help="Credits that may be spent.")] = None,
    spread_days: Annotated[int, typer.Option("--spread", min=0, help="Days per run on the workers; 0 runs here.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and the cost, start nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: print the plan as JSON.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers running for inspection.")] = False,
    upstream: Upstream = None,
) -> None:
    """Publish the slate of every past day of a range that lacks one; run again, it does only what is left."""
    if missing == (first is not None):
        raise UsageError(
            "Give a range of days (backstop backfill FIRST LAST), or --missing for every day that lacks one."
        )
    if as_json and not dry_run:
        raise UsageError("--json prints the plan as JSON; give it together with --dry-run.")
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    parameters: dict[str, Any] = {
        "first": parse_day(first) if first else None,
        "last": parse_day(last) if last else None,
        "parallel": parallel,
        "prices": prices,
        "degraded": degraded,
        "credit_limit": credit_limit,
        "spread_days": spread_days,
    }
    local = deployments("local")
    if dry_run:
        _show(local.planned(settings, parameters), as_json=as_json)
    else:
        local.backfill(settings, keep=keep, **parameters)


def _show(plan: Backfill, *, as_json: bool) -> None:
    """Print what a backfill would do and cost."""
    if as_json:
        about = {"first": plan.first, "last": plan.last, "todo": plan.todo, "left_alone": dict(plan.skipped)}
        text = orjson.dumps({**about, "credits": plan.credits, "limit": plan.limit}, option=orjson.OPT_INDENT_2)
        typer.echo(text.decode())
        return
    typer.echo(plan.sentence())
    for day in plan.todo:
        typer.echo(f"{day}  to do")


def status(as_json: AsJson = False) -> None:
    """Check slates, feeds, quarantine and the latest runs; exit code 1 when something needs attention.

    A deployment that somebody paused by hand is named but is no fault; a slate that is late because of it is one.
    """
    house = House.of(Settings())
    found = standing.look(house)
    runs, problems, chosen = _prefect()
    found = dataclasses.replace(found, problems=[*found.problems, *problems])
    if as_json:
        text = orjson.dumps({**_plain(found), "paused": chosen, "runs": runs}, option=orjson.OPT_INDENT_2, default=str)
        typer.echo(text.decode())
    else:
        screen.status(tables.terminal(), found, runs, chosen)
    if found.problems:
        raise typer.Exit(1)


def _plain(found: standing.Standing) -> dict[str, Any]:
    served = found.slate
    return {
        "ok": not found.problems,
        "problems": found.problems,
        "at": found.at,
        "season": {str(condition): number for condition, number in found.season.items()},
        "recent": [dataclasses.asdict(each) for each in found.recent],
        "slate": None if served is None else {"state": served.state, "version": served.version, "age_s": served.age_s},
        "games": found.games,
        "first_pitch_at": found.first_pitch_at,
        "feeds": [each.as_dict() for each in found.feeds],
        "quarantine": found.quarantine,
        "closed": [dict(zip(("table", "key", "state", "run_id"), each, strict=True)) for each in found.closed],
    }


def _prefect() -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Return the newest flow runs of the server that PREFECT_API_URL names, what is wrong, and what somebody paused.

    Nothing without a server.
    """
    if not os.environ.get("PREFECT_API_URL"):
        return [], [], []
    told: tuple[list[dict[str, Any]], list[str], list[str]] = deployments("runs").look()
    return told


def rollback(
    date: Annotated[str, typer.Argument(help="Baseball day, YYYY-MM-DD.")],
    to: Annotated[int | None, typer.Option("--to", help="Version to serve; the previous one by default.")] = None,
) -> None:
    """Serve an earlier version of a slate again, and show what readers see change."""
    house, day = House.of(Settings()), parse_day(date)
    slates = Slates(house.redis)
    before = house.reader.slate(day).version
    served = slates.rollback(day, to)
    typer.echo(f"slate {day} is served in version {served} again, instead of {before}")
    if before is not None and before != served:
        screen.difference(tables.terminal(), slates.diff(day, before, served))


def deploy() -> None:
    """Register the catalogue with the server that PREFECT_API_URL names, remove what it dropped; idempotent."""
    deployments("apply").main()
