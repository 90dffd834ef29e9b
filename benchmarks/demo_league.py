"""How long the demo league takes to make up a month: every game, pitch, box score and live feed from opening day on.

    python -m benchmarks.demo_league    # seconds

Each round plays another season (another seed) in a world that nothing is known of; the first one draws up the players too.
"""

from __future__ import annotations

import datetime as dt
import time

from backstop.demo.league.calendar import OPENING_DAY
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import PitchAsk
from benchmarks.report import Report, arguments

DAYS = 30
LAST = OPENING_DAY + dt.timedelta(days=DAYS - 1)


def made_up(seed: int) -> dict[str, int]:
    """Make up the days from opening day on, and return how much there is of what."""
    world = LeagueWorld(seed)
    games = world.games(OPENING_DAY, LAST)
    return {
        "games": len(games),
        "pitches": world.pitches(PitchAsk(first=OPENING_DAY, last=LAST)).height,
        "plays": sum(len(world.plays_of_game(game.game_pk)) for game in games),
        "lines": sum(len(world.appearances(game.game_pk)) for game in games),
    }


def main() -> None:
    """Print the seconds of a month, and record them where asked."""
    given = arguments(__doc__, rounds=5).parse_args()
    report = Report("demo_league", given.record)
    seconds: list[float] = []
    counts: dict[str, int] = {}
    for seed in range(given.rounds):
        began = time.perf_counter()
        counts = made_up(seed)
        seconds.append(time.perf_counter() - began)
    made = {name: f"{number:,}" for name, number in counts.items()}
    report.table("month", f"{DAYS} days of the demo league", unit="s").row("generated", seconds, **made)
    report.close()


if __name__ == "__main__":
    main()
