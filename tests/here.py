"""A stand-in for a function of the whole process, in the thread of the test alone."""

from __future__ import annotations

import threading


def only_here(patch, owner, name, stand_in):
    """Replace a function for this thread; threads that others left running, as Prefect's client does, get the real one.

    So do those of the code under test. Where that calls it in a thread of its own, give its module a name of its own instead:
    `patch.setattr(spread, "time", SimpleNamespace(sleep=press))`.
    """
    real, mine = getattr(owner, name), threading.get_ident()

    def call(*args, **kwargs):
        return (stand_in if threading.get_ident() == mine else real)(*args, **kwargs)

    patch.setattr(owner, name, call)
