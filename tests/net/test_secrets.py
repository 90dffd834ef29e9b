"""The key of a paid feed reaches the wire and nothing else."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

from backstop.clock import FixedClock
from backstop.errors import UpstreamError
from backstop.net import keys
from backstop.net.archive import Archive
from backstop.net.client import Fetcher
from backstop.net.item import Item, Secret
from backstop.net.retry import RetryTerms
from backstop.net.secrets import Redactor
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until

KEY = "5ec4e7f00dcafe0123456789abcdef01"
QUICK = RetryTerms(attempts=2, first_wait_s=0.001, longest_wait_s=0.002, jitter_s=0.001)
EVENTS = Item(
    Feed.THEODDS, "core_events", "2025-06-15", "/v4/events", (("dateFormat", "iso"),), secret=Secret.QUERY_API_KEY
)
PROFILE = Item(Feed.SPORTRADAR, "core_players", "x", "/mlb/trial/v8/en/profile.json", secret=Secret.HEADER_X_API_KEY)
ECHO = f'{{"message": "bad key {KEY}", "error_code": "INVALID_KEY", "details_url": "https://x?apiKey={KEY}"}}'.encode()

FAULTS = {
    "plain": Say(b'{"ok": true}'),
    "echoed in the body": Say(b'{"you sent": "%s"}' % KEY.encode()),
    "echoed in a header": Say(headers=(("ETag", f'"{KEY}"'), ("Last-Modified", KEY))),
    "refused with the key": Say(ECHO, status=401),
    "server error with the key": Say(ECHO, status=500),
    "html with the key": Say(f"<html>{KEY}</html>".encode()),
    "redirect with the key": Say(status=302, headers=(("Location", f"/v4/events?apiKey={KEY}"),)),
    "reset": Say(reset=True),
    "cut": Say(b'{"ok": true}', cut=3),
    "longer than it says": Say(b'{"ok": true}', claim=99),
    "encoding with the key": Say(headers=(("Content-Encoding", KEY),)),
    "pause": Say(ECHO, status=429, headers=(("Retry-After", "0"),)),
}


@pytest.fixture
def keyed(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "theodds_key": Settings(theodds_key=KEY).theodds_key,
            "sportradar_key": Settings(theodds_key=KEY).theodds_key,
        }
    )


@pytest.mark.parametrize("item", [EVENTS, PROFILE], ids=["query", "header"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@on_loop
async def test_no_key_in_anything_that_is_written_logged_or_raised(
    server: FaultServer,
    keyed: Settings,
    clock: FixedClock,
    tmp_path: Path,
    redis_url: str,
    fault: Say,
    item: Item,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server.on(item.path, fault)
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    root.addHandler(handler)
    before, _ = root.level, root.setLevel(logging.DEBUG)
    said: list[bytes] = []
    redis = Redis.from_url(redis_url)
    try:
        async with Fetcher(
            keyed, clock=clock, redis=redis, archive=Archive(tmp_path / "archive"), retry_terms=QUICK
        ) as fetcher:
            for _ in range(2):
                (outcome,) = await fetcher.fetch_many([item])
                said.append(repr(outcome).encode())
                if isinstance(outcome, UpstreamError):
                    said += [pickle.dumps(outcome), "".join(traceback.format_exception(outcome)).encode()]
                    said += [repr(vars(error)).encode() for error in chain(outcome)]
                await past_the_window(fetcher, redis, keys.call(server.url, item.fingerprint))
            said.append(repr(fetcher.health()).encode())
        said.append(await dump(redis, server.url))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        await redis.aclose()
    said += [logged.getvalue().encode(), *(text.encode() for text in capfd.readouterr())]
    said += written(tmp_path)
    assert server.heard
    for heard in server.heard:
        assert heard.headers.get("x-api-key") == (KEY if item is PROFILE else None)
        assert (f"apiKey={KEY}" in heard.target) is (item is EVENTS)
    assert not [where for where in said if KEY.encode() in where]


async def past_the_window(fetcher: Fetcher, redis: Redis, key: str) -> None:
    """Wait until nothing is shared any more, so that the next request is made, conditionally where it can be."""
    await until(lambda: not fetcher._coalescer._flights)
    async with asyncio.timeout(60):
        while await redis.exists(key):  # noqa: ASYNC110 - Redis sets no event
            await asyncio.sleep(0.005)


def written(folder: Path) -> list[bytes]:
    """Every file as it is, its name, and what is inside when it is compressed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    bodies = [Archive(folder / "archive").body(path.stem) for path in files if path.suffix == ".zst"]
    return bodies + [path.read_bytes() + str(path).encode() for path in files]


def chain(error: BaseException | None) -> list[BaseException]:
    seen: list[BaseException] = []
    while error is not None:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


async def dump(redis: Redis, place: str) -> bytes:
    keys = [key async for key in redis.scan_iter(match=f"*{place}*")]
    return b"".join([key + (await redis.dump(key) or b"") for key in keys])


def test_a_redactor_takes_every_secret_out_of_text_bytes_and_headers() -> None:
    redactor = Redactor([KEY, "", "a+b/c=d-long-enough"])
    assert redactor.text(f"{KEY} and a%2Bb%2Fc%3Dd-long-enough") == "*** and ***"
    assert redactor.body(f"{KEY}{KEY}".encode()) == b"******"
    assert redactor.headers([("etag", KEY)]) == (("etag", "***"),)


def test_a_word_as_a_key_does_not_blacken_the_data() -> None:
    assert Redactor(["demo"]).body(b'{"league": "demo"}') == b'{"league": "demo"}'
    assert Redactor(["demo"]).text("?apiKey=demo") == "?apiKey=***"


def test_settings_do_not_show_their_keys() -> None:
    gc.collect()
    assert KEY not in repr(Settings(theodds_key=KEY, sportradar_key=KEY))


@pytest.mark.parametrize("access", ["trial", "production"])
@on_loop
async def test_a_production_key_asks_the_production_paths_under_the_same_name_in_the_archive(
    server: FaultServer, keyed: Settings, clock: FixedClock, tmp_path: Path, access: str
) -> None:
    page = Item(
        Feed.SPORTRADAR, "core_quotes_sportradar", "2025-06-15@0", "/oddscomparison-player-props/trial/v2/en/x.json",
        (("start", "0"),), secret=Secret.HEADER_X_API_KEY,
    )  # fmt: skip
    path = page.path.replace("trial", access)
    server.on(path, Say(b'{"ok": true}'))
    archive = Archive(tmp_path / "archive")
    settings = keyed.model_copy(update={"sportradar_access": access})
    async with Fetcher(settings, archive=archive, clock=clock, retry_terms=QUICK) as fetcher:
        await fetcher.fetch(page)
    (heard,) = server.heard
    assert heard.target == f"{path}?start=0"
    known = archive.last(page)
    assert known is not None
    assert archive.body(known.content_hash) == b'{"ok": true}'


@pytest.mark.parametrize("access", ["trial", "production"])
@pytest.mark.parametrize("version", ["v7", "v8"])
@pytest.mark.parametrize("key", ["", KEY])
@on_loop
async def test_the_mlb_feeds_are_asked_in_the_version_that_is_set_also_where_a_server_of_ones_own_adds_the_key(
    server: FaultServer, settings: Settings, clock: FixedClock, access: str, version: str, key: str
) -> None:
    secret = SecretStr(key) if key else None
    changes = {"sportradar_access": access, "sportradar_version": version, "sportradar_key": secret}
    async with Fetcher(settings.model_copy(update=changes), clock=clock, retry_terms=QUICK) as fetcher:
        await fetcher.fetch(PROFILE)
    (heard,) = server.heard
    assert heard.target == f"/mlb/{access}/{version}/en/profile.json"
    assert heard.headers.get("x-api-key") == (key or None)


@pytest.mark.parametrize("version", ["v6", "v9", "8", ""])
def test_a_version_of_sportradar_that_is_not_read_is_refused_when_settings_are_made(version: str) -> None:
    with pytest.raises(ValidationError, match="sportradar_version"):
        Settings(sportradar_version=version)
