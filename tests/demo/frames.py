"""Reading what upstream servers answer."""

from __future__ import annotations

import io

import httpx
import polars as pl


def pitches(client: httpx.Client, first: str, last: str | None = None, **more: str | int) -> pl.DataFrame:
    """Ask for pitches between two days and read the CSV as text."""
    params = {"all": "true", "type": "details", "game_date_gt": first, "game_date_lt": last or first, **more}
    answer = client.get("/statcast_search/csv", params=params)
    answer.raise_for_status()
    return read(answer.content)


def read(body: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(body), infer_schema=False)


def schedule(client: httpx.Client, first: str, last: str | None = None, hydrate: str = "") -> list[dict]:
    params = {"sportId": "1", "startDate": first, "endDate": last or first, "hydrate": hydrate}
    answer = client.get("/api/v1/schedule", params=params)
    answer.raise_for_status()
    return [game for day in answer.json()["dates"] for game in day["games"]]
