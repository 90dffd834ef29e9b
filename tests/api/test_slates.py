from __future__ import annotations

import dataclasses
import datetime as dt
import io

import polars as pl
import pytest

from backstop.api.deltas import compare
from backstop.props.calibration import Platt
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.price import price
from backstop.store.keys import SLATE_TTL_S, SlateKeys
from tests.api.serving import DAY, publish
from tests.store.servers import wait_for

AT = f"/api/v1/slates/{DAY}"


def test_a_page_holds_the_best_props_first_with_state_age_and_version(api, frames):
    page = api.get(AT, params={"limit": 5}).json()
    assert (page["state"], page["slate"]["version"]) == ("fresh", 1)
    assert 0 <= page["age_s"] < 60
    assert page["total"] == len(frames["props"])
    best = frames["props"].sort(["ev_per_unit", "prop_id"], descending=[True, False], nulls_last=True).head(5)
    assert [each["prop_id"] for each in page["props"]] == best["prop_id"].to_list()
    assert page["props"][0] == {**best.row(0, named=True), "game_date": str(DAY), "as_of": str(best["as_of"][0])}


def test_pages_follow_each_other_without_a_gap_or_a_repetition(api, frames):
    seen, address = [], f"{AT}?limit=97&sort=line&order=asc"
    while address:
        page = api.get(address).json()
        seen += page["props"]
        address = page["next"]
    assert len(seen) == len(frames["props"])
    assert len({each["prop_id"] for each in seen}) == len(seen)
    assert [each["line"] for each in seen] == sorted(each["line"] for each in seen)


def test_pages_that_are_read_across_a_flip_are_of_one_version(api, redis, repriced, meta):
    before = {each["prop_id"]: each for each in api.get(AT, params={"limit": 5000}).json()["props"]}
    first = api.get(AT, params={"limit": 200}).json()
    publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
    wait_for(lambda: api.get(AT).json()["slate"]["version"] == 2)
    seen, address = first["props"], first["next"]
    while address:
        page = api.get(address).json()
        assert page["slate"]["version"] == 1
        seen += page["props"]
        address = page["next"]
    assert {each["prop_id"]: each for each in seen} == before


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"market": "batter_hits"}, pl.col("market") == "batter_hits"),
        ({"team": "AAA"}, pl.col("team") == "AAA"),
        ({"player": 1001}, pl.col("player_id_mlbam") == 1001),
        ({"min_edge": 0.0}, pl.col("edge") >= 0),
        ({"market": "batter_hits", "team": "BBB"}, (pl.col("market") == "batter_hits") & (pl.col("team") == "BBB")),
        ({"market": "all"}, pl.lit(value=True)),
    ],
)
def test_a_filter_gives_exactly_the_rows_that_meet_it(api, frames, query, condition):
    page = api.get(AT, params={**query, "limit": 5000}).json()
    wanted = set(frames["props"].filter(condition)["prop_id"])
    assert {each["prop_id"] for each in page["props"]} == wanted
    assert page["total"] == len(wanted)


@pytest.mark.parametrize("media", ["application/vnd.apache.arrow.file", "application/vnd.apache.parquet"])
def test_the_columnar_formats_hold_the_whole_slate_with_its_types(api, frames, media):
    answer = api.get(AT, headers={"Accept": media})
    assert answer.headers["content-type"] == media
    read = pl.read_ipc if "arrow" in media else pl.read_parquet
    frame = read(io.BytesIO(answer.content))
    assert frame.sort("prop_id").equals(frames["props"].select(frame.columns).sort("prop_id"))
    assert api.get(AT, params={"format": "arrow" if "arrow" in media else "parquet"}).content[:4] == answer.content[:4]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_compressed_answer_says_the_same_in_fewer_bytes(api, encoding):
    plain = api.get(f"{AT}/board", headers={"Accept-Encoding": "identity"})
    packed = api.get(f"{AT}/board", headers={"Accept-Encoding": encoding})
    assert packed.headers["content-encoding"] == encoding
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    page = api.get(AT, headers={"Accept-Encoding": encoding})
    assert page.headers["content-encoding"] == encoding
    assert page.json()["total"]


@pytest.mark.parametrize("path", [AT, f"{AT}/board", "/api/v1/players/1001", "/api/v1/props/batter_hits/top"])
def test_who_has_a_version_already_is_told_so_and_costs_redis_at_most_one_pointer_read(api, redis, path):
    first = api.get(path)
    asked_before = sum(each["calls"] for each in redis.info("commandstats").values())
    again = api.get(path, headers={"If-None-Match": first.headers["etag"]})
    asked = sum(each["calls"] for each in redis.info("commandstats").values()) - asked_before
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["backstop-state"] == "fresh"
    # the poll of every 0.2 s, the listener's and this test's own question run beside it
    assert asked <= 12
    assert api.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_new_version_changes_the_tag_and_the_answer(api, redis, repriced, meta):
    before = api.get(f"{AT}/board")
    publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
    wait_for(lambda: api.get(f"{AT}/board").headers["backstop-version"] == "2")
    after = api.get(f"{AT}/board", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    old = api.get(AT, params={"version": 1, "player": 1001, "limit": 1}).json()
    assert old["slate"]["version"] == 1
    assert old["props"][0]["best_price_decimal"] != 9.5


def test_the_difference_of_two_versions_names_every_field_that_moved(api, redis, repriced, meta, frames):
    publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
    wait_for(lambda: api.get(AT).json()["slate"]["version"] == 2)
    told = api.get(f"{AT}/diff").json()
    mine = frames["props"].filter(pl.col("player_id_mlbam") == 1001)
    assert (told["from"], told["to"], told["added"], told["gone"]) == (1, 2, [], [])
    assert {each["prop_id"] for each in told["changed"]} == set(mine["prop_id"])
    before = dict(mine.select("prop_id", "best_price_decimal").iter_rows())
    for each in told["changed"]:
        assert each["fields"] == {"best_price_decimal": [before[each["prop_id"]], 9.5]}
    back = api.get(f"{AT}/diff", params={"from": 2, "to": 1}).json()
    assert back["total"] == told["total"]
    versions = api.get(f"{AT}/versions").json()["versions"]
    assert [(each["version"], each["served"]) for each in versions] == [(1, False), (2, True)]


def test_a_column_that_came_with_a_release_is_a_change_of_its_values_alone(frames):
    after = frames["props"].head(3)
    same = compare(after.drop("edge_band"), after.with_columns(edge_band=pl.lit(None, pl.Float64)))
    assert same.size == 0
    told = compare(after.drop("edge_band"), after.with_columns(edge_band=pl.lit(0.5)))
    assert list(told.changed.values()) == [{"edge_band": (None, 0.5)}] * 3


def test_a_version_whose_rows_are_gone_is_not_kept(api, redis, repriced, meta):
    publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
    wait_for(lambda: api.get(AT).json()["slate"]["version"] == 2)
    slate = SlateKeys(DAY)
    # between the look for the version and the read of its rows: listed, with its record, and nothing behind it
    redis.delete(*redis.keys(f"{slate.version_prefix}1:*props*"))
    wait_for(lambda: not api.parts.cache.memory.hot(f"{DAY}.v1"))
    gone = api.get(AT, params={"version": 1, "sort": "line"})
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:backstop:no-version")


def test_a_refusal_reads_as_a_sentence(api):
    told = api.get("/api/v1/slates/tomorrow").json()["detail"]
    assert told == (
        "The request cannot be read: path.date: 'tomorrow' is not a date; expected YYYY-MM-DD, for example 2025-06-15 "
        "(seen 'tomorrow')."
    )


def test_the_list_names_every_published_slate_newest_first(api, redis, frames, meta):
    import datetime as dt

    later = DAY + dt.timedelta(days=1)
    publish(redis, frames, day=later, run_id="r9", meta={**meta, "quality": "degraded"})
    wait_for(lambda: len(api.get("/api/v1/slates").json()["slates"]) == 2)
    listed = api.get("/api/v1/slates").json()["slates"]
    assert [(each["date"], each["degraded"]) for each in listed] == [(str(later), True), (str(DAY), False)]
    assert [each["date"] for each in api.get("/api/v1/slates", params={"before": str(later)}).json()["slates"]] == [
        str(DAY)
    ]


def test_a_day_whose_rows_outlived_their_lifetime_is_not_listed_and_says_so(api, redis, frames, meta):
    import datetime as dt

    old = DAY - dt.timedelta(days=20)
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=SLATE_TTL_S + 60)
    publish(redis, frames, day=old, run_id="old", meta=meta, published_at=long_ago)
    # the pointer stays for ever, so that no number is used twice
    redis.delete(*redis.keys(f"{SlateKeys(old).version_prefix}*"))
    assert redis.exists(SlateKeys(old).current)
    wait_for(lambda: api.get("/api/v1/slates").status_code == 200)
    assert [each["date"] for each in api.get("/api/v1/slates").json()["slates"]] == [str(DAY)]
    for path in (f"/api/v1/slates/{old}", f"/api/v1/slates/{old}/board", f"/api/v1/players/1001?date={old}"):
        gone = api.get(path)
        assert (gone.status_code, gone.json()["type"]) == (404, "urn:backstop:no-slate"), path
    assert api.get("/api/v1/players/999999").status_code == 404


def test_a_list_of_more_slates_than_are_followed_lets_go_of_the_oldest(api, redis, frames, meta, monkeypatch):
    import datetime as dt

    monkeypatch.setattr("backstop.cache.pointers.FOLLOWED", 2)
    days = [DAY + dt.timedelta(days=n) for n in range(4)]
    for day in days[1:]:
        publish(redis, frames, day=day, run_id=str(day), meta=meta)
    wait_for(lambda: len(api.get("/api/v1/slates", params={"limit": 100}).json()["slates"]) == 4)
    assert api.parts.cache.pointers.followed() == days[2:]


def test_the_board_document_is_columns_of_one_length_with_a_distribution_for_every_prop(api, frames):
    board = api.get(f"{AT}/board").json()
    assert board["format"] == 1
    lengths = {len(each["codes"] if isinstance(each, dict) else each) for each in board["props"].values()}
    assert lengths == {len(frames["props"])}
    for place, line, over in zip(
        board["props"]["distribution"], board["props"]["line"], board["props"]["prob_over"], strict=True
    ):
        chances = board["distributions"][place]
        assert sum(chances) == pytest.approx(1, abs=0.02)
        assert sum(chances[int(line) + 1 :]) == pytest.approx(over, abs=0.015)


def test_the_boards_distributions_are_those_of_the_fit_behind_the_props(api, redis, frames, features, quoted, meta):
    shipped = Fitted.shipped()
    own = dataclasses.replace(
        shipped, calibration=shipped.calibration.model_copy(update={"markets": {"batter_hits": Platt(intercept=1.5)}})
    )
    mine = {**frames, "props": price(generate(features, lines=quoted, fitted=own), quoted)}
    day = DAY + dt.timedelta(days=1)
    publish(redis, mine, day=day, run_id="own", meta={**meta, "fitted": own.dumped()})
    props = api.get(f"/api/v1/slates/{day}/board").json()
    hits = pl.DataFrame({name: props["props"][name] for name in ("distribution", "line", "prob_over")})
    for place, line, over in hits.iter_rows():
        assert sum(props["distributions"][place][int(line) + 1 :]) == pytest.approx(over, abs=0.015)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/slates/2024-01-01", 404, "no-slate"),
        (f"{AT}?version=77", 404, "no-version"),
        (f"{AT}?limit=0", 422, "invalid-request"),
        (f"{AT}?min_edge=nan", 422, "invalid-request"),
        (f"{AT}?market=home_runs", 422, "invalid-request"),
        (f"{AT}?colour=red", 422, "invalid-request"),
        ("/api/v1/slates/yesterday", 422, "invalid-request"),
        ("/api/v1/players/99", 404, "not-found"),
        (f"/api/v1/players/99?date={DAY}", 404, "no-player"),
        ("/api/v1/players/99999999999999999999", 422, "invalid-request"),
        ("/api/v1/props/nothing/top", 422, "invalid-request"),
        ("/api/v1/games/1", 404, "not-found"),
        (f"/api/v1/games/1?date={DAY}", 404, "no-game"),
        (f"{AT}/diff", 404, "no-version"),
    ],
)
def test_a_refusal_is_a_problem_document_with_a_sentence(api, path, status, kind):
    answer = api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:backstop:{kind}"
    assert (told["status"], told["instance"]) == (status, path.partition("?")[0])
    assert told["detail"].endswith(".")


def test_an_unknown_address_and_a_wrong_method_are_problem_documents_too(api):
    assert api.get("/nothing/here").json()["status"] == 404
    wrong = api.put(AT)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert wrong.json()["title"] == "Method Not Allowed"
    head = api.head(AT)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == api.get(AT).headers["etag"]
