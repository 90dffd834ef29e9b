"""Backstop keeps player features and player-prop projections in Redis fresh, validated and traceable.

The library: rooms for the network, the feeds, identity, the lake, features, props, the store and the demo league.
It knows nothing of Prefect; the flows at the top of the repository call it.
"""

__version__ = "0.1.0"
