"""What docs/claims.md says, in its order: which rows of which benchmark each statement rests on."""

from __future__ import annotations

from benchmarks.claim import Claim, Drift, Said

ONE, PIPELINE = "one SET at a time, JSON object", "redis-py pipeline of 500 SETs, JSON object"
LOADED, READABLE = "Backstop", "Backstop, published: loaded, counted, read back, flipped"
LIMIT = "redis-benchmark, our HSETs ready-made, -P 16"
EACH = "redis-benchmark, an HSET per player, -P 500"
REPLAY = "every byte of our load ready-made, one plain socket"
FLOW, TURN, BATCHES = "the flow slate-refresh", "one by one", "batches, one after another"
ENGINE, SOCKETS, HTTPX = "engine + Redis + archive", "httpx on our sockets", "bare httpx"
CACHE, DICT = "Backstop's cache", "JSON a key, decoded into a dict"
PANDAS, SELECT = "GX + pandas (numpy)", "hand-written select"
STAGE, THREADS = "Backstop, fetch stage", "pybaseball, threads"

LESS_TIME = Said("70 % less time", times=1 / (1 - 0.7))
FASTER = Said("5 to 10 times faster writes", times=5)
HALF = Said("half the memory", times=2)
HITS = Said("over 85 %", figure=85)
UP = Said("99.9 %", figure=99.9)
NO_LOSS = "zero data loss"

REPLACED = (
    Claim("a day from an empty home, same steps, same rows, 25 requests at once", "replaced", "processing", FLOW, TURN, LESS_TIME, readme=True, percent=True),
    Claim("the same with two requests at once to Savant, as to the real one", "replaced", "live", FLOW, TURN, LESS_TIME, readme=True, percent=True),
    Claim("box scores in batches of 50, 25 at once", "fetch_stage", "batches", "the fetch stage", "httpx, one request at a time", LESS_TIME, readme=True, percent=True),
    Claim("props into Redis, readable at the end", "redis_load", "load_props", READABLE, ONE, FASTER, readme=True),
    Claim("features into Redis, readable at the end", "redis_load", "load_features", READABLE, ONE, FASTER, readme=True),
    Claim("memory of a slate: Redis and one process that reads them, interpreter and libraries included", "cache", "whole", CACHE, DICT, HALF, readme=True),
    Claim("share of reads that the cache's first level answers: 500 players, the first 1,000 reads", "cache", "rates", "cold, first 1,000 reads", None, HITS, readme=True),
    Claim("the same when all 500 have been read", "cache", "rates", "after warm-up", None, HITS),
    Claim("the same, the first 500 reads after each flip, which reprices a tenth of the players", "cache", "rates", "the first 500 reads after each flip, a tenth of the players repriced", None, HITS, readme=True),
    Claim("the same, the 30 s from each such flip on", "cache", "rates", "30 s from each flip on, a tenth of the players repriced", None, HITS),
    Claim("the same where the first level holds half of the players' rows", "cache", "rates", "room for half of the players", None, HITS, readme=True),
    Claim("the same where it holds a tenth", "cache", "rates", "room for a tenth of the players", None, HITS, readme=True),
    Claim("props of 50 players generated and priced over HTTP, first after a flip", "api", "generation", "after a flip", None, Said("under 2 s", figure=2000), readme=True),
    Claim("props generated, by the kernel of every slate", "props_kernel", "kernel", "NumPy, whole distributions", "Python, row by row", Said("300 a second", figure=300 / 1e6), readme=True),
    Claim("reads answered in an hour of which every feed is down for 30 minutes on end", "availability", "reads", "Backstop: answered", None, UP, readme=True),
    Claim("the same with a restart of Redis and one of the API in it, read over HTTP", "availability", "restarts", "answered", None, UP, readme=True),
    Claim("seasons of 1 to 3 days under faults after which no row is lost and no slate differs; Redis rebuilt from the lake where it lost all, a run that failed repeated up to 4 times", "chaos", "seeds", "held", None, Said(NO_LOSS, none="failed"), readme=True),
    Claim("damaged answers of feeds that are read with every row accounted for, or refused by name", "fuzz", "answers", "no crash", None, Said(NO_LOSS, none="crash")),
)  # fmt: skip
"""Statements of the system that Backstop replaces, which gave no measurement for any of them."""

PLAIN = (
    Claim("a day from an empty home, the flow beside its batches in turn without Prefect", "replaced", "processing", FLOW, BATCHES, readme=True),
    Claim("the same with two requests at once to Savant", "replaced", "live", FLOW, BATCHES),
    Claim("1,000 items at 50 ms (one at a time fewer, scaled up)", "fetch_engine", "widths", "engine, gate from 10 to 25", "httpx, one at a time"),
    Claim("1,000 items at 50 ms, beside as many at once", "fetch_engine", "widths", "engine, gate from 10 to 25", "httpx, 25 at once", readme=True),
    Claim("processor time of a request, Redis gate and archive included", "fetch_engine", "overhead", ENGINE, SOCKETS, readme=True),
    Claim("the same, beside httpx as it comes", "fetch_engine", "overhead", ENGINE, HTTPX),
    Claim("wall time of the same, 25 at once, no latency", "fetch_engine", "wall", ENGINE, SOCKETS),
    Claim("the same, beside httpx as it comes", "fetch_engine", "wall", ENGINE, HTTPX),
    Claim("props into Redis, readable at the end", "redis_load", "load_props", READABLE, PIPELINE, readme=True),
    Claim("features into Redis, readable at the end", "redis_load", "load_features", READABLE, PIPELINE),
    Claim("rows of a slate in a process: ours encoded, decoded at each read", "cache", "memory", "L1, every player's rows", "dict of decoded JSON objects"),
    Claim("the same with all that an API process holds of them: rows, frame, Polars at work", "cache", "memory", "all of it in one process", "dict of decoded JSON objects", readme=True),
    Claim("reads answered in an hour of which every feed is down for 30 minutes on end", "availability", "reads", "Backstop: answered", "a plain SET of the last good answer: answered"),
    Claim("reads answered in it that are fresh, or stale and say so", "availability", "reads", "Backstop: fresh, or stale and told so", "a plain SET of the last good answer: fresh", readme=True),
    Claim("what Prefect adds to a slate of 30 batches", "orchestration", "slate", "the tasks, inside the flow", "the functions under plain asyncio", readme=True),
    Claim("the same with beginning and ending the flow run", "orchestration", "slate", "the tasks, the whole call of the flow", "the functions under plain asyncio", readme=True),
)  # fmt: skip
"""Beside what one would write without Backstop."""

PEERS = (
    Claim("a month of pitches at 200 ms, into one frame, 25 requests at once", "pybaseball_fetch", "calm", STAGE, THREADS, readme=True),
    Claim("the same with two requests at once, as to the real Savant", "pybaseball_fetch", "live", STAGE, THREADS, readme=True),
    *(
        Claim(f"{kind} into the same Redis, readable at the end", "redis_load", f"load_{kind}", READABLE, "Feast", readme=True)
        for kind in ("props", "features")
    ),
    *(
        Claim(f"{kind} of {many} read, decoded", "redis_load", f"peer_reads_{kind}", f"Backstop, {many}", f"Feast, {many}", readme=kind == "features")
        for kind in ("props", "features") for many in ("one player", "50 players")
    ),
    *(
        Claim(f"bytes of a row of {kind} in Redis", "redis_load", f"bytes_{kind}", READABLE, "Feast", readme=True)
        for kind in ("props", "features")
    ),
    *(
        Claim(f"{kind} loaded, not yet published, beside {what}", "redis_load", f"load_{kind}", LOADED, limit, readme=True)
        for kind in ("props", "features") for what, limit in (
            ("the server's own limit", LIMIT), ("the limit of a command per player", EACH), ("its own bytes sent ready-made", REPLAY),
        )
    ),
    *(
        Claim(f"{rows:,} rows validated, 26 checks", "gx_polars", f"clean_{rows}", "gx_polars.validate", peer, readme=rows == 1_000_000 and peer in (PANDAS, SELECT))
        for rows in (50, 1_000_000)
        for peer in (PANDAS, "pandera", "pointblank", "dataframely", SELECT)
    ),
    *(
        Claim(f"{rows:,} rows through a ValidationDefinition", "gx_polars", f"clean_{rows}", "GX + gx_polars, ValidationDefinition", PANDAS)
        for rows in (50, 1_000_000)
    ),
)  # fmt: skip
"""Beside the tools that people use."""

ALONE = (
    Claim("reads that are fresh in an hour of which every feed is down for 30 minutes on end", "availability", "reads", "Backstop: fresh"),
    Claim("reads that are stale in it, and say so", "availability", "reads", "Backstop: stale, and told so"),
    Claim("reads that are not answered in it", "availability", "reads", "Backstop: not answered"),
    Claim("reads of the plain SET in it that are stale without a word", "availability", "reads", "a plain SET of the last good answer: stale, not told"),
    Claim("Redis killed with -9 and started again: longest time from one answered read to the next", "availability", "gaps", "Redis restarted, read by the client"),
    Claim("the same, read over HTTP", "availability", "gaps", "Redis restarted, read over HTTP"),
    Claim("the API killed with -9 and started again: the same, over HTTP", "availability", "gaps", "the API restarted, read over HTTP"),
    Claim("a slate's rows of props from its features: 300 players, every market, calibrated, with fair prices", "props_kernel", "rows", "generate"),
    Claim("a slate priced again: 300 players, 14 markets, 10 books", "props_kernel", "slate", "price"),
    Claim("two books joined, de-vigged, EV, Kelly, Parquet", "props_kernel", "quotes", "price and write"),
    Claim("May to July 2025 walked through, lake to predictions", "props_kernel", "walk", "walk"),
    Claim("branches of the code that the tests take", "coverage", "branches", "everything"),
    Claim("memory that 1,000 task runs leave while their flow runs", "orchestration", "memory", "more while the flow runs"),
    Claim("memory that is left when two such flows are over", "orchestration", "memory", "more when two such flows are over"),
    Drift("memory of a process that backfills 180 days", "backfill", "flat", "after the last day", "after the first quarter of the days", peak="at the highest"),
    Claim("a day that is complete, in a backfill of 180", "backfill", "backfill", "a day that is complete, the whole run over its days"),
    Claim("30 days of the demo league made up: games, pitches, plays, box scores", "demo_league", "month", "generated"),
    Claim("a cached read over HTTP at 500 a second", "api", "cached", "a read"),
    Claim("a version from its flip to one of 500 WebSockets", "api", "live", "a version"),
    Claim("a version from its flip to a process's readers", "cache", "flip", "hot keys read again before"),
    Claim("the same when the line that it is heard on was just cut", "cache", "flip", "the line that it is heard on just cut"),
)  # fmt: skip
"""Figures that stand for themselves."""

CLAIMS = (*REPLACED, *PLAIN, *PEERS, *ALONE)
