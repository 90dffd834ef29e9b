"""Commands about the feeds: fetch a range into archive and lake, show each feed's state, tell what a day would cost."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from backstop.cli import feedtables, progress, tables
from backstop.cli.running import Upstream, deployments
from backstop.clock import baseball_day, days_between, parse_day
from backstop.errors import UpstreamUnavailable, UsageError, ValidationFailed
from backstop.net import address
from backstop.settings import Settings
from backstop.store import embedded

if TYPE_CHECKING:
    from types import ModuleType

    from rich.console import Console

    from backstop.stages.collect import Collected
    from backstop.stages.house import House

LONGEST_DAYS = 7 * 366
"""Seven seasons: a typing error in a year should not plan a century."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def fetch(
    what: Annotated[
        str,
        typer.Argument(
            help="savant, statsapi, theodds, sportradar, boards, people, rosters, plays, seasons, profiles, injuries, "
            "register, or a table."
        ),
    ],
    first: Annotated[str, typer.Argument(help="First day, YYYY-MM-DD.")],
    last: Annotated[str | None, typer.Argument(help="Last day, included; the first by default.")] = None,
    upstream: Upstream = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch also what the ledger calls complete.")] = False,
    patience: Annotated[
        float | None, typer.Option("--patience", min=1, help="Seconds for one request with its retries.")
    ] = None,
) -> None:
    """Fetch a feed or a table for a range of days into the archive and the lake, each day checked by its rules.

    Exit code 1 when anything could not be fetched, or was held back by a rule about its table. What was fetched is
    kept, and the same command run again requests only the rest.
    """
    days = _days(first, last)
    changes: dict[str, Any] = {"upstream": upstream, "request_budget_s": patience}
    settings = Settings(**{name: value for name, value in changes.items() if value is not None})
    machine = deployments("machine")
    machine.check_upstream(settings)
    console = tables.terminal()
    with _opened(machine.own_home(settings)) as house:
        done = _collect(house, what, days, console, again=again)
    if not any(each.items for each in done):
        console.print("Everything is there already; --again asks for it again.")
        return
    console.print(feedtables.closing(done))
    feedtables.tell(console, done)
    judge(done)


def judge(done: Sequence[Collected]) -> None:
    """Make the command fail when something is not there that was asked for.

    Raises:
        UpstreamUnavailable: requests were not answered.
        ValidationFailed: rows came and were held back, because a rule about their table is broken.
    """
    if failed := sum(each.failed for each in done):
        raise UpstreamUnavailable(
            f"{failed} of {sum(each.items for each in done)} requests could not be answered; what came is kept. "
            "Run the same command again: it asks only for what is missing."
        )
    if held := sum(outcome.failed for each in done for outcome in each.outcomes):
        raise ValidationFailed(
            f"{held:,} rows came and were held back, for a rule about their table is broken (see `missing` above). "
            "The raw answers lie in the archive; `--again` asks once more."
        )


def sources(as_json: AsJson = False, upstream: Upstream = None) -> None:
    """Print each feed's state: breaker, gate width, last success, credits left, and its counters.

    Of demo and recorded upstreams, the one used last is shown.
    """
    from backstop.stages import feeds

    settings = _settings(upstream)
    with _remembered(settings) as house:
        known = feeds.addresses(house)
        found = feeds.status(house)
    here = {each.health.host for each in found}
    if settings.upstream.startswith(("demo", "recorded:")):
        own = next((host for host, _ in known if host.startswith("http://127.0.0.1:")), None)
        if own is None:
            raise UsageError(f"Nothing was fetched from {settings.upstream} within a week under {settings.home}.")
        with _remembered(settings.pointed_at(own)) as house:
            found, here = feeds.status(house), {own}
    if as_json:
        typer.echo(orjson.dumps([each.as_dict() for each in found], option=orjson.OPT_INDENT_2).decode())
        return
    if not found:
        typer.echo(f"{settings.upstream}: answers come from an archive, no feed is asked.")
        return
    console = tables.terminal()
    console.print(feedtables.states(found))
    for host, at in known:
        if host not in here:
            console.print(
                f"also asked: {host}, last {feedtables.instant(at)} UTC; --upstream {host} shows it", soft_wrap=True
            )


def plan(
    date: Annotated[str | None, typer.Argument(help="Baseball day, YYYY-MM-DD; by default today.")] = None,
    as_json: AsJson = False,
    upstream: Upstream = None,
) -> None:
    """Print the requests that a refresh of a day would make, and the credits that they cost at most; sends none."""
    from backstop.stages import forecast

    day = parse_day(date) if date else baseball_day(dt.datetime.now(dt.UTC))
    with _remembered(_settings(upstream)) as house:
        asked, sentence = forecast.forecast(house, day)
    if as_json:
        said = {"day": day, "requests": [each.as_dict() for each in asked], "sentence": sentence}
        typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2).decode())
        return
    console = tables.terminal()
    console.print(feedtables.requests(day, asked))
    console.print(sentence, soft_wrap=True)


def _settings(upstream: str | None) -> Settings:
    """Return the settings; those of the demo league name its own home.

    Raises:
        ConfigurationError: the upstream's folder is none, or its address may not be asked.
    """
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    address.require_upstream(settings)
    return deployments("machine").own_home(settings) if settings.upstream == "demo" else settings


def _days(first: str, last: str | None) -> list[dt.date]:
    """Return the days of a range.

    Raises:
        UsageError: it is none, not yet, or longer than any history.
    """
    begin = parse_day(first)
    end = parse_day(last) if last else begin
    today = baseball_day(dt.datetime.now(dt.UTC))
    if end < begin:
        raise UsageError(f"The range {begin} to {end} ends before it begins; give the earlier date first.")
    if begin > today + dt.timedelta(days=1):
        raise UsageError(f"{begin} lies in the future; today is {today}. Give days up to tomorrow.")
    if (end - begin).days > LONGEST_DAYS:
        raise UsageError(f"The range {begin} to {end} has {(end - begin).days + 1:,} days; fetch a season at a time.")
    return days_between(begin, end)


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[House]:
    """Open a house on what the settings name, with the upstream server and the embedded Redis that they stand for."""
    from backstop.demo.upstream import Upstream as Server
    from backstop.stages.house import House

    with contextlib.ExitStack() as stack:
        if settings.upstream.startswith(("demo", "recorded:")):
            settings = settings.pointed_at(stack.enter_context(Server.start(settings.upstream)).base_url)
        if not settings.upstream.startswith("replay:"):
            settings = stack.enter_context(embedded.meanwhile(settings))
        house = House(settings)
        stack.callback(house.close)
        yield house


@contextlib.contextmanager
def _remembered(settings: Settings) -> Iterator[House]:
    """Open a house on what is remembered of the feeds; where nothing ever was kept no server is started."""
    from backstop.stages.house import House

    with contextlib.ExitStack() as stack:
        if settings.redis_url is not None or (settings.home / "redis").is_dir():
            settings = stack.enter_context(embedded.meanwhile(settings))
        house = House(settings)
        stack.callback(house.close)
        yield house


def _collect(house: House, what: str, days: Sequence[dt.date], console: Console, *, again: bool) -> list[Collected]:
    from backstop.stages.collect import Job, collect
    from backstop.stages.steps import steps_of

    rules = _Later("rules")
    job = Job(house, days, rules.apply, f"fetch-{uuid.uuid4()}", again)
    steps = steps_of(what, job)
    rules.start()  # Great Expectations takes seconds to load: meanwhile the first requests are under way
    span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    with progress.shown(console, f"fetch {what} {span}"):
        return list(collect(house, steps))


class _Later:
    """A module of the checkout that is loaded beside the work."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._load, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def apply(self, *args: Any) -> Any:
        self._thread.join()
        if self._module is None:
            raise self._failure or RuntimeError(f"{self._name} was not loaded")
        return self._module.apply(*args)

    def _load(self) -> None:
        try:
            self._module = deployments(self._name)
        except BaseException as error:  # noqa: BLE001 - raised where the module is needed
            self._failure = error
