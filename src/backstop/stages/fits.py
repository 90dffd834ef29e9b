"""The fit that a run works with: chosen once, so that every batch and what readers are told come from the same one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import orjson

from backstop.props import refit
from backstop.props.fitted import Fitted

if TYPE_CHECKING:
    from backstop.stages.house import House

FILE: Final = "fitted.json"
"""In the run's folder, beside its features."""


def choose(house: House, day: dt.date, run_id: str) -> Fitted:
    """Choose the newest fit in the lake that saw only days before a slate's, else the shipped one.

    Raises:
        LakeError: a partition cannot be read or replaced.
    """
    return use(house, run_id, refit.latest(house.lake, day))


def use(house: House, run_id: str, fitted: Fitted) -> Fitted:
    """Make a fit that of a run, and record the numbers behind it.

    Raises:
        LakeError: a partition cannot be read or replaced.
    """
    refit.record(house.lake, fitted)
    (house.run_dir(run_id) / FILE).write_bytes(orjson.dumps(fitted.dumped()))
    return fitted


def of_run(house: House, day: dt.date, run_id: str) -> Fitted:
    """Return the fit of a run; one that built no features chooses now.

    Raises:
        LakeError: a partition cannot be read or replaced.
    """
    path = house.run_dir(run_id) / FILE
    return Fitted.parse(orjson.loads(path.read_bytes())) if path.exists() else choose(house, day, run_id)
