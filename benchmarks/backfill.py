"""A backfill day by day: what a day costs that is to do and one that is done, and whether memory stays flat.

    python -m benchmarks.backfill               # 8 days, about a minute
    python -m benchmarks.backfill --days 180    # a season, about twenty minutes

Done again, a finished range costs one run of the flow, whose two tasks and some ten requests to the server take 0.2 s
whether it has one day or 180; SQLite refuses a request now and then, and Prefect's client then waits two seconds.


The demo league plays six weeks; for more days its season is drawn up as long as a real one (`benchmarks.long_season`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from backstop import telemetry
from backstop.demo import DEMO_DAY
from backstop.settings import Settings
from backstop.stages import backfill, days
from backstop.stages.house import House
from benchmarks.orchestration import DEMO, at_home, megabytes
from benchmarks.report import Report, arguments, timed

FIRST = dt.date(2025, 4, 3)
"""The first simulated day that has history."""

SHOWN_EVERY = 20

ROUNDS = 9
"""Times that the finished range is done again; what the first of them loads is not counted."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=8)
    given = parser.parse_args()
    report = Report("backfill", given.record)
    long = FIRST + dt.timedelta(days=given.days) > DEMO_DAY
    with at_home(0, "benchmarks.long_season" if long else DEMO) as home:
        season(report, home.settings, given.days)
    report.close()


def season(report: Report, settings: Settings, number: int) -> None:
    """Backfill so many days, note the memory after each, and do the finished range again."""
    from flows.backfill import backfill as flow
    from tasks import marks

    last, seen = FIRST + dt.timedelta(days=number - 1), list[float]()

    def after_a_day(event: telemetry.Progress) -> None:
        if event.stage == "days" and event.done:
            seen.append(megabytes())
            if len(seen) % SHOWN_EVERY == 0:
                report.console.print(f"after {len(seen)} days: {seen[-1]:.0f} MB")

    with telemetry.listening(after_a_day), marks.unheard():
        took = timed(lambda: flow(FIRST, last))
        one, all_ = _again(lambda: flow(FIRST, FIRST), lambda: flow(FIRST, last))
    house = House.of(settings)
    done = len([each for each in days.of_range(house, FIRST, last) if each.props])
    cost = report.table("backfill", f"a backfill of {number} simulated days, {done} with games", unit="s")
    cost.row("a day that is to be done", took / max(done, 1))
    cost.row("a day that is complete, the whole run over its days", [each / number for each in all_])
    cost.row("a day that is complete, planned", timed(lambda: backfill.plan_range(house, FIRST, last)) / number)
    whole = report.table("complete", "the whole run of a backfill whose days are all complete", unit="s")
    whole.row("one day", one)
    whole.row(f"{number} days", all_)
    grown = report.table("flat", "memory of the backfill's process", unit="MB")
    quarter = max(len(seen) // 4, 1)
    grown.row("after the first quarter of the days", seen[quarter - 1])
    grown.row("half-way", seen[len(seen) // 2])
    grown.row("after the last day", seen[-1])
    grown.row("at the highest", max(seen))


def _again(one: Callable[[], object], all_: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Time both in turns, once unrecorded, so that what a first run loads counts for neither."""
    rounds = [(timed(one), timed(all_)) for _ in range(1 + ROUNDS)][1:]
    return [few for few, _ in rounds], [many for _, many in rounds]


if __name__ == "__main__":
    main()
