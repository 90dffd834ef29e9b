"""Read slates from Redis in your own service, with the freshness rules of everything else that reads them.

    with Client.open("redis://127.0.0.1:6379/0") as client:
        slate = client.slate()
        if slate.state is not State.MISSING:
            print(client.top("batter_hits", limit=5).props)

`AsyncClient` has the same methods, awaited. Every answer names the version that it comes from, its age, and whether
that is fresh, stale or missing; none of it is raised as an error. docs/client.md has examples.
"""

from backstop.client.aio import AsyncClient
from backstop.client.answers import Flip, Top
from backstop.client.sync import Client
from backstop.store.views import PlayerView, SlateView, State

__all__ = ["AsyncClient", "Client", "Flip", "PlayerView", "SlateView", "State", "Top"]
