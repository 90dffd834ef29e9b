"""Tasks that keep: the register whole or not at all, a grade with what is not decided, a batch that nobody answered."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import polars as pl
import pytest

from backstop import tables
from backstop.errors import DataError, LeaseHeld, UpstreamUnavailable
from backstop.lake.states import State
from backstop.sources import chadwick
from backstop.stages import grade as grading
from backstop.stages import register as stage
from backstop.stages.fetch import FetchedBatch, Missed
from backstop.stages.outcome import Gap, Outcome
from tasks import fetch, grade, register
from tasks.validate import _missed
from tests.stages.rows import DAY, batch, fetched, games
from tests.store import rows

HEADER = "key_uuid,key_mlbam,name_last,name_first,name_given,name_suffix,birth_year"
RUN = "the run"


@pytest.fixture
def answers(house):
    person = "u0,592450,Judge,Aaron,Aaron James,,1992"
    ((*items,),) = register.plan_register.fn()
    assert [item.key for item in items] == list(chadwick.SHARDS)
    return [fetched(house, item, f"{HEADER}\n{person if item.key == '0' else ''}\n".encode()) for item in items]


def test_the_register_is_kept_when_all_of_its_files_came(house, answers):
    outcome = register.keep_register.fn([batch(*answers)])
    assert (outcome.loaded, outcome.gaps) == (1, ())
    assert stage.names(house).rows()[0] == (592450, "Aaron Judge")


def test_a_register_of_which_files_are_missing_fails_and_names_the_first(house, answers):
    lost = tuple(Missed(each.item, "UpstreamUnavailable", "GitHub does not answer.") for each in answers[3:5])
    with pytest.raises(UpstreamUnavailable) as raised:
        register.keep_register.fn([batch(*answers[:3], *answers[5:], missed=lost)])
    assert raised.value.message == (
        "2 of 16 files of the register could not be had, first 3: not fetched: GitHub does not answer. The one kept "
        "before stays; run it again."
    )
    assert stage.newest(house) is None


# grading


@pytest.fixture
def published(house, monkeypatch):
    monkeypatch.setattr(grade, "run_id", lambda: RUN)
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    house.lake.write(tables.PROPS.name, DAY, rows.props(2))
    return house


def test_a_published_day_is_held_for_its_grading_and_its_box_scores_are_asked_for(published):
    ((first, second),) = grade.plan_boxes.fn(DAY, Outcome("core_games"))
    assert (first.key, second.key) == ("1", "2")
    held = published.ledger.entry(grading.GRADES, str(DAY))
    assert (held.state, held.run_id) == (State.RUNNING, RUN)


def test_a_day_that_another_run_grades_is_left_to_it_and_an_unpublished_one_is_not_held(published, house):
    published.ledger.begin(grading.GRADES, str(DAY), run_id="another", lease_s=3600)
    with pytest.raises(LeaseHeld):
        grade.plan_boxes.fn(DAY, Outcome("core_games"))
    other = DAY.replace(day=16)
    with pytest.raises(DataError, match=f"No slate of {other} is in the lake; refresh that day first"):
        grade.plan_boxes.fn(other, Outcome("core_games"))
    assert house.ledger.entry(grading.GRADES, str(other)) is None


@pytest.fixture
def shown(monkeypatch):
    pages = {}
    for kind in ("table", "markdown", "image"):
        monkeypatch.setattr(grade.artifacts, kind, lambda key, told, about: pages.update({key: (told, about)}))
    return pages


@pytest.mark.parametrize("picture", [b"", b"\x89PNG"])
def test_a_grade_shows_scores_what_is_not_decided_and_a_picture_where_there_is_one(
    published, shown, monkeypatch, picture
):
    scores = pl.DataFrame({"market": ["batter_hits"], "brier": [0.21]})
    waiting = pl.DataFrame(
        {"market": ["batter_hits"], "result": ["void"], "reason": ["withdrawn; a|b\nc"], "props": [3]}
    )
    found = SimpleNamespace(grades=scores, waiting=waiting, calibration=picture, settled=9)
    monkeypatch.setattr(grade.grade, "grade_slate", lambda *_: found)
    published.ledger.begin(grading.GRADES, str(DAY), run_id=RUN)
    summary = grade.grade_slate.fn(DAY, (Outcome("core_players"), Outcome("core_box")))
    assert summary.grades == [{"market": "batter_hits", "brier": 0.21}]
    assert shown["slate-grade"][0] == summary.grades
    assert shown["slate-unsettled"][0].splitlines()[2:] == [r"| batter_hits | void | withdrawn; a\|b c | 3 |"]
    assert ("slate-calibration" in shown) is bool(picture)
    if picture:
        assert base64.b64decode(shown["slate-calibration"][0].removeprefix("data:image/png;base64,")) == picture
    entry = published.ledger.entry(grading.GRADES, str(DAY))
    assert (entry.state, entry.rows_loaded) == (State.COMPLETE, 1)


def test_a_grade_in_which_all_is_decided_has_no_list_of_what_is_not(published, shown, monkeypatch):
    waiting = pl.DataFrame(schema={"market": pl.String, "result": pl.String, "reason": pl.String, "props": pl.UInt32})
    found = SimpleNamespace(grades=pl.DataFrame({"market": []}), waiting=waiting, calibration=b"", settled=0)
    monkeypatch.setattr(grade.grade, "grade_slate", lambda *_: found)
    published.ledger.begin(grading.GRADES, str(DAY), run_id=RUN)
    assert grade.grade_slate.fn(DAY, (Outcome("p"), Outcome("b"))).open == []
    assert set(shown) == {"slate-grade"}


# a batch


def missing(retryable):
    items = chadwick.plan()[: len(retryable)]
    return tuple(
        Missed(item, "UpstreamUnavailable", f"no answer to {item.key}", retryable=each)
        for item, each in zip(items, retryable, strict=True)
    )


@pytest.mark.parametrize(
    ("retryable", "run_count", "raised"),
    [
        ((True, True), 1, True),
        ((True, True), 2, False),  # the second net has been used
        ((True, True), None, False),  # outside of a run nobody tries again
        ((True, False), 1, False),
        ((), 1, False),
    ],
)
def test_a_batch_is_tried_once_more_when_nothing_came_and_all_of_it_may_come_yet(
    house, monkeypatch, retryable, run_count, raised
):
    lost = missing(retryable)
    monkeypatch.setattr(fetch.stage, "fetch", lambda *_: FetchedBatch(4, (), lost))
    monkeypatch.setattr(fetch, "task_run", SimpleNamespace(run_count=run_count))
    monkeypatch.setattr(fetch.feeds, "attach", lambda: None)
    items = [each.item for each in lost]
    if raised:
        with pytest.raises(UpstreamUnavailable, match="register, batch 4: no answer to 0") as error:
            fetch.fetch_batch.fn(4, items, "register")
        assert error.value.source == "chadwick"
    else:
        assert fetch.fetch_batch.fn(4, items, "register").missed == lost


@pytest.mark.parametrize(
    ("error", "worth"),
    [(UpstreamUnavailable("no"), True), (DataError("no"), False), (ValueError("no"), False), (None, False)],
)
def test_a_task_is_tried_again_only_when_its_feed_may_answer_differently(error, worth):
    state = SimpleNamespace(result=lambda **_: error)
    assert fetch._worth_retrying(None, None, state) is worth


def test_what_was_not_fetched_is_named_and_who_stood_in_is_said_once():
    first = FetchedBatch(1, (), missing([True]), notes=("SportRadar for MLB",))
    second = FetchedBatch(2, (), (), notes=("SportRadar for MLB", "a page was split"))
    (outcome,) = _missed("core_register", [first, second])
    assert outcome.gaps == (Gap("core_register", "0", "not fetched: no answer to 0"),)
    assert outcome.notes == ("SportRadar for MLB", "a page was split")
    assert _missed("core_register", [FetchedBatch(1, (), ())]) == []
