"""Seeds spread over processes, each with servers of its own."""

from __future__ import annotations

import dataclasses
import multiprocessing as mp
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import commit
from tests.chaos import schedule
from tests.chaos.season import Calm, Played, play
from tests.chaos.site import Site


def played(seeds: list[int], workers: int, *, keep: bool) -> Iterator[dict[str, Any]]:
    """Play seeds, in this process or in several, and yield what each came to, as plain values.

    Args:
        seeds: What to play.
        workers: Processes.
        keep: Whether the homes of seeds that failed are kept.
    """
    if workers == 1 or len(seeds) < 2:
        yield from _each(seeds, keep)
        return
    context = mp.get_context("spawn")
    waiting: Any = context.Queue()
    ended: Any = context.Queue()
    for seed in [*seeds, *[None] * workers]:
        waiting.put(seed)
    processes = [context.Process(target=_work, args=(waiting, ended, keep)) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        for _ in seeds:
            told = ended.get()
            if told is None:
                raise SystemExit("a worker ended; its own word stands above")
            yield told
    finally:
        for process in processes:
            process.join()


def _work(waiting: Any, ended: Any, keep: bool) -> None:
    warnings.simplefilter("ignore")
    try:
        for told in _each(iter(waiting.get, None), keep):
            ended.put(told)
    except BaseException:
        traceback.print_exc()
        ended.put(None)
        raise


def _each(seeds: Iterable[int], keep: bool) -> Iterator[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="chaos"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    try:
        with Site(folder) as site:
            calm = Calm(site)
            for seed in seeds:
                yield _told(site, seed, lambda plan: play(site, calm, plan))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _told(site: Site, seed: int, play_it: Callable[[schedule.Schedule], Any]) -> dict[str, Any]:
    plan, began = schedule.of(seed), time.monotonic()
    try:
        told = dataclasses.asdict(dataclasses.replace(play_it(plan), schedule=None))
    except AssertionError as error:  # something did not come in its time: this seed failed, the others go on
        told = dataclasses.asdict(Played(plan, struck=plan.kinds, wrong=[str(error)]))
        told["seconds"] = time.monotonic() - began
    told.pop("schedule", None)
    return {
        "seed": seed,
        "plan": str(plan),
        "days": len(plan.days),
        "home": f"h{site.homes}",
        "commit": commit(),
        **told,
    }
