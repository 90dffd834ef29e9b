"""The conditions of Great Expectations' map expectations, each one Polars expression; importing registers them."""

from gx_polars.conditions import across, order, parse, presence, ranges, text, types
