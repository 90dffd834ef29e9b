"""What the documents claim was measured or is tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import (
    claims,
    gx_polars_readme,
    kill_table,
    league_truth,
    projection_tables,
    sizing,
    sizing_table,
    truth_table,
)
from benchmarks.__main__ import MODULES, ON_RECORDINGS
from benchmarks.claim import ELSEWHERE
from benchmarks.claimed import CLAIMS
from benchmarks.promises import PROMISES
from benchmarks.report import RESULTS, Row, Table, figure, read

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("test", sorted({test for tests in PROMISES.values() for test in tests}))
def test_the_test_of_a_promise_exists(test):
    path, _, name = test.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_and_the_readme_say_what_was_recorded():
    assert claims.PAGE.read_text(encoding="utf-8") == claims.page(), "run python -m benchmarks.claims"
    assert claims.README.read_text(encoding="utf-8") == claims.readme(), "run python -m benchmarks.claims"
    validators = gx_polars_readme.PAGE.read_text(encoding="utf-8")
    assert validators == gx_polars_readme.page(), "run python -m benchmarks.claims"
    assert sizing_table.PAGE.read_text(encoding="utf-8") == sizing_table.page(), "run python -m benchmarks.claims"
    assert projection_tables.PAGE.read_text(encoding="utf-8") == projection_tables.page(), "run python -m benchmarks.claims"


def test_every_record_is_of_a_benchmark_that_exists():
    known = MODULES.keys() | ON_RECORDINGS.keys() | ELSEWHERE.keys()
    assert {path.stem for path in RESULTS.glob("*.json")} <= known
    assert {claim.bench for claim in CLAIMS} <= known


def test_every_table_of_every_record_has_a_stamp_of_its_own():
    lacking = [
        (path.stem, key)
        for path in RESULTS.glob("*.json")
        for key, table in read(path.stem).items()
        if table.stamp is None
    ]
    assert lacking == []


def test_the_time_that_all_benchmarks_take_is_said_in_the_same_words_everywhere():
    places = (ROOT / "README.md", ROOT / "Makefile", ROOT / "benchmarks" / "__main__.py", claims.PAGE)
    assert [path.name for path in places if claims.LASTS_ALL not in path.read_text(encoding="utf-8")] == []
    assert claims.LASTS.keys() == ELSEWHERE.keys()


@pytest.mark.parametrize(("better", "others"), [("more", 3.0), ("less", 0.0)])
def test_a_table_with_a_row_of_none_is_drawn_without_that_ratio(better, others):
    table = Table("t", "t", "times", better, [Row("first", [0.0]), Row("other", [others])])
    assert list(table.drawn().columns[4].cells) == ["", ""]


def test_a_record_is_read_as_it_was_written(tmp_path, monkeypatch):
    from benchmarks.report import Report

    report = Report("b", tmp_path / "b.json")
    report.table("t", "title", unit="ms").row("a", list(range(1000)), note="x")
    report.close()
    kept = read("b", tmp_path)["t"].rows[0]
    assert (kept.median, len(kept.values), kept.more) == (500, 101, {"values": "1,000", "note": "x"})


@pytest.mark.parametrize(
    ("value", "text"), [(99.999, "99.99"), (99.0, "99"), (100.0, "100"), (21.44, "21.4"), (117250.4, "117,250")]
)
def test_a_figure_is_never_rounded_up_to_all_of_it(value, text):
    assert figure(value) == text


A_DAY = {
    "requests": 250, "task_runs": 60, "batches": 40, "wall_s": 5, "flow_cpu_s": 6.0, "server_cpu_s": 1.0,
    "redis_cpu_s": 0.1, "lake_mb": 2.0, "archive_mb": 10.0, "redis_mb": 2.0, "prefect_mb": 0.5,
}  # fmt: skip


def scale(name):
    return next(each for each in sizing_table.SCALES if each.name == name)


def test_a_scale_is_a_multiple_of_a_day_and_waits_for_what_is_busiest():
    load = sizing_table.extrapolated(A_DAY, scale("10 seasons"), cores=2)
    assert (load.bottleneck, load.hours) == ("CPU, 2 cores", pytest.approx(7.1 / 2 * 1850 / 3600))
    assert load.columns()["requests"] == "462,500"
    many = sizing_table.extrapolated(A_DAY, scale("10 seasons"), cores=64)
    assert many.bottleneck == "the feeds, 25 requests at once"
    assert sizing_table.extrapolated(A_DAY, scale("10 sports x 1 season"), cores=64).bottleneck != many.bottleneck


def test_redis_holds_no_more_than_two_weeks_of_a_backfill():
    quick = sizing_table.extrapolated(A_DAY, scale("1 season"), cores=2)
    slow = sizing_table.extrapolated({**A_DAY, "flow_cpu_s": 6000.0}, scale("10 seasons"), cores=1)
    assert quick.redis_gb == pytest.approx(0.37)
    assert slow.redis_gb == pytest.approx(3.7 * 14 * 24 / slow.hours)


def test_the_sizing_is_written_from_the_record_and_says_when_there_is_none(tmp_path, monkeypatch):
    from benchmarks.report import Report

    monkeypatch.setattr(sizing_table, "read", lambda bench: read(bench, tmp_path))
    assert "No figures were recorded yet" in sizing_table.page()
    report = Report("sizing", tmp_path / "sizing.json")
    sizing.tabulated(report, [sizing.Cost(**A_DAY)])
    report.close()
    written = sizing_table.page()
    assert "| CPU s of the flow's process | 6 | one round |" in written
    assert "| 10 sports x 10 seasons | 18,500 | 740,000 | 4,625,000 |" in written


def test_the_kill_matrix_is_written_from_the_record_of_a_whole_run_and_says_when_there_is_none(tmp_path, monkeypatch):
    from benchmarks.report import read
    from tests.operations import matrix

    monkeypatch.setattr(kill_table, "read", lambda bench: read(bench, tmp_path))
    assert "No run was recorded yet" in "\n".join(kill_table.lines())
    cells = [
        matrix.Case("flow", "load", "killed", 1, 27_436, 0, 0, [], 20.0),
        matrix.Case("redis", "load", "Completed", 0, 27_435, 1, 0, ["out_props has 3,000", "x", "y"], 9.0),
    ]
    matrix.recorded(cells, 29.4, tmp_path / "kill_matrix.json")
    title, header, rule, *rows = [line for line in "\n".join(kill_table.lines()).splitlines() if line]
    told = kill_table.read("kill_matrix")["cells"].stamp
    assert title == f"2 cases in one run of 29 s, 1 of them with a row lost, doubled or wrong; {told}."
    assert len(header.split("|")) == len(rule.split("|")) == len(rows[0].split("|"))
    assert rows == [
        "| flow | load | killed | 1 | 27,436 | 0 | 0 | nothing |",
        "| redis | load | Completed | 0 | 27,435 | 1 | 0 | out_props has 3,000; x |",
    ]


def test_a_part_of_the_kill_matrix_is_not_recorded(tmp_path, capsys):
    from tests.operations import matrix

    with pytest.raises(SystemExit) as ended:
        matrix.main(["--killed", "flow", "--record", str(tmp_path / "kill_matrix.json")])
    assert ended.value.code == 2
    assert "only a run of all cases is recorded" in capsys.readouterr().err


def test_the_league_truth_has_a_line_for_every_kind_of_projection_and_a_cell_for_every_market():
    stamp, header, _, *rows = [line for line in "\n".join(truth_table.lines()).splitlines() if line]
    recorded = read("league_truth")
    assert recorded["three_seasons_before"].stamp.commit in stamp
    assert [cell.strip() for cell in header.strip("| ").split("|")][2:] == [
        "all",
        "batters' five",
        *league_truth.HEADLINE,
    ]
    assert len(rows) == sum(len(table.rows) for table in recorded.values())
    assert {line.count("|") for line in (header, *rows)} == {header.count("|")}
    shipped = recorded["no_season_before"].rows[0]
    five = shipped.more["batters' five"]
    assert rows[6].startswith(f"| no season | as shipped | {shipped.median:.4f} | {five} |")


def cells(line):
    return [cell.strip() for cell in line.strip("| ").split("|")]


def test_every_score_that_was_recorded_is_a_line_of_the_page():
    page = projection_tables.page()
    (table,) = read("props_score").values()
    rows = {tuple(cells(line)[:2]): cells(line) for line in projection_tables.scores() if line.startswith("| ")}
    header = rows.pop(("market", "line"))
    rows.pop(("---", "---"))
    assert [" ".join(key) for key in rows] == [row.name for row in table.rows]
    assert all("| " + " | ".join(row) + " |" in page for row in rows.values())
    for row in table.rows:
        told = dict(zip(header, rows[tuple(row.name.rsplit(" ", 1))], strict=True))
        assert (told["log loss"], told["minus D"]) == (f"{row.median:.5f}", row.more["minus D"])


def test_the_market_is_compared_and_counted_as_recorded(tmp_path, monkeypatch):
    from benchmarks.report import Report

    monkeypatch.setattr(projection_tables, "read", lambda bench: read(bench, tmp_path))
    assert list(projection_tables.market()) == []
    assert "No scores were recorded yet" in "\n".join(projection_tables.scores())
    report = Report("props_market", tmp_path / "props_market.json")
    for title, theirs, ours in (("All lines: 3 rows", 0.61, 0.62), ("Over 3.5: 2 rows", 0.7, 0.69)):
        table = report.table(title, title, unit="nats (log loss)")
        table.row("market, de-vigged consensus", theirs, Brier="0.21")
        table.row("model", ours, Brier="0.22", **{"minus market, 95 %": "+0.0100 [+0.0020, +0.0200]"})
    missed = report.table("missed", "Mean absolute error", unit="strikeouts")
    missed.row("main line", 1.724)
    missed.row("model's mean", 1.711)
    report.close()
    _, _, first, second, told = projection_tables.market()
    assert first == "| All lines: 3 rows | 0.6100 | 0.21 | 0.6200 | 0.22 | +0.0100 [+0.0020, +0.0200] |"
    assert second.startswith("| Over 3.5: 2 rows | 0.7000 | 0.21 | 0.6900 |")
    assert told.strip() == (
        "The market has the lower log loss in 1 of 2 rows. On average the main line by 1.72 and the model's mean by "
        "1.71 strikeouts."
    )
