"""What all feeds of SportRadar have in common: addresses, the key's place, refused bodies, names of players."""

from __future__ import annotations

from typing import Any

from backstop.net.item import Item, Priority, Secret
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.parsed import Intake
from backstop.sources.teams import BY_ABBREVIATION, BY_ID_SPORTRADAR

ACCESS = "trial"
"""What a path says of the key that is sent with it; `net.secrets` says `production` instead where the settings do."""
VERSION = "v8"
SOURCE = "SportRadar"


def item(table: str, key: str, feed: str, *, priority: Priority = Priority.HISTORY) -> Item:
    """Describe a request for a feed of the MLB API, e.g. `games/2025/06/15/schedule`."""
    path = f"/mlb/{ACCESS}/{VERSION}/en/{feed}.json"
    return Item(Feed.SPORTRADAR, table, key, path, secret=Secret.HEADER_X_API_KEY, credits=1, priority=priority)


def decode(body: bytes, *keys: str) -> dict[str, Any]:
    """Decode an answer that must have the given keys.

    Raises:
        UpstreamMalformed: also for `<h1>Developer Over Qps</h1>` and `<h1>596 Service Not Found</h1>`.
    """
    return jsontext.decode_object(body, *keys, source=SOURCE)


def team(block: Any) -> str | None:
    """Return the abbreviation of a team object: by its id, which never changes, else by its own abbreviation."""
    if not isinstance(block, dict):
        return None
    found = BY_ID_SPORTRADAR.get(str(block.get("id"))) or BY_ABBREVIATION.get(str(block.get("abbr")))
    return found.abbreviation if found else None


def mlbam(block: dict[str, Any], *names: str) -> int | None:
    """Return MLB's number where a later version of the feed carries one, as number or as digits."""
    for name in names:
        value = block.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if (number := jsontext.whole(value)) is not None:
            return number
    return None


def full_name(person: dict[str, Any]) -> str | None:
    """Return the name a player goes by: the full name given, else preferred first name and last name with suffix."""
    if isinstance(person.get("full_name"), str):
        return str(person["full_name"])
    first = person.get("preferred_name") or person.get("first_name")
    words = [word for word in (first, person.get("last_name"), person.get("name_suffix")) if isinstance(word, str)]
    return " ".join(words) or None


def objects(block: Any, intake: Intake) -> list[dict[str, Any]]:
    """Return the objects of a list, none when there is no list; anything else is rejected."""
    if block is not None and not isinstance(block, list):
        intake.reject(block, "type", "A list of objects was expected.")
        return []
    found = []
    for value in block or []:
        if isinstance(value, dict):
            found.append(value)
        else:
            intake.reject(value, "type", "An object was expected.")
    return found
