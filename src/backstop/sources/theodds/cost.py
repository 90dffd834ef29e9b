"""What a plan costs on The Odds API, before it is run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backstop.net.item import Item
from backstop.settings import Feed


@dataclass(frozen=True)
class Estimate:
    """Credits of a plan.

    Attributes:
        requests: Paid and free requests to the feed.
        most: Credits if every market asked is returned; an empty answer costs nothing.
        by_table: Credits per table.
    """

    requests: int
    most: int
    by_table: tuple[tuple[str, int], ...]

    def sentence(self, *, left: int | None = None, floor: int = 0) -> str:
        """Say it in words, with what would remain."""
        said = f"{Feed.THEODDS.value}: {self.requests} requests, at most {self.most} credits"
        if left is None:
            return f"{said}; how many are left is not known yet."
        remain = left - self.most
        verdict = "within" if remain >= floor else "NOT within"
        return f"{said} of {left}, {verdict} the floor of {floor}."


def estimate(items: Iterable[Item]) -> Estimate:
    """Add up what the items of the paid feed cost at most; items of other feeds are left out."""
    by_table: dict[str, int] = {}
    requests = 0
    for item in items:
        if item.feed is Feed.THEODDS:
            requests += 1
            by_table[item.table] = by_table.get(item.table, 0) + item.credits
    return Estimate(requests, sum(by_table.values()), tuple(sorted(by_table.items())))
