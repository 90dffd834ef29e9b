"""Which version of each slate is served: noted before a deployment, put back when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstop import tables
from backstop.store.slates import Slates

if TYPE_CHECKING:
    import datetime as dt

    from backstop.stages.house import House


def served(house: House) -> dict[dt.date, int]:
    """Return the served version of every slate."""
    versions = {day: house.reader.slate(day).version for day in house.reader.days()}
    return {day: version for day, version in versions.items() if version is not None}


def put_back(house: House, before: dict[dt.date, int]) -> list[str]:
    """Serve the noted versions again where another is served now; return what was turned, in words.

    The lake holds what was published last, so the ledger calls such a day stale and the next run makes it again. Slates
    that were first published since have no version to go back to and stay. A version that was noted and is no longer
    kept cannot come back either: it is named.
    """
    slates, turned = Slates(house.redis), []
    for day, version in before.items():
        now = house.reader.slate(day).version
        if now == version:
            continue
        if version not in {each.version for each in slates.versions(day)}:
            turned.append(f"slate {day} stays at version {now}: version {version} is no longer kept")
            continue
        slates.rollback(day, version)
        house.ledger.stale(
            tables.PROPS.name, [day.isoformat()], reason=f"version {now} was made by a release that failed"
        )
        turned.append(f"slate {day} is served in version {version} again, not {now}")
    return turned
