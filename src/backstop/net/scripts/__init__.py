"""Lua scripts, one per multi-step operation; Redis runs each as a whole.

Times are milliseconds of the server's clock. Where a script takes `now`, an empty string means that clock: tests pass
their own. Every key that is written gets a lifetime.
"""

from backstop.net.scripts.breaker import ASK, GIVE_UP, REPORT
from backstop.net.scripts.calls import CLAIM, FINISH, HOLD
from backstop.net.scripts.counts import ADD
from backstop.net.scripts.credits import RESERVE, SETTLE
from backstop.net.scripts.gate import LEASE, LEAVE, PACE

__all__ = ["ADD", "ASK", "CLAIM", "FINISH", "GIVE_UP", "HOLD", "LEASE", "LEAVE", "PACE", "REPORT", "RESERVE", "SETTLE"]
