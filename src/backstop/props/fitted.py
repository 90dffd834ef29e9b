"""Everything that was fitted for the model, in one value: feature parameters, ladders, calibration."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import orjson

from backstop.features import parameters as feature_parameters
from backstop.features.parameters import Parameters
from backstop.props import calibration as props_calibration
from backstop.props import ladder
from backstop.props.calibration import NOT_CALIBRATED, Calibration
from backstop.props.ladder import Ladders

META: Final = "fitted"
"""Where a slate's meta tells the fit behind it; absent where that is the shipped one."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fit of the whole model.

    Attributes:
        parameters: Of the features.
        ladders: Of runs, runs batted in, earned runs and outs.
        calibration: Platt per market.
    """

    parameters: Parameters
    ladders: Ladders
    calibration: Calibration

    @classmethod
    def shipped(cls) -> Self:
        """Return the fit that ships with the package."""
        return cls(feature_parameters.default(), ladder.default(), props_calibration.default())

    @property
    def version(self) -> str:
        """What `model_version` of a prop says."""
        return f"{self.parameters.version}+{self.calibration.version}"

    @property
    def saw(self) -> dt.date:
        """Last day that parameters or ladders were fitted on: what they say of days up to it is said in sample."""
        return max(self.parameters.last_day, self.ladders.last_day)

    def judging(self, day: dt.date) -> Self:
        """Return this fit for a day, not calibrated where the calibration saw the day or later ones."""
        return type(self)(self.parameters, self.ladders, self.calibration.or_none(day))

    def uncalibrated(self) -> Self:
        """Return this fit without its calibration."""
        return type(self)(self.parameters, self.ladders, NOT_CALIBRATED)

    def signed(self, name: str) -> Self:
        """Return this fit with a digest of its numbers behind the name of the parts that bear it.

        Two fits of the same window, of which one saw corrected or more games, are not called the same.
        """
        digest = hashlib.sha256(orjson.dumps(self.dumped())).hexdigest()[:6]
        parts = [getattr(self, part.name) for part in fields(self)]
        named = {"version": f"{name}-{digest}"}
        return type(self)(*(part.model_copy(update=named) if part.version == name else part for part in parts))

    def told(self) -> dict[str, Any]:
        """Return what a slate's meta tells of this fit; `of_meta` is the inverse."""
        return {} if self == type(self).shipped() else {META: self.dumped()}

    @classmethod
    def of_meta(cls, meta: Mapping[str, Any]) -> Self:
        """Return the fit that a slate was projected with, from its meta."""
        return cls.parse(meta[META]) if META in meta else cls.shipped()

    def dumped(self) -> dict[str, Any]:
        """Return plain values; `parse` is the inverse."""
        return {part.name: getattr(self, part.name).model_dump(mode="json") for part in fields(self)}

    @classmethod
    def parse(cls, plain: Mapping[str, Any]) -> Self:
        """Return a fit from its plain values."""
        return cls(
            Parameters.model_validate(plain["parameters"]),
            Ladders.model_validate(plain["ladders"]),
            Calibration.model_validate(plain["calibration"]),
        )
