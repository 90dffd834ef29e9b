"""Run the benchmarks that need nothing but the locked environment, one after the other: python -m benchmarks."""

import subprocess
import sys

MODULES = ("slate", "fetch_engine", "redis_load", "props_kernel", "gx_polars")
"""`feast_load`, `props_market`, `parse_day` and `upstream` need a peer, recordings or a file: see their first lines."""

failed = []
for name in MODULES:
    print(f"\n== benchmarks.{name}", flush=True)
    if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
        failed.append(name)
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
