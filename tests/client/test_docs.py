"""The examples of docs/client.md run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

from backstop.client import Client
from tests.store.rows import DAY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "client.md"
PRINTED = "redis://127.0.0.1:6379/0"


def test_every_example_runs(redis_url, publish, capsys):
    publish(DAY)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
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
