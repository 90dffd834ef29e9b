"""The demo upstream asked as the real feeds are: two requests at once to Savant, whose real server hangs under more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

from backstop.net import doors
from backstop.net.terms import LIVE_TERMS, Terms, terms_of
from backstop.settings import Feed, Settings


@contextlib.contextmanager
def to_savant() -> Iterator[None]:
    """Let what this process opens keep Savant's live terms, and those of a server of one's own to every other feed.

    Feeds at one address share its gate. The upstream has one address for all, so Savant gets it under another name.
    """
    found = Settings.url_of

    def url_of(settings: Settings, feed: Feed) -> str:
        url = found(settings, feed)
        return url.replace("127.0.0.1", "localhost") if feed is Feed.SAVANT else url

    def terms(feed: Feed, settings: Settings) -> Terms:
        return LIVE_TERMS[feed] if feed is Feed.SAVANT else terms_of(feed, settings)

    with mock.patch.object(Settings, "url_of", url_of), mock.patch.object(doors, "terms_of", terms):
        yield
