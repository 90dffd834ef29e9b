"""Every deployment, declared: flow, schedule with its time zone, parameters, limits, tags, description.

`backstop deploy` (`python -m deployments.apply`) registers what stands here and removes what does not;
`prefect.yaml` is generated from it (`python -m deployments.recipe`). The flows are named by module path and imported
by whoever applies them: a file path would import a flow twice.

Slates, prices and grades have no schedule of their own: `reconcile` asks the calendar every five minutes and starts
what is due. A fixed hour would refresh off days, and miss the line-ups of a game that was moved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from backstop.settings import Feed
from backstop.store.keys import SPORT
from tasks.tags import NEEDS

POOL: Final = "backstop"
EASTERN: Final = "America/New_York"
MANAGED: Final = "backstop"
"""Tag of whatever `apply` made: it removes nothing that lacks it."""


@dataclass(frozen=True)
class Schedule:
    """When a flow runs by itself.

    Attributes:
        slug: Name of the schedule within its deployment.
        cron: Five fields.
        timezone: In which the fields are read.
    """

    slug: str
    cron: str
    timezone: str = EASTERN


@dataclass(frozen=True)
class Queue:
    """A queue of the work pool.

    Attributes:
        name: Of the queue.
        priority: Lower numbers are taken first.
        limit: Runs at once; null is without limit.
        description: For its page.
    """

    name: str
    priority: int
    limit: int | None
    description: str


@dataclass(frozen=True)
class Deployment:
    """One way in which a flow runs.

    Attributes:
        flow: Module path of the flow.
        flow_name: Name of the flow.
        description: What a reader of the deployment's page should know.
        tags: For filtering in the UI, beside the sport.
        schedule: When it runs by itself; null when `reconcile`, an application or a person starts it.
        parameters: Other than the flow's own defaults.
        limit: Runs at once; null is without limit.
        collision: What happens to a run beyond the limit.
        queue: Queue of the work pool.
        feeds: Feeds without which a run comes to nothing: it is paused while the breaker of one is open.
        name: After the slash in `flow/name`.
    """

    flow: str
    flow_name: str
    description: str
    tags: tuple[str, ...]
    schedule: Schedule | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    limit: int | None = 1
    collision: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    queue: str = "default"
    feeds: tuple[Feed, ...] = ()
    name: str = SPORT

    @property
    def full_name(self) -> str:
        """As `flow/name`."""
        return f"{self.flow_name}/{self.name}"

    @property
    def all_tags(self) -> list[str]:
        """Tags with the sport, the mark of what is managed here, and the feeds that are needed."""
        return sorted({MANAGED, SPORT, *self.tags, *(f"{NEEDS}{feed}" for feed in self.feeds)})


QUEUES: Final = (
    Queue("default", 1, None, "The live day: slates, prices, grades, reconcile."),
    Queue("backfill-parts", 10, 3, "Parts of backfills that are spread; taken when nothing of the live day waits."),
    Queue(
        "backfill",
        20,
        3,
        "Past days. A backfill that is spread holds its place until its parts, which wait elsewhere, are done.",
    ),
)

LIMITS: Final[dict[str, int]] = {"backstop-days": 25}
"""Global concurrency limits. A backfill holds a slot of `backstop-days` for each day that it works on at once, over all
workers. Requests are limited to 25 per host elsewhere, by leases in Redis: a slot here takes 0.1 s to acquire."""

VARIABLES: Final[dict[str, int]] = {"backstop_archive_days": 400, "backstop_run_days": 14}
"""Days that raw answers and the folders of runs are kept; made once, then left to whoever edits them in the UI."""

CATALOG: Final = (
    Deployment(
        flow="flows.slate.slate_refresh",
        flow_name="slate-refresh",
        tags=("slate",),
        feeds=(Feed.STATSAPI,),
        description=(
            "Refreshes one day's slate: fetch what is missing, validate, project, price, publish. `reconcile` starts "
            "it when line-ups are posted; run it by hand for any other day. Repeating it changes nothing."
        ),
    ),
    Deployment(
        flow="flows.reconcile.reconcile",
        flow_name="reconcile",
        tags=("schedule",),
        schedule=Schedule("every-five-minutes", "*/5 * * * *"),
        collision="CANCEL_NEW",
        description=(
            "Asks the calendar what is due (line-ups posted, games final, settling window over) and starts exactly "
            "those runs, marks runs that died as crashed, and repairs the ledger. An off day starts nothing."
        ),
    ),
    Deployment(
        flow="flows.backfill.backfill",
        flow_name="backfill",
        tags=("backfill",),
        limit=None,
        queue="backfill",
        feeds=(Feed.STATSAPI,),
        description=(
            "Publishes the slate of every past day of a range that lacks one, several at a time. Run it again after "
            "whatever killed it: only what is left is done. Empty dates mean every missing day of the kept seasons."
        ),
    ),
    Deployment(
        flow="flows.backfill.backfill",
        flow_name="backfill",
        name=f"{SPORT}-part",
        tags=("backfill",),
        limit=None,
        queue="backfill-parts",
        feeds=(Feed.STATSAPI,),
        description=(
            "Some days of a backfill that is spread over the workers, which starts these runs itself, waits for them "
            f"and starts those that died again. For days of your own choice start backfill/{SPORT}."
        ),
    ),
    Deployment(
        flow="flows.odds.odds_refresh",
        flow_name="odds-refresh",
        tags=("prices",),
        collision="CANCEL_NEW",
        feeds=(Feed.THEODDS,),
        description=(
            "Asks the books again, reprices and republishes a slate whose games are still to begin. `reconcile` starts "
            "it as often as the month's credits allow, at most every five minutes."
        ),
    ),
    Deployment(
        flow="flows.grade.slate_grade",
        flow_name="slate-grade",
        tags=("grade",),
        feeds=(Feed.STATSAPI,),
        description=(
            "Settles every published prop of a finished day from the box scores and scores the probabilities, with the "
            "calibration picture. `reconcile` starts it the next morning, and again when a suspended game is over."
        ),
    ),
    Deployment(
        flow="flows.history.history_refresh",
        flow_name="history-refresh",
        tags=("history",),
        schedule=Schedule("morning", "30 8 * * *"),
        feeds=(Feed.STATSAPI, Feed.SAVANT),
        description=(
            "Fetches the pitches of days that the lake lacks, and of days that were fetched before Savant had settled "
            "them, and adds them up. The day's first slate finds its history ready."
        ),
    ),
    Deployment(
        flow="flows.register.register_refresh",
        flow_name="register-refresh",
        tags=("identity",),
        schedule=Schedule("weekly", "0 6 * * 1"),
        feeds=(Feed.CHADWICK,),
        description="Fetches the Chadwick register, which joins the ids that feeds give to one player.",
    ),
    Deployment(
        flow="flows.canary.canary",
        flow_name="canary",
        tags=("canary",),
        schedule=Schedule("hourly", "50 * * * *"),
        collision="CANCEL_NEW",
        description=(
            "One player end to end: fetch, validate, project, load, read back, in a scratch lake and a draft that no "
            "reader sees. What fails here would fail a slate."
        ),
    ),
    Deployment(
        flow="flows.maintenance.lake_maintenance",
        flow_name="lake-maintenance",
        tags=("maintenance",),
        schedule=Schedule("nightly", "30 5 * * *"),
        description=(
            "Removes the folders of old runs and raw answers past their time, compacts quarantine, refits the model "
            "every 60 days with games and uses the fit where it is better, and compares Redis with the lake row by "
            "row; a slate that differs is rebuilt, one that was turned back or pinned is named and stays as it is."
        ),
    ),
)
