"""Processing time as the replaced system spent it, one by one, against the flow: one simulated day from an empty home.

    python -m benchmarks.replaced             # about six minutes
    python -m benchmarks.replaced --rounds 1

All ask the same demo server, which answers 50 ms late, do the same steps with the same code and end with as many rows:
`one by one` asks for one item after another, validates one answer after another, projects one player after another and
writes one row after another to Redis; `batches, one after another` gives the same functions batches of 50 and the loader
but no Prefect, which shows what batching alone is worth; the flow is `slate-refresh` under a Prefect server that is up,
with everything that it records. Both are measured once more with two requests at once to Savant instead of 25, which is all
that its real server bears; one by one asks for one at a time, so that the same rounds stand beside both.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl

from backstop.batches import batched
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.net.item import Item
from backstop.settings import Settings
from backstop.stages.fetch import FetchedBatch
from backstop.stages.house import House
from backstop.store import embedded
from benchmarks import live_terms
from benchmarks.report import Report, arguments, timed
from deployments import machine, server

LATENCY_MS = 50
BATCH = 50


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, rounds=5).parse_args()
    report = Report("replaced", asked.record)
    alone: list[float] = []
    own_terms, live = Rounds(), Rounds()
    rows: set[int] = set()
    with Upstream.start("demo", latency_ms=LATENCY_MS) as upstream, prefect() as own:
        with home(upstream.base_url, own):
            flow()  # the server makes its answers on first asking, everything is imported
        for _ in range(asked.rounds):
            with home(upstream.base_url, own) as house, one_run():
                alone.append(timed(functools.partial(in_turn, house, DEMO_DAY, one_by_one=True)))
                rows.add(sum(1 for _ in house.redis.scan_iter("one-by-one:*", count=1000)))
            rows |= own_terms.add(upstream.base_url, own)
            with live_terms.to_savant():
                rows |= live.add(upstream.base_url, own)
            assert len(rows) == 1, f"{rows} props: not the same work"
    title = f"{DEMO_DAY} from an empty home, {rows.pop():,} props, {LATENCY_MS} ms"
    for key, terms, taken in (("processing", "25", own_terms), ("live", "to Savant 2", live)):
        table = report.table(key, f"{title}, {terms} requests at once", unit="s")
        table.row("one by one", alone)
        table.row("batches, one after another", taken.batches)
        table.row("the flow slate-refresh", taken.flow)
    report.close()


@dataclass
class Rounds:
    """Seconds of the flow and of its batches in turn, round by round."""

    flow: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)

    def add(self, base_url: str, own: server.PrefectServer) -> set[int]:
        """Run both once, each from an empty home; return how many props they served."""
        served = set()
        with home(base_url, own) as house:
            self.flow.append(timed(flow))
            served.add(house.reader.slate(DEMO_DAY).props_count)
        with home(base_url, own) as house, one_run():
            self.batches.append(timed(functools.partial(in_turn, house, DEMO_DAY, one_by_one=False)))
            served.add(house.reader.slate(DEMO_DAY).props_count)
        return served


def flow() -> None:
    """Run the flow for the home that is exported, as `backstop refresh` does."""
    from flows.slate import slate_refresh
    from tasks import marks

    with marks.unheard():
        slate_refresh(DEMO_DAY)


def in_turn(house: House, day: dt.date, *, one_by_one: bool) -> None:
    """Do what the flow does, one thing after another: items and rows, or batches of them."""
    from tasks import slate, validate
    from tasks.fetch import fetch_batch

    size = 1 if one_by_one else BATCH

    def fetched(batches: list[list[Item]], label: str) -> list[FetchedBatch]:
        parts = batched([item for batch in batches for item in batch], size)
        return [fetch_batch.fn(number, part, label) for number, part in enumerate(parts, 1)]

    calendar = validate.validate_games.fn(fetched(slate.plan_schedule.fn(day, hold=True), "schedule"), day)
    todo = slate.plan_day.fn(day, calendar)
    pitches = []
    for batch in fetched(todo.pitches, "pitches"):
        pitches.append(validate.validate_pitches.fn(batch.number, batch, day))
        slate.tally.fn(batch.number, batch, pitches[-1])
    players, box = validate.validate_players.fn(fetched(todo.boxes, "line-ups"), day)
    events = fetched(todo.events, "events")
    quotes = validate.validate_quotes.fn(fetched(slate.plan_quotes.fn(day, events), "quotes"), day, events)
    features, absent = slate.build_features.fn(day, players, ())
    draft = None if one_by_one else slate.open_slate.fn(day)
    checked, loaded = [], []
    starters = [player for batch in slate.plan_players.fn(day, players) for player in batch]
    for number, some in enumerate(batched(starters, size), 1):
        staged = slate.project_players.fn(day, number, some, features, priced=True)
        checked.append(validate.validate_props.fn(number, staged, day))
        if draft is None:
            set_each(house, pl.read_parquet(staged.props))
        else:
            loaded.append(slate.load.fn(number, draft, checked[-1]))
    if draft is not None:
        slate.add_up.fn(day, [calendar, players, box, quotes], pitches, checked, loaded)
        slate.publish_slate.fn(day, draft, checked, loaded, 0, list(absent))


@contextmanager
def one_run() -> Iterator[None]:
    """Let tasks outside of a flow run be of one run all the same: the one that holds the day."""
    os.environ["PREFECT__RUNTIME__FLOW_RUN__ID"] = str(uuid.uuid4())
    try:
        yield
    finally:
        del os.environ["PREFECT__RUNTIME__FLOW_RUN__ID"]


def set_each(house: House, props: pl.DataFrame) -> None:
    """Write one JSON object a row, one SET after another."""
    for row in props.iter_rows(named=True):
        house.redis.set(f"one-by-one:{row['prop_id']}", orjson.dumps(row))


@contextmanager
def home(base_url: str, own: server.PrefectServer) -> Iterator[House]:
    """Give an empty home with a Redis of its own, to this process's tasks as well."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        settings = Settings(home=Path(folder), history_first_season=DEMO_DAY.year).pointed_at(base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(settings.home / "redis")})
        ending.callback(embedded.stop, settings.home / "redis")
        machine.export(settings, own)
        house = House.current()
        ending.callback(house.close)
        yield house


@contextmanager
def prefect() -> Iterator[server.PrefectServer]:
    """Run a local Prefect server."""
    with tempfile.TemporaryDirectory() as folder:
        own = server.start(Path(folder))
        try:
            own.wait_ready()
            yield own
            server.send_what_is_left()
        finally:
            own.stop()


if __name__ == "__main__":
    main()
