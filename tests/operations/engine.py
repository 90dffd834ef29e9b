"""What a worker starts instead of Prefect's engine when a run is to stop at a moment: the engine, armed before.

python -m tests.operations.engine STAGE FOLDER
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tests.operations import moments

if __name__ == "__main__":
    stage, folder = sys.argv[1:]
    moments.arm(stage, Path(folder))
    sys.argv = ["prefect.engine"]
    runpy.run_module("prefect.engine", run_name="__main__")
