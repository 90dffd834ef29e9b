"""Run every benchmark of the house, one after the other: python -m benchmarks."""

import subprocess
import sys

MODULES = ("slate", "fetch_engine", "redis_load", "props_kernel", "gx_polars")

for name in MODULES:
    print(f"\n== benchmarks.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
