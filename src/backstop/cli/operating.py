"""Commands of whoever operates it: backfill a range, register the deployments."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from backstop.cli.running import Upstream, deployments
from backstop.clock import parse_day
from backstop.errors import UsageError
from backstop.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def backfill(  # noqa: PLR0917 - typer's options
    first: Annotated[str | None, typer.Argument(help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Argument(help="Last day, included; yesterday by default.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Every day of the kept seasons that lacks a slate.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=25, help="Days at once.")] = 2,
    prices: Annotated[
        bool, typer.Option("--prices/--no-prices", help="Ask books for prices; may cost credits.")
    ] = True,
    degraded: Annotated[bool, typer.Option("--degraded", help="Also days that were published with gaps.")] = False,
    credit_limit: Annotated[int | None, typer.Option("--credits", min=0, help="Credits that may be spent.")] = None,
    spread_days: Annotated[int, typer.Option("--spread", min=0, help="Days per run on the workers; 0 is here.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and the cost, start nothing.")] = False,
    as_json: AsJson = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers up for inspection.")] = False,
    upstream: Upstream = None,
) -> None:
    """Publish the slate of every past day of a range that lacks one; repeated, it does only what is left."""
    if missing == (first is not None):
        raise UsageError(
            "Give a range of days (backstop backfill FIRST LAST), or --missing for every day that lacks one."
        )
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
    if not dry_run:
        local.backfill(settings, keep=keep, **parameters)
        return
    plan = local.planned(settings, parameters)
    if as_json:
        about = {"first": plan.first, "last": plan.last, "todo": plan.todo, "left_alone": dict(plan.skipped)}
        text = orjson.dumps({**about, "credits": plan.credits, "limit": plan.limit}, option=orjson.OPT_INDENT_2)
        typer.echo(text.decode())
        return
    typer.echo(plan.sentence())
    for day in plan.todo:
        typer.echo(f"{day}  to do")


def deploy() -> None:
    """Register the catalogue with the server that PREFECT_API_URL names, remove what it dropped; idempotent."""
    deployments("apply").main()
