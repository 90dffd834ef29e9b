"""How far projections are from the truth of the simulated league, in docs/projections.md, from what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report import read

BENCH = "league_truth"
PASTS = ("three_seasons_before", "no_season_before")


def lines() -> Iterator[str]:
    """Write a row per past and kind of projection, a column per headline market."""
    tables = read(BENCH)
    markets = list(tables[PASTS[0]].rows[0].more)
    yield f"{tables[PASTS[0]].stamp}.\n"
    yield f"| before the season | projected | all | {' | '.join(markets)} |"
    yield f"| --- | --- |{' ---: |' * (len(markets) + 1)}"
    for past in PASTS:
        for row in tables[past].rows:
            cells = [f"{row.median:.4f}", *(row.more[market] for market in markets)]
            yield f"| {past.removesuffix('_before').replace('_', ' ')} | {row.name} | {' | '.join(cells)} |"
