"""The examples of docs/client.md and docs/first-steps.md run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

from backstop.client import Client
from backstop.demo import DEMO_DAY
from tests.store.rows import DAY

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "client.md"
PRINTED = "redis://127.0.0.1:6379/0"


def examples(page):
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def test_every_example_runs(redis_url, publish, capsys):
    publish(DAY)
    blocks = examples(PAGE)
    assert len(blocks) == 4
    with Client.open(redis_url) as client:
        # the page goes on with the client of its first example, which is closed there
        names = {"client": client}
        for block in blocks:
            exec(compile(block.replace(PRINTED, redis_url), str(PAGE), "exec"), names)  # noqa: S102 - our own page
            names["client"] = client
    said = capsys.readouterr().out
    assert "2025-06-15 version 1: fresh" in said
    assert "2025-06-15: version None -> 1, fresh" in said
    assert "rows of features" in said


def test_the_first_steps_read_the_best_props_of_the_demo_leagues_day(redis_url, publish, capsys):
    publish(DEMO_DAY)
    (example,) = examples(DOCS / "first-steps.md")
    exec(compile(example.replace("unix:///ADDRESS/THAT/WAS/PRINTED", redis_url), "first-steps.md", "exec"), {})  # noqa: S102
    lines = capsys.readouterr().out.splitlines()
    best = [float(line.split()[-1]) for line in lines]
    assert len(lines) == 3
    assert best == sorted(best, reverse=True)
