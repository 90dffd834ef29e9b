"""Names of types, as expectations write them, against Polars types."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

# Generic names. What only pandas or a database knows (int64 as numpy's, object, VARCHAR) matches nothing here.
_FAMILIES: dict[str, Callable[[pl.DataType], bool]] = {
    "int": lambda dtype: dtype.is_integer(),
    "integer": lambda dtype: dtype.is_integer(),
    "float": lambda dtype: dtype.is_float(),
    "str": lambda dtype: dtype == pl.String,
    "bool": lambda dtype: dtype == pl.Boolean,
    "bytes": lambda dtype: dtype == pl.Binary,
    "datetime64": lambda dtype: dtype == pl.Datetime,
    "timedelta": lambda dtype: dtype == pl.Duration,
    "dict": lambda dtype: dtype == pl.Struct,
}


def is_type(dtype: pl.DataType, name: str) -> bool:
    """Return whether a type has a name.

    Args:
        dtype: Type of a column.
        name: A Polars name with or without its parameters and in any case ("Int64", "pl.String", "datetime",
            "Datetime(time_unit='us', time_zone=None)"), an alias of Polars ("Utf8"), or a generic name ("int", "str").
    """
    wanted = name.strip().removeprefix("pl.").lower()
    if wanted in (str(dtype).lower(), repr(dtype).lower(), type(dtype).__name__.lower()):
        return True
    aliased = getattr(pl, name.strip().removeprefix("pl."), None)
    if isinstance(aliased, type) and issubclass(aliased, pl.DataType):
        return dtype == aliased
    family = _FAMILIES.get(wanted)
    return family is not None and family(dtype)
