"""What a worker of Prefect's starts in a season under faults: Prefect's engine, prepared for one strike.

python -m tests.chaos.engine JOB     # a file with a job as `tests.operations.nursery` takes it
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

from tests.chaos import strikes

if __name__ == "__main__":
    strikes.arm(**json.loads(Path(sys.argv[1]).read_text())["armed"]["with"])
    sys.argv = ["prefect.engine"]
    runpy.run_module("prefect.engine", run_name="__main__")
