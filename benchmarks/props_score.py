"""The model's probabilities against what happened and against reference models, on recorded seasons.

    python -m benchmarks.props_score                   # 1 May to 31 July 2025 from ../shared/realdata; a minute
    python -m benchmarks.props_score --recorded FOLDER --from 2025-05-01 --to 2025-07-31

Every day is predicted from the days before it only. The folder's `backtest/acceptance_keys.parquet` names the rows that
count, with what happened (`y`) and the probabilities of reference models: A the league's frequency, C shrunken rates
without match-up, D a full closed-form model.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

from backstop.props import backtest
from backstop.props.grade import brier, calibration_error, calibration_floor, log_loss
from benchmarks.props_kernel import RECORDED, recorded
from benchmarks.report import Report, arguments

DRAWS = 1000
SEED = 11
KEY = ["game_id", "player_id", "market", "line"]
REFERENCES = ("ref_A", "ref_C", "ref_D")


def losses(p: np.ndarray, won: np.ndarray) -> np.ndarray:
    """Negative log likelihood of each row, in nats."""
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    return -(won * np.log(safe) + (1 - won) * np.log(1 - safe))


def interval(difference: np.ndarray, day: np.ndarray, draws: int = DRAWS) -> tuple[float, float]:
    """95 % interval of the mean, days drawn with replacement."""
    _, index = np.unique(day, return_inverse=True)
    sums, counts = np.bincount(index, difference), np.bincount(index)
    weights = np.random.default_rng(SEED).multinomial(len(sums), np.ones(len(sums)) / len(sums), size=draws)
    means = (weights @ sums) / (weights @ counts)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def scored(folder: Path, first: dt.date, last: dt.date) -> pl.DataFrame:
    """One row per key that counts: `market`, `line_label`, `date`, `y`, references, `prob_over`; null where not predicted."""
    keys = pl.read_parquet(folder / "backtest" / "acceptance_keys.parquet")
    ids = (pl.col(name).cast(pl.String) for name in ("game_id", "player_id"))
    wanted = keys.with_columns(pl.col("date").cast(pl.Date), *ids).filter(pl.col("date").is_between(first, last))
    lines = wanted["line"].drop_nulls().unique().to_list()
    more = dict.fromkeys(wanted["market"].unique().to_list(), lines)
    predicted = backtest.run(recorded(folder, last), first, last, lines=more)
    return wanted.join(predicted.select(*KEY, "prob_over"), on=KEY, how="left")


def figures(rows: pl.DataFrame) -> dict[str, str]:
    """Return the scores of one market and line, beside the references on the same rows."""
    known = rows.drop_nulls("prob_over")
    p, won = known["prob_over"].to_numpy(), known["y"].cast(pl.Float64).to_numpy()
    found = {
        "n": f"{known.height:,}",
        "coverage": f"{known.height / rows.height:.3f}",
        "over": f"{won.mean():.3f}",
        "Brier": f"{brier(p, won):.5f}",
        "ECE (floor)": f"{calibration_error(p, won):.4f} ({calibration_floor(p):.4f})",
    }
    for name in REFERENCES:
        theirs = losses(known[name].to_numpy(), won)
        low, high = interval(losses(p, won) - theirs, known["date"].to_numpy())
        found[f"minus {name[-1]}"] = f"{log_loss(p, won) - theirs.mean():+.5f} [{low:+.5f}, {high:+.5f}]"
    return found


def main() -> None:
    """Predict, score and print."""
    parser = arguments(__doc__)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="folder of recordings")
    parser.add_argument("--from", dest="first", type=dt.date.fromisoformat, default=dt.date(2025, 5, 1))
    parser.add_argument("--to", dest="last", type=dt.date.fromisoformat, default=dt.date(2025, 7, 31))
    given = parser.parse_args()
    report = Report("props_score", given.record)
    rows = scored(given.recorded, given.first, given.last)
    table = report.table("score", f"Predictions of {given.first} to {given.last}", unit="nats (log loss)")
    for (market, label), part in rows.sort("market", "line_label").group_by(
        "market", "line_label", maintain_order=True
    ):
        known = part.drop_nulls("prob_over")
        if known.height:
            loss = log_loss(known["prob_over"].to_numpy(), known["y"].cast(pl.Float64).to_numpy())
            table.row(f"{market} {label}", loss, **figures(part))
    report.close()


if __name__ == "__main__":
    main()
