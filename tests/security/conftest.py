"""Fixtures of the security tests: the server that fails on demand, and what goes with it, are the net room's."""

from __future__ import annotations

from tests.net.conftest import clock, server, settings

__all__ = ["clock", "server", "settings"]
