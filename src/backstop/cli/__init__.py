"""The command line: `backstop ...`."""

from backstop.cli.main import main

__all__ = ["main"]
