"""Props made now: features from Redis, quotes from the lake, in batches of 50 players, beside the event loop."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backstop import tables
from backstop.api import parameters as ask
from backstop.api.answers import Seen, answer
from backstop.api.generated import Generated, Started
from backstop.api.problems import Problem, retry_after
from backstop.api.responses import refusals
from backstop.api.sheet import spelled
from backstop.batches import batched
from backstop.cache.namespaces import Collection, Namespace
from backstop.cache.slates import Frame
from backstop.clock import baseball_day
from backstop.features.build import SCHEMA
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.price import price
from backstop.stages.project import projectable
from backstop.store.kinds import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backstop.api.desk import Desk
    from backstop.api.parts import Parts, Run
    from backstop.cache.pointer import Pointer

QUOTES: Final = "odds.quotes"
AT_ONCE: Final = 2
"""Generations at a time: each keeps one core busy."""

WAITING: Final = 16
"""Generations that may wait for their turn: at a tenth of a second each the last one is done within a second."""

LONGEST_WAIT_S: Final = 300.0
"""A refresh of a slate takes a minute or two."""

KEY_HOLDS_S: Final = 300
"""Two requests for a refresh of the same version within this time start one run."""


@dataclass
class Generator:
    """Makes props of a slate's players.

    Attributes:
        desk: Reads the slate.
        parts: Gives the quotes.
        done: Generations since the start.
        timed: Told the seconds that each took, its wait for a turn included.
    """

    desk: Desk
    parts: Parts
    done: int = 0
    timed: list[Callable[[float], None]] = field(default_factory=list)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _inside: int = 0

    def __post_init__(self) -> None:
        self.desk.cache.add(Collection(QUOTES, Namespace.ODDS, self._load_quotes, carried=False))

    async def make(self, seen: Seen, most: int) -> Made:
        """Generate and price the props of up to so many players.

        Raises:
            Problem: too many generations are waiting.
            StoreError: the features are not cached and Redis does not answer.
        """
        if self._inside >= AT_ONCE + WAITING:
            raise Problem(
                503,
                f"{self._inside} generations are under way already, as many as may be; ask again in a moment.",
                kind="busy",
                headers=retry_after(1),
            )
        self._inside += 1
        try:
            began = time.perf_counter()
            features = await self.desk.slates.frame(seen.pointer, FEATURES.name)
            refuse_other_features(seen.pointer, features)
            quotes = await self.quotes(seen.pointer)
            sheet = (await self.desk.sheet(seen.pointer)).frame
            fitted = Fitted.of_meta((await self.desk.slates.about(seen.pointer)).meta)
            read = time.perf_counter()
            async with self._turns:
                made = await asyncio.to_thread(_make, features, quotes, sheet, fitted, most)
        finally:
            self._inside -= 1
        self.done += 1
        for listener in self.timed:
            listener(time.perf_counter() - began)
        made.read_ms = (read - began) * 1000
        return made

    async def quotes(self, pointer: Pointer) -> pl.DataFrame:
        """Return the quotes that a version's day has in the lake."""
        frame: Frame = await self.desk.cache.get(QUOTES, pointer)
        return frame.rows

    async def _load_quotes(self, pointer: Pointer, names: Sequence[str]) -> list[Frame]:
        return [Frame(await asyncio.to_thread(self.parts.quotes, pointer.day))] * len(names)


@dataclass
class Made:
    """What a generation made, and how long each part took."""

    props: pl.DataFrame
    rows: list[bytes]
    players: int
    players_in_slate: int
    batches: int
    quotes: int
    generate_ms: float
    encode_ms: float
    read_ms: float = 0.0


def _make(features: pl.DataFrame, quotes: pl.DataFrame, sheet: pl.DataFrame, fitted: Fitted, most: int) -> Made:
    began = time.perf_counter()
    chosen = choose(features, sheet, most)
    parts, batches, quoted_rows = [], 0, 0
    for batch in batched(chosen):
        rows = projectable(features.filter(pl.col("player_id_mlbam").is_in(batch)))
        quoted = quotes.filter(pl.col("player_id_mlbam").is_in(batch))
        parts.append(price(generate(rows, lines=quoted, fitted=fitted), quoted))
        batches += 1
        quoted_rows += quoted.height
    props = pl.concat(parts) if parts else tables.PROPS.empty()
    generated = time.perf_counter()
    rows_ready = spelled(props)
    encoded = time.perf_counter()
    everybody = features.get_column("player_id_mlbam").n_unique() if features.width else 0
    return Made(
        props, rows_ready, len(chosen), everybody, batches, quoted_rows,
        (generated - began) * 1000, (encoded - generated) * 1000,
    )  # fmt: skip


def lacking(features: pl.DataFrame) -> list[str]:
    """Return the columns that the model needs and a version's features have not."""
    return [name for name in SCHEMA if name not in features.columns] if features.width else []


def refuse_other_features(pointer: Pointer, features: pl.DataFrame) -> None:
    """Refuse features that were built by another release than the one that would project from them.

    Raises:
        Problem: they are.
    """
    if missing := lacking(features):
        raise Problem(
            409,
            f"The features of version {pointer.version} of {pointer.day} were built by another release: they lack "
            f"{', '.join(missing[:5])}. Refresh the day, for example with force_refresh=true.",
            kind="other-features",
        )


def choose(features: pl.DataFrame, sheet: pl.DataFrame, most: int) -> list[int]:
    """Return up to so many players of a slate: those with the best props first, then the others by id."""
    if not features.width:
        return []
    everybody = features.get_column("player_id_mlbam").unique().sort().to_list()
    best = sheet.get_column("player_id_mlbam").unique(maintain_order=True).to_list() if sheet.width else []
    known = set(everybody)
    chosen = [player for player in best if player in known]
    placed = set(chosen)
    return [*chosen, *(player for player in everybody if player not in placed)][:most]


def routes(desk: Desk, generator: Generator, parts: Parts) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/api/v1/optimized/baseball-savant", tags=["generation"])

    @router.post(
        "/generate-props",
        responses={
            200: {"model": Generated},
            202: {"model": Started, "headers": {"Location": {"schema": {"type": "string"}}}},
            **refusals(404, 409, 422, 503),
        },
        response_class=Response,
    )
    async def generate_props(
        request: Request,
        max_players: Annotated[
            int, Query(ge=1, le=2000, description="Players at most, in batches of 50."), ask.WHOLE
        ] = 50,
        force_refresh: Annotated[bool, Query(description="Fetch everything that is missing first, by a run.")] = False,
        wait_s: Annotated[
            float, Query(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False, description="Seconds to wait for that run.")
        ] = 0.0,
        date: ask.SomeDay = None,
        idempotency_key: ask.IdempotencyKey = None,
    ) -> Response:
        """Generate and price the props of the slate's players now, from the features that Redis serves."""
        run: Run | None = None
        day = date or await (_to_refresh(desk, parts) if force_refresh else desk.latest())
        if force_refresh:
            run, key = await _refresh(desk, parts, day, idempotency_key, wait_s)
            if not run.over:
                return _under_way(run, day, key)
            _require_good(run, day)
            await desk.cache.pointers.look([day])
        found = await desk.cache.read(day, lambda pointer: _generated(desk, generator, pointer, max_players, run))
        if found is None:
            raise await desk.no_slate(day)
        seen, body = desk.seen(found[0]), found[1]
        return await answer(request, seen.opening() + body, headers={**seen.headers(), "Cache-Control": "no-store"})

    return router


def _under_way(run: Run, day: dt.date, key: str) -> Response:
    """Return the answer while a refresh is under way: where it can be looked at, and when to come back."""
    started = {"id": run.id, "url": run.url, "state": run.state, "date": day, "idempotency_key": key}
    headers = {"Location": run.url, "Cache-Control": "no-store", "Retry-After": "10"}
    return Response(orjson.dumps(started), 202, headers=headers, media_type="application/json")


def _require_good(run: Run, day: dt.date) -> None:
    """Refuse to answer from the slate before a refresh that failed."""
    if run.good:
        return
    raise Problem(
        503,
        f"The refresh of {day} ended as {run.state}; its page {run.url} says why. "
        "Without force_refresh the slate before it is served.",
        kind="refresh-failed",
        headers=retry_after(60),
    )


async def _to_refresh(desk: Desk, parts: Parts) -> dt.date:
    """Return the latest published day; before anything was published, the baseball day that it is."""
    days = await desk.slates.days()
    return days[-1] if days else baseball_day(parts.clock.now())


async def _refresh(desk: Desk, parts: Parts, day: dt.date, key: str | None, wait_s: float) -> tuple[Run, str]:
    """Start a run, or find the one that was started for the same reason, and wait for it."""
    if parts.refresher is None:
        raise Problem(
            409,
            "No Prefect server is known here, so a refresh cannot be started. Set PREFECT_API_URL for the API, or "
            f"run `backstop refresh {day}`.",
            kind="no-prefect",
        )
    pointer = await desk.cache.pointers.pointer(day)
    window = int(parts.clock.now().timestamp() // KEY_HOLDS_S)
    turn = 0 if pointer is None else pointer.turn
    # a caller's key stands for one day: with another it must not find the run of the first
    start_key = f"{day}-{key}" if key else f"api-refresh-{day}-{turn}-{window}"
    run = await parts.refresher.start(day, start_key)
    if wait_s and not run.over:
        run = await parts.refresher.wait(run, wait_s)
    return run, key or start_key


async def _generated(desk: Desk, generator: Generator, pointer: Pointer, most: int, run: Run | None) -> bytes:
    began = time.perf_counter()
    seen = desk.seen(pointer)
    about = await desk.slates.about(pointer)
    made = await generator.make(seen, most)
    priced = made.props.get_column("books").gt(0).sum() if made.props.height else 0
    versions = made.props.get_column("model_version").head(1).to_list()
    document: dict[str, Any] = {
        "date": pointer.day,
        "version": pointer.version,
        "features_as_of": about.cutoff,
        "generated_at": generator.parts.clock.now(),
        "model_version": versions[0] if versions else None,
        "refresh": None if run is None else {"id": run.id, "url": run.url, "state": run.state},
        "counts": {
            "players": made.players,
            "players_in_slate": made.players_in_slate,
            "batches": made.batches,
            "props": made.props.height,
            "priced": priced,
            "quotes": made.quotes,
        },
        "timing": {
            "read_ms": round(made.read_ms, 2),
            "generate_ms": round(made.generate_ms, 2),
            "encode_ms": round(made.encode_ms, 2),
            "total_ms": round((time.perf_counter() - began) * 1000, 2),
        },
    }
    return orjson.dumps(document)[1:-1] + b',"props":[' + b",".join(made.rows) + b"]}"
