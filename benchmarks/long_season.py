"""The demo league with a season as long as a real one: for backfills that are longer than its six weeks.

python -m benchmarks.long_season [options of `backstop upstream`]
"""

from __future__ import annotations

import datetime as dt
import sys

from backstop.demo import serve
from backstop.demo.league import calendar

LAST_DAY = dt.date(2025, 10, 5)

if __name__ == "__main__":
    calendar.LAST_DAY = LAST_DAY  # type: ignore[misc]  # before the season is drawn up
    sys.exit(serve.main([*sys.argv[1:], "--now", f"{LAST_DAY + dt.timedelta(days=1)}T16:00:00"]))
