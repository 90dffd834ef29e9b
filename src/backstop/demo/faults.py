"""Faults injected between a feed and us, on demand and reproducible from a seed.

A rule says for a feed which fault strikes which share of its requests. Whether it strikes is drawn from the seed, the
request itself and how often that very request came before, so the order in which requests arrive changes nothing; and
after `in_a_row` faults a request is left in peace, so that whoever asks again gets through.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from backstop.clock import parse_day
from backstop.demo.account import MONTHLY_CREDITS
from backstop.demo.rows import RowFaults
from backstop.errors import UsageError
from backstop.settings import Feed


class Fault(StrEnum):
    """Ways in which a request can go wrong."""

    SLOW = "slow"
    """The answer comes late, but whole."""

    RATE_LIMITED = "429"
    """Status 429 with `Retry-After`, in seconds or as a date."""

    ERROR = "500"
    """Status 500 in the feed's own words."""

    UNAVAILABLE = "503"
    """Status 503, 502 or 524, often as the page of a proxy."""

    RESET = "reset"
    """The connection is reset before a byte of the answer."""

    CUT_OFF = "cut-off"
    """The connection is reset in the middle of the body."""

    SHORTENED = "shortened"
    """The body ends early and its length says so: HTTP sees nothing wrong."""

    WRONG_LENGTH = "wrong-length"
    """`Content-Length` is shorter than the body that follows."""

    HTML = "html"
    """Status 200 with a web page instead of data."""

    EMPTY = "empty"
    """Status 200 and not a byte."""

    DRIP = "drip"
    """The body comes in small pieces with pauses between them."""

    ERROR_COLUMN = "error-column"
    """Savant's time-out: status 200, a table with the column `error`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How often a fault strikes a feed.

    Attributes:
        feed: A `Feed`, or `*` for all.
        fault: What happens.
        share: Share of requests, 0 to 1.
        in_a_row: How often one and the same request is struck at most.
        seconds: Of `Retry-After`, of a late answer, of a whole dripping body.
    """

    feed: str
    fault: Fault
    share: float
    in_a_row: int = 2
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of requests that all fail: of every `every` requests of a feed the last `length` are answered 503."""

    feed: str
    every: int
    length: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named set of faults.

    Attributes:
        name: How it is asked for.
        rules: Faults of single requests; the first that strikes counts.
        bursts: Stretches in which a feed is down.
        rows: Faults in the content of pitch answers.
        credits: What The Odds API's account holds.
        rate_limit: Whether SportRadar's trial limit of one request a second holds.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    bursts: tuple[Burst, ...] = ()
    rows: RowFaults = field(default_factory=RowFaults)
    credits: int = MONTHLY_CREDITS
    rate_limit: bool = False


CALM: Final = Scenario("calm")
STORM: Final = Scenario(
    "storm",
    rules=(
        Rule("*", Fault.RATE_LIMITED, 0.03, seconds=1),
        Rule("*", Fault.ERROR, 0.02),
        Rule("*", Fault.UNAVAILABLE, 0.03),
        Rule("*", Fault.RESET, 0.03),
        Rule("*", Fault.CUT_OFF, 0.02),
        Rule("*", Fault.SHORTENED, 0.02),
        Rule("*", Fault.WRONG_LENGTH, 0.02),
        Rule("*", Fault.HTML, 0.03),
        Rule("*", Fault.EMPTY, 0.01),
        Rule("*", Fault.DRIP, 0.03, seconds=1.5),
        Rule("savant", Fault.ERROR_COLUMN, 0.04),
        Rule("*", Fault.SLOW, 0.05, seconds=0.8),
    ),
    bursts=(Burst("savant", every=60, length=6), Burst("statsapi", every=90, length=5)),
    rows=RowFaults(duplicates=0.002, impossible=0.001, drift=True),
)
SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        CALM,
        STORM,
        Scenario("broke", credits=40),
        Scenario("revised", rows=RowFaults(revised=True)),
        Scenario("drift", rows=RowFaults(drift=True)),
        Scenario("down", rules=tuple(Rule(feed, Fault.UNAVAILABLE, 1.0, in_a_row=10**9) for feed in Feed)),
        Scenario("trial", rate_limit=True),
    )
}
"""Scenarios by name. Under `down` every feed is away; one alone is sent away with `savant:503=1x1000`."""

_ROWS: Final = re.compile(
    r"rows:(row-cap=[1-9]\d*|(duplicates|impossible)=(0?\.\d+|[01])|(drift|revised)(=\d{4}-\d\d-\d\d)?|era-2020|shuffled)"
)
_SINCE: Final = {"drift": "drifts_from", "revised": "revised_from"}
_RULE: Final = re.compile(
    r"(?P<feed>[a-z]+|\*):(?P<fault>[a-z0-9-]+)=(?P<share>\d+\.?\d*|\.\d+)(?:x(?P<times>\d+))?(?:@(?P<seconds>\d+\.?\d*|\.\d+))?",
    re.ASCII,
)


def scenario(text: str | None) -> Scenario:
    """Read a scenario: a name, or rules like `savant:html=0.2,statsapi:429=0.1x3@2`, or a name and rules.

    A rule is `feed:fault=share`, then `x` and how often in a row, then `@` and seconds. What is wrong in Savant's rows
    is said as `rows:row-cap=3000`, `rows:duplicates=0.01`, `rows:impossible=0.01`, `rows:shuffled`, `rows:drift`,
    `rows:revised`, `rows:era-2020`; drift and revision begin with a day of their own after `=2025-04-03`.

    >>> [rule.fault for rule in scenario("savant:html=0.2").rules]
    [<Fault.HTML: 'html'>]
    >>> scenario("rows:row-cap=3000").rows.row_cap
    3000

    Raises:
        UsageError: a part is neither a name nor a rule.
    """
    parts = [part for part in (text or "calm").split(",") if part]
    chosen = SCENARIOS[parts.pop(0)] if parts and parts[0] in SCENARIOS else CALM
    rows = replace(chosen.rows, _asked={})
    for part in (part for part in parts if part.startswith("rows:")):
        rows = _of_rows(part, rows)
    rules = tuple(_rule(part) for part in parts if not part.startswith("rows:"))
    return replace(chosen, name=text or "calm", rules=rules + chosen.rules, rows=rows) if parts else chosen


def _of_rows(text: str, rows: RowFaults) -> RowFaults:
    name, _, value = text.removeprefix("rows:").partition("=")
    found = _ROWS.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} is no fault of rows; expected rows:row-cap=N, rows:duplicates=SHARE, rows:impossible=SHARE, "
            "rows:shuffled, rows:drift or rows:revised (both also with =DAY), or rows:era-2020."
        )
    changed: dict[str, Any] = {name.replace("-", "_"): True}
    if name == "row-cap":
        changed = {"row_cap": int(value)}
    elif name in {"duplicates", "impossible"}:
        changed = {name: float(value)}
    elif value:
        changed[_SINCE[name]] = parse_day(value)
    return replace(rows, **changed)


def _rule(text: str) -> Rule:
    found = _RULE.fullmatch(text)
    known = found and found["feed"] in {*Feed, "*"} and found["fault"] in set(Fault)
    if not found or not known or not 0 <= float(found["share"]) <= 1:
        raise UsageError(
            f"{text!r} is no fault; expected a scenario ({', '.join(SCENARIOS)}), or feed:fault=share with a feed of "
            f"{', '.join(Feed)} and a fault of {', '.join(Fault)}, for example savant:html=0.2."
        )
    rule = Rule(found["feed"], Fault(found["fault"]), float(found["share"]))
    times, seconds = found["times"], found["seconds"]
    return replace(rule, in_a_row=int(times or rule.in_a_row), seconds=float(seconds or rule.seconds))


@dataclass
class Plan:
    """Decides about every request; one per server.

    Attributes:
        scenario: What may happen.
        seed: Decides what does.
    """

    scenario: Scenario = CALM
    seed: int = 0
    _times: dict[str, int] = field(default_factory=dict)
    _struck: dict[str, int] = field(default_factory=dict)
    _requests: dict[str, int] = field(default_factory=dict)

    def decide(self, feed: str, request: str) -> Rule | None:
        """Return what strikes a request; `None` when nothing does.

        Args:
            feed: Whose request.
            request: Path and parameters without a key: the same text for the same question.
        """
        self._requests[feed] = ordinal = self._requests.get(feed, 0) + 1
        if any(
            burst.feed == feed and (ordinal - 1) % burst.every >= burst.every - burst.length
            for burst in self.scenario.bursts
        ):
            return Rule(feed, Fault.UNAVAILABLE, 1.0)
        times = self._times[request] = self._times.get(request, 0) + 1
        for number, rule in enumerate(self.scenario.rules):
            struck = self._struck.get(request, 0)
            if rule.feed in {feed, "*"} and struck < rule.in_a_row and self.draw(number, request, times) < rule.share:
                self._struck[request] = struck + 1
                return rule
        return None

    def draw(self, *of: object) -> float:
        """Return a number from 0 to 1 that depends on the seed and the arguments alone."""
        digest = hashlib.blake2b(repr((self.seed, *of)).encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64
