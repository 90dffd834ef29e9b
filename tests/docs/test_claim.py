"""What a claim says of its rows: who is better and by how much, what was kept, and nothing of what was not recorded."""

from __future__ import annotations

import pytest

from benchmarks import claim as claiming
from benchmarks import claims
from benchmarks.claim import Claim, Drift, Ratio, Said
from benchmarks.claimed import CLAIMS
from benchmarks.report import Report, Row, Stamp, Table


@pytest.fixture
def recorded(monkeypatch):
    """Let claims find these rows instead of recorded ones."""

    def record(*rows, better="less", unit="s", stamp=None):
        table = Table("t", "t", unit, better, list(rows), stamp)
        monkeypatch.setattr(claiming, "read", lambda _bench, _folder=None: {"t": table})
        return table

    return record


def the(ours="ours", base="theirs", **more):
    return Claim("x", "b", "t", ours, base, **more)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.bench} {claim.about}")
def test_a_claim_rests_on_rows_that_were_recorded_or_is_listed_as_waiting(claim):
    if not claim.recorded:
        assert claim.about in claims.page().partition("## Not recorded")[2]
        return
    table, ours, base = claim.found()
    assert ours in table.rows
    assert base is None or base in table.rows


def test_a_claim_without_its_measurement_is_refused_and_left_out(recorded):
    recorded(Row("ours", [1.0]))
    with pytest.raises(LookupError, match="b recorded no table 'nowhere': python -m benchmarks b"):
        Claim("x", "b", "nowhere", "ours").found()
    assert the().missing() == "\"t: no row 'theirs' among ['ours']\"".strip('"')
    assert not the().recorded
    assert the(base=None).recorded


def test_a_row_is_found_by_its_name_or_the_words_it_begins_with_but_not_by_part_of_a_word(recorded):
    table = recorded(Row("Feast 0.67.0", [1.0]), Row("Feasting", [2.0]))
    assert claiming.row_of(table, "Feast").values == [1.0]
    with pytest.raises(LookupError):
        claiming.row_of(table, "Fea")


def test_a_peer_that_is_better_is_shown_as_winning(recorded):
    recorded(Row("theirs", [1.0]), Row("ours", [2.0]))
    assert the().result() == "**theirs wins**, 2 times"
    assert the(ours="theirs", base="ours").result() == "**2 times better**"


@pytest.mark.parametrize(
    ("better", "ours", "theirs", "expected"),
    [
        ("less", [1.0, 2.0, 4.0], [6.0, 8.0, 20.0], Ratio(4.0, 1.5, 20.0)),
        ("more", [6.0, 8.0, 20.0], [1.0, 2.0, 4.0], Ratio(4.0, 1.5, 20.0)),
        ("less", [8.0], [2.0], Ratio(0.25, 0.25, 0.25)),
    ],
)
def test_a_ratio_has_our_worst_round_against_their_best_and_the_other_way_round(better, ours, theirs, expected):
    assert Ratio.of(Table("t", "t", "s", better), Row("ours", ours), Row("theirs", theirs)) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "wins"), [([2.0, 3.0], [1.0, 1.9], True), ([2.0, 3.0], [1.0, 2.1], False), ([1.0], [1.0], False)]
)
def test_a_peer_wins_when_its_worst_round_is_better_than_our_best(recorded, ours, theirs, wins):
    recorded(Row("theirs", theirs), Row("ours", ours))
    assert the().peer_wins is wins
    assert not the(base=None).peer_wins


def test_what_is_equal_is_nobodys_win(recorded):
    recorded(Row("theirs", [100.0]), Row("ours", [100.0]), unit="%", better="more")
    assert the().result() == "the same"


def test_the_spread_of_a_ratio_and_rounds_that_overlap_are_said_whoever_wins(recorded):
    recorded(Row("theirs", [6.0, 8.0, 20.0]), Row("ours", [1.0, 2.0, 4.0]))
    assert the().result() == "**4 times better** (1.5 to 20)"
    assert the().result(spread=False) == "**4 times better**"
    assert the(ours="theirs", base="ours").result() == "**ours wins**, 4 times (1.5 to 20)"
    recorded(Row("theirs", [2.0, 4.0, 5.0]), Row("ours", [1.0, 2.0, 4.0]))
    assert the().result() == "**2 times better** (0.5 to 5), rounds overlap"
    assert the(ours="theirs", base="ours").result() == "**ours wins**, 2 times (0.5 to 5), rounds overlap"


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ([2.0, 2.5], "**78 % less** (75 % our worst round against their best); kept"),
        ([2.5, 4.0], "**68 % less** (60 % our worst round against their best); **not kept**"),
        (
            [2.0, 3.5],
            "**73 % less** (65 % our worst round against their best); kept by the median, **not by the worst round**",
        ),
    ],
)
def test_seventy_percent_less_is_kept_when_it_is_by_the_medians_and_in_the_worst_round(recorded, ours, said):
    recorded(Row("theirs", [10.0, 10.2]), Row("ours", ours))
    assert the(percent=True, said=Said("70 % less time", times=10 / 3)).result() == said


@pytest.mark.parametrize(
    ("better", "values", "said"),
    [
        ("more", [86.0, 90.0], "kept"), ("more", [80.0, 84.0], "**not kept**"),
        ("more", [84.0, 86.0, 90.0], "kept by the median, **not by the worst round**"),
        ("less", [84.0], "kept"), ("less", [84.0, 84.5, 86.0], "kept by the median, **not by the worst round**"),
    ],
)  # fmt: skip
def test_a_figure_that_was_said_is_kept_when_ours_reaches_it(recorded, better, values, said):
    recorded(Row("ours", values), better=better)
    assert the(base=None, said=Said("85", figure=85)).result() == said


@pytest.mark.parametrize(("failed", "said"), [(0.0, "kept"), (1.0, "**not kept**")])
def test_no_loss_is_kept_when_nothing_failed(recorded, failed, said):
    recorded(Row("held", [200.0]), Row("failed", [failed]), unit="of 200 seeds", better="more")
    claim = the(ours="held", base=None, said=Said("zero data loss", none="failed"))
    assert (claim.measured(), claim.result()) == ("200 of 200 seeds", said)


def test_a_drift_is_said_with_its_peak_and_is_nobodys_win(recorded):
    recorded(Row("at first", [500.0]), Row("at last", [520.0]), Row("at the highest", [600.0]), unit="MB")
    claim = Drift("x", "b", "t", "at last", "at first", peak="at the highest")
    assert claim.measured() == "500 MB at first, 520 MB at last (+4.0 %), 600 MB at the highest"
    assert (claim.result(), claim.peer_wins) == ("", False)


def test_both_figures_are_measured_with_their_spread_and_number(recorded):
    recorded(Row("theirs", [1.0, 2.0, 3.0]), Row("ours", [5.0, 7.0], {"values": "10,000"}), unit="ms")
    assert the().measured() == "6 ms (5 to 7, N=10,000), beside theirs: 2 ms (1 to 3, N=3)"
    assert the().measured(spread=False) == "6 ms, beside theirs: 2 ms"


def test_a_table_of_the_page_has_no_column_that_is_empty(recorded):
    recorded(Row("theirs", [1.0]), Row("ours", [2.0]))
    alone = list(claims._table([the(base=None)]))
    assert alone == ["| What | Measured | Command |", "| --- | --- | --- |", "| x | 2 s | `python -m benchmarks b` |"]
    compared = list(claims._table([the()]))
    assert compared[0] == "| What | Measured | Result | Command |"
    with_words = list(claims._table([the(base=None, said=Said("at most 3", figure=3))]))
    assert with_words[0] == "| What | It said | Measured | Result | Command |"
    assert with_words[2] == "| x | at most 3 | 2 s | kept | `python -m benchmarks b` |"


def test_a_record_of_another_machine_is_marked_where_it_is_claimed_and_where_it_is_listed(tmp_path, monkeypatch):
    for name, machine in (("a", "here"), ("b", "here"), ("c", "there")):
        report = Report(name, tmp_path / f"{name}.json")
        report.table("t", "t", unit="s").row("ours", [1.0])
        report.began = Stamp("2026-11-29", "abc", machine, "Python 3", "0.0")
        report.close()
    read = claims.read
    for module in (claiming, claims):
        monkeypatch.setattr(module, "read", lambda bench, _folder=None: read(bench, tmp_path))
    monkeypatch.setattr(claims, "RESULTS", tmp_path)
    assert claims.usual() == "here"
    marked = [claims._command(Claim("x", bench, "t", "ours")) for bench in ("a", "c")]
    assert marked == ["`python -m benchmarks a`", "`python -m benchmarks c` (another machine)"]
    assert [line.split(" | ")[-1] for line in claims._taken()][-3:] == [
        "Python 3 |",
        "Python 3 |",
        "Python 3; **another machine**: there |",
    ]


def test_claims_whose_rows_a_run_did_not_record_are_found(tmp_path, monkeypatch):
    report = Report("b", tmp_path / "b.json")
    report.table("t", "t", unit="s").row("ours", [1.0])
    report.close()
    monkeypatch.setattr(claims, "CLAIMS", (the(), the(base=None), Claim("y", "other", "t", "ours")))
    assert claims.lost(["b"], tmp_path) == ["t: no row 'theirs' among ['ours']"]
    assert claims.lost(["b"], tmp_path, left_out={"t"}) == []
    assert claims.lost(["b", "other"], tmp_path)[1:] == ["other recorded no table 't': python -m benchmarks other"]


def test_the_readme_shows_every_peer_that_wins_by_its_rounds():
    shown = claims.readme()
    winning = [
        claim
        for claim in CLAIMS
        if claim.recorded and claim.base and "wins**" in claim.result() and "overlap" not in claim.result()
    ]
    assert winning
    assert [claim.about for claim in winning if f"| {claim.about} " not in shown] == []
