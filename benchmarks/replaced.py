"""Processing time as the replaced system spent it, one by one, against the flow: one simulated day from an empty home.

    python -m benchmarks.replaced             # about five minutes
    python -m benchmarks.replaced --rounds 1

Both ask the same demo server, which answers 50 ms late, do the same steps with the same code and end with the same rows:
`one by one` asks for one item after another, validates one answer after another, projects one player after another and
writes one row after another to Redis; the flow is `slate-refresh` under a Prefect server that is up, with everything
that it records.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import polars as pl

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.net.item import Item
from backstop.settings import Settings
from backstop.stages.fetch import FetchedBatch
from backstop.stages.house import House
from backstop.store import embedded
from benchmarks.report import Report, arguments, timed
from deployments import machine, server

LATENCY_MS = 50


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, rounds=3).parse_args()
    report = Report("replaced", asked.record)
    alone, flowed = [], []
    rows: tuple[int, int] = (0, 0)
    with Upstream.start("demo", latency_ms=LATENCY_MS) as upstream, prefect() as own:
        with home(upstream.base_url, own):
            flow()  # the server makes its answers on first asking, everything is imported
        for _ in range(asked.rounds):
            with home(upstream.base_url, own) as house:
                flowed.append(timed(flow))
                served = house.reader.slate(DEMO_DAY).props_count
            with home(upstream.base_url, own) as house:
                alone.append(timed(functools.partial(one_by_one, house)))
                rows = (sum(1 for _ in house.redis.scan_iter("one-by-one:*", count=1000)), served)
    assert rows[0] == rows[1], f"{rows[0]} props one by one, {rows[1]} by the flow: not the same work"
    table = report.table("processing", f"{DEMO_DAY} from an empty home, {rows[1]:,} props, {LATENCY_MS} ms", unit="s")
    table.row("one by one", alone)
    table.row("the flow slate-refresh", flowed)
    report.close()


def flow() -> None:
    """Run the flow for the home that is exported."""
    from flows.slate import slate_refresh

    slate_refresh(DEMO_DAY)


def one_by_one(house: House) -> None:
    """Do what the flow does, one thing after another."""
    from tasks import slate, validate
    from tasks.fetch import fetch_batch

    day = DEMO_DAY

    def fetched(batches: list[list[Item]], label: str) -> list[FetchedBatch]:
        singles = [item for batch in batches for item in batch]
        return [fetch_batch.fn(number, [item], label) for number, item in enumerate(singles, 1)]

    calendar = validate.validate_games.fn(fetched(slate.plan_schedule.fn(day), "schedule"), day)
    todo = slate.plan_day.fn(day, calendar)
    for batch in fetched(todo.pitches, "pitches"):
        slate.tally.fn(batch.number, batch, validate.validate_pitches.fn(batch.number, batch, day))
    players, _box = validate.validate_players.fn(fetched(todo.boxes, "line-ups"), day)
    events = fetched(todo.events, "events")
    validate.validate_quotes.fn(fetched(slate.plan_quotes.fn(day, events), "quotes"), day, events)
    features, _absent = slate.build_features.fn(day, players, ())
    for number, player in enumerate((one for batch in slate.plan_players.fn(day, players) for one in batch), 1):
        staged = slate.project_players.fn(day, number, [player], features, priced=True)
        validate.validate_props.fn(number, staged, day)
        set_each(house, pl.read_parquet(staged.props))


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
