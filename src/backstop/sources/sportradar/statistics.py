"""SportRadar's statistics of hitting and pitching in our names.

Two traps: `outcome.ktotal` counts strikes, `outs.ktotal` strikeouts; `ip_1` is outs, `ip_2` innings in which 1.1 is one
and a third.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from backstop.sources.jsontext import dig
from backstop.tables import Column

HITTING: Final[dict[str, tuple[str, ...]]] = {
    "plate_appearances": ("ap",),
    "at_bats": ("ab",),
    "hits": ("onbase", "h"),
    "doubles": ("onbase", "d"),
    "triples": ("onbase", "t"),
    "home_runs": ("onbase", "hr"),
    "total_bases": ("onbase", "tb"),
    "hit_by_pitch": ("onbase", "hbp"),
    "strikeouts": ("outs", "ktotal"),
    "runs": ("runs", "total"),
    "rbi": ("rbi",),
    "stolen_bases": ("steal", "stolen"),
}
PITCHING: Final[dict[str, tuple[str, ...]]] = {
    "batters_faced": ("bf",),
    "outs_recorded": ("ip_1",),
    "pitcher_strikeouts": ("outs", "ktotal"),
    "hits_allowed": ("onbase", "h"),
    "home_runs_allowed": ("onbase", "hr"),
    "earned_runs": ("runs", "earned"),
}

COLUMNS: Final = tuple(
    Column(name, pl.Int32(), "null for who did not bat" if name in HITTING else "null for who did not pitch")
    for name in (*HITTING, "walks", *PITCHING, "pitcher_walks")
)
"""What a game and a season have in common; walks are with intentional ones."""


def counts(statistics: Any) -> dict[str, int | None]:
    """Read the counts of a player: hitting and pitching, each null as a whole when he did not."""
    hitting, pitching = dig(statistics, "hitting", "overall"), dig(statistics, "pitching", "overall")
    found: dict[str, int | None] = {name: dig(hitting, *path) for name, path in HITTING.items()}
    found |= {name: dig(pitching, *path) for name, path in PITCHING.items()}
    found["walks"], found["pitcher_walks"] = _walks(hitting), _walks(pitching)
    return found


def _walks(overall: Any) -> Any:
    """Add intentional walks, which this feed counts apart, to the others; what is no count is left for the cast."""
    unintentional, intentional = dig(overall, "onbase", "bb"), dig(overall, "onbase", "ibb") or 0
    if isinstance(unintentional, int) and isinstance(intentional, int):
        return unintentional + intentional
    return intentional if isinstance(unintentional, int) else unintentional
