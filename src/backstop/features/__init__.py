"""Player features as of a cutoff: counted once per day, added up, shrunken, matched up.

`tally` counts a day of pitches into sufficient statistics, `asof` is the only door to history, `build` turns
history and a slate's line-ups into one row per player.
"""
