"""Upstream servers for people without keys and for tests: a simulated league, or recorded games."""

from backstop.demo.league.calendar import DEMO_DAY

__all__ = ["DEMO_DAY"]
