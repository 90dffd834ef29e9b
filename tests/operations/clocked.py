"""What a worker starts instead of Prefect's engine when a run is to take place on a simulated day: its clock set before.

python -m tests.operations.clocked INSTANT
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys

from backstop.clock import FixedClock
from backstop.stages.house import House

if __name__ == "__main__":
    House.current().clock = FixedClock(dt.datetime.fromisoformat(sys.argv[1]))
    sys.argv = ["prefect.engine"]
    runpy.run_module("prefect.engine", run_name="__main__")
