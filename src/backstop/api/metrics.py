"""The metrics that Prometheus scrapes: all of the API process, each declared once with its unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backstop import __version__

if TYPE_CHECKING:
    from backstop.api.dues import Dues
    from backstop.api.feeds import Feeds
    from backstop.api.generation import Generator
    from backstop.api.limit import Limit
    from backstop.api.live import Hub
    from backstop.cache.cache import Cache

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Bounds that hold the promises: 20 ms for a cached read, 2 s for a generation."""


class Metrics:
    """The metrics of one app.

    Args:
        rooms: Read when Prometheus asks.
    """

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "backstop_http_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "backstop_http_request_seconds",
            "Time to the first byte.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("backstop_http_in_flight", "Requests being answered.", registry=self.registry)
        self.generation = Histogram(
            "backstop_generation_seconds",
            "Time to generate and price props, with the wait for a turn.",
            buckets=SECONDS,
            registry=self.registry,
        )
        rooms.generator.timed.append(self.generation.observe)
        version = Gauge(
            "backstop_build_info", "Always 1; the label says the version.", ["version"], registry=self.registry
        )
        version.labels(__version__).set(1)
        self.registry.register(rooms)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class Rooms(Collector):
    """Reads the counters that the rooms keep by themselves."""

    def __init__(self, cache: Cache, hub: Hub, generator: Generator, limit: Limit, feeds: Feeds, dues: Dues) -> None:
        self.cache, self.hub, self.generator, self.limit = cache, hub, generator, limit
        self.feeds, self.dues = feeds, dues

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._cache()
        yield from self._slates()
        yield from self._dues()
        yield from self._feeds()
        hub = self.hub.counts
        yield _gauge("backstop_live_clients", "Open WebSockets.", self.hub.clients)
        yield _counter("backstop_live_messages", "Messages sent to WebSockets.", hub.sent)
        yield _counter("backstop_live_dropped", "WebSockets closed because they were too slow.", hub.dropped)
        yield _counter("backstop_live_resumed", "WebSockets that went on where they were cut.", hub.resumed)
        yield _counter("backstop_generations", "Generations of props on demand.", self.generator.done)
        yield _counter("backstop_http_limited", "Requests refused by the limit.", self.limit.refused)

    def _cache(self) -> Iterator[Metric]:
        told = figures(self.cache)
        hits = CounterMetricFamily("backstop_cache_hits", "Reads answered by a level.", labels=["level", "namespace"])
        misses = CounterMetricFamily(
            "backstop_cache_misses", "Reads not answered by a level.", labels=["level", "namespace"]
        )
        for namespace, each in told["l1"]["namespaces"].items():
            hits.add_metric(["l1", namespace], each["hits"])
            misses.add_metric(["l1", namespace], each["misses"])
        hits.add_metric(["l2", "all"], told["l2"]["hits"])
        misses.add_metric(["l2", "all"], told["l2"]["misses"])
        yield hits
        yield misses
        yield _gauge("backstop_cache_bytes", "Bytes in the first level.", told["l1"]["bytes"])
        yield _gauge(
            "backstop_cache_bound_bytes", "Bytes that the first level may take now.", told["l1"]["bound_bytes"]
        )
        yield _gauge("backstop_cache_entries", "Entries in the first level.", told["l1"]["entries"])
        yield _gauge("backstop_cache_pressure", "0 calm, 1 high, 2 critical.", told["l1"]["pressure"])
        yield _gauge("backstop_cache_oldest_seconds", "Age of the oldest entry.", told["l1"]["oldest_s"])
        yield _counter("backstop_cache_evictions", "Entries pushed out by newer ones.", told["l1"]["evicted"])
        yield _counter("backstop_cache_expired", "Reads of entries past their lifetime.", told["l1"]["expired"])
        yield _counter("backstop_cache_carried", "Entries read again at a flip.", told["carried"])
        yield _counter("backstop_cache_joined", "Reads that waited for another's load.", told["joined"])
        yield _counter("backstop_cache_retried", "Reads that a flip overtook.", told["retried"])
        yield _counter("backstop_cache_pushes", "Announcements heard.", told["pointers"]["heard"])
        yield _counter("backstop_cache_turns", "Flips and rollbacks seen.", told["pointers"]["turns"])
        yield _counter(
            "backstop_cache_refused_pointers", "Pointers older than one served.", told["pointers"]["refused"]
        )
        yield _gauge("backstop_redis_up", "Whether Redis answers.", int(self.cache.line.up))
        yield _counter("backstop_redis_losses", "Times that Redis stopped answering.", self.cache.line.losses)

    def _slates(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("backstop_slate_age_seconds", "Seconds since a slate was published.", labels=["slate"])
        fresh = GaugeMetricFamily("backstop_slate_fresh", "1 while a slate is fresh.", labels=["slate"])
        version = GaugeMetricFamily("backstop_slate_version", "Version served of a slate.", labels=["slate"])
        # yesterday's and older slates are not repriced: their age says nothing
        for day in self.cache.pointers.followed()[-1:]:
            pointer = self.cache.pointers.known(day)
            if pointer is not None:
                freshness = self.cache.pointers.freshness(pointer)
                age.add_metric([str(day)], freshness.age_s)
                fresh.add_metric([str(day)], int(freshness.state.value == "fresh"))
                version.add_metric([str(day)], pointer.version)
        yield from (age, fresh, version)

    def _dues(self) -> Iterator[Metric]:
        slate = GaugeMetricFamily(
            "backstop_slate_overdue", "1 while readers of today's slate are owed a newer one.", labels=["slate"]
        )
        schedule = GaugeMetricFamily(
            "backstop_schedule_overdue", "1 while today's schedule should have been asked for and was not."
        )
        short = GaugeMetricFamily("backstop_credits_short", "1 while credits do not cover today's prices once.")
        known = GaugeMetricFamily(
            "backstop_due_known_timestamp_seconds", "When ledger, lake and Redis last told what is due."
        )
        if (found := self.dues.last) is not None:
            slate.add_metric([str(found.day)], int(bool(found.slate)))
            schedule.add_metric([], int(bool(found.schedule)))
            short.add_metric([], int(bool(found.credits)))
        if self.dues.overdue is not None:
            known.add_metric([], self.dues.looked_at.timestamp())
        yield from (slate, schedule, short, known)

    def _feeds(self) -> Iterator[Metric]:
        shut = GaugeMetricFamily("backstop_feed_breaker_open", "1 while a feed is left alone.", labels=["feed"])
        width = GaugeMetricFamily("backstop_feed_gate_width", "Requests that may be in flight now.", labels=["feed"])
        spare = GaugeMetricFamily("backstop_feed_credits_left", "Credits of a paid feed.", labels=["feed"])
        last = GaugeMetricFamily(
            "backstop_feed_last_success_timestamp_seconds", "When a feed last answered rightly.", labels=["feed"]
        )
        for feed in self.feeds.last:
            shut.add_metric([feed["feed"]], int(feed["breaker"] != "closed"))
            width.add_metric([feed["feed"]], feed["gate_width"])
            if feed["credits_left"] is not None:
                spare.add_metric([feed["feed"]], feed["credits_left"])
            if feed["last_success_at"] is not None:
                last.add_metric([feed["feed"]], feed["last_success_at"].timestamp())
        yield from (shut, width, spare, last)


def figures(cache: Cache) -> dict[str, Any]:
    """Return the counters of a cache; the levels apart, a hit of the second being a miss of the first."""
    memory, shared = cache.memory, cache.loads.shared.counts
    namespaces: dict[str, dict[str, int]] = {}
    for name in {*cache.hits, *cache.misses}:
        each = namespaces.setdefault(cache.namespace_of(name).label, {"hits": 0, "misses": 0})
        each["hits"] += cache.hits[name]
        each["misses"] += cache.misses[name]
    hits, misses = sum(cache.hits.values()), sum(cache.misses.values())
    ages = list(memory.ages())
    return {
        "l1": {
            "hits": hits,
            "misses": misses,
            "hit_rate": hits / (hits + misses) if hits + misses else None,
            "bytes": memory.bytes,
            "bound_bytes": memory.bound,
            "entries": len(memory),
            "evicted": memory.counts.evicted,
            "expired": memory.counts.expired,
            "too_large": memory.counts.refused,
            "pressure": int(memory.level),
            "oldest_s": max(ages, default=0.0),
            "mean_age_s": sum(ages) / len(ages) if ages else 0.0,
            "namespaces": namespaces,
        },
        "l2": {
            "hits": shared.hits,
            "misses": shared.misses,
            "hit_rate": shared.hits / (shared.hits + shared.misses) if shared.hits + shared.misses else None,
            "stored": shared.stored,
            "failed": shared.failed,
            "bytes_read": shared.bytes_read,
            "bytes_written": shared.bytes_written,
        },
        "loads": sum(cache.loads.made.values()),
        "joined": cache.loads.joined,
        "carried": cache.carried,
        "retried": cache.retried,
        "pointers": {
            "heard": cache.pointers.counts.heard,
            "turns": cache.pointers.counts.turns,
            "polls": cache.pointers.counts.polls,
            "resubscribed": cache.pointers.counts.resubscribed,
            "refused": cache.pointers.counts.refused,
            "followed": len(cache.pointers.followed()),
        },
    }


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
