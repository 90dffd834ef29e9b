"""Write `prefect.yaml` from the catalogue, for `prefect deploy --all`: python -m deployments.recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # comes with Prefect, which reads the file

from deployments.catalog import CATALOG, POOL, Deployment

FILE: Final = Path(__file__).resolve().parents[1] / "prefect.yaml"

HEAD: Final = """\
# Generated from deployments/catalog.py by `python -m deployments.recipe`; change it there.
# `backstop deploy` also makes the pool, its queues, limits and automations, and removes what was dropped.
"""


def text() -> str:
    """Return the file's content."""
    whole = {"name": "backstop", "deployments": [_entry(each) for each in CATALOG]}
    return HEAD + str(yaml.safe_dump(whole, sort_keys=False, width=118, allow_unicode=True))


def _entry(deployment: Deployment) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": deployment.name,
        "flow_name": deployment.flow_name,
        "description": deployment.description,
        "tags": deployment.all_tags,
        "entrypoint": deployment.flow,
        "parameters": dict(deployment.parameters),
        "work_pool": {"name": POOL, "work_queue_name": deployment.queue},
    }
    if deployment.limit is not None:
        entry["concurrency_limit"] = {"limit": deployment.limit, "collision_strategy": deployment.collision}
    if deployment.schedule is not None:
        schedule = deployment.schedule
        entry["schedules"] = [
            {"slug": schedule.slug, "cron": schedule.cron, "timezone": schedule.timezone, "active": True}
        ]
    return entry


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
