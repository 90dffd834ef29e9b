"""The form and the encoding of an answer: what a caller accepts, each with its weight (RFC 9110, 12.5)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from backstop.api.answers import encoding_of, weights
from backstop.api.slates import shape_of
from tests.api.serving import DAY

AT = f"/api/v1/slates/{DAY}"


def accepting(header, told):
    lines = [told] if isinstance(told, str) else told
    return Request({"type": "http", "headers": [(header.encode(), each.encode()) for each in lines if each]})


@pytest.mark.parametrize(
    ("accepted", "shape"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html", "json"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.file, application/json", "arrow"),
        ("Application/VND.Apache.Parquet", "parquet"),
        ("application/vnd.apache.parquet;q=0", "json"),
        ("application/vnd.apache.parquet;q=0, application/json", "json"),
        ("application/vnd.apache.parquet;q=0.4, application/json;q=0.5", "json"),
        ("application/vnd.apache.parquet;q=0.5, application/json;q=0.5", "parquet"),
        ("application/vnd.apache.parquet;q=0.1, application/vnd.apache.arrow.file;q=0.2", "arrow"),
        ("application/vnd.apache.parquet, */*;q=0.8", "parquet"),
        ("application/vnd.apache.parquet;q=0.1, */*", "json"),
        ("application/json;q=0, */*", "arrow"),
        ("application/json;q=0, application/vnd.apache.arrow.file;q=0, application/*", "parquet"),
        ("application/vnd.apache.parquet;q=0.5, application/json;q=0.2, */*;q=0.9", "arrow"),
        ("application/*;q=0.2, */*", "json"),
        ("*/*;q=0", "json"),
        (["text/html", "application/vnd.apache.parquet"], "parquet"),
        (["application/vnd.apache.parquet;q=0.1", "application/json;q=0.2"], "json"),
    ],
)
def test_the_form_is_the_one_that_is_liked_best(accepted, shape):
    assert shape_of(accepting("accept", accepted)) == shape


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""),
        ("br", ""),
        ("identity", ""),
        ("gzip, zstd", "zstd"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=0, zstd;q=0.000", ""),
        ("gzip, zstd;q=0.9", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0.5, *;q=0.6", "zstd"),
        ("gzip, *;q=0", "gzip"),
        ("*;q=0", ""),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        (["br", "GZIP"], "gzip"),
        (["gzip", "gzip;q=0.5, zstd;q=0"], "gzip"),
    ],
)
def test_the_encoding_is_the_one_that_is_liked_best(accepted, encoding):
    assert encoding_of(accepting("accept-encoding", accepted)) == encoding


def test_an_answer_goes_by_every_line_of_what_is_accepted(api):
    for lines, encoding in ((("br", "gzip"), "gzip"), (("gzip;q=0.5", "identity"), None)):
        for path in (AT, f"{AT}/board", "/"):
            answer = api.get(path, headers=[("Accept-Encoding", each) for each in lines])
            assert answer.headers.get("content-encoding") == encoding, (path, lines)
    columns = [("Accept", "text/html"), ("Accept", "application/vnd.apache.parquet")]
    answer = api.get(AT, headers=columns)
    assert (answer.headers["content-type"], answer.content[:4]) == ("application/vnd.apache.parquet", b"PAR1")
    assert answer.headers["etag"] != api.get(AT, headers=columns[:1]).headers["etag"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", {"": 1.0}),
        ("gzip", {"gzip": 1.0}),
        ("gzip; q=0.000, zstd ;Q=.5,br;q=2", {"gzip": 0.0, "zstd": 1.0, "br": 1.0}),
        ("a/b;level=1;q=0.25", {"a/b": 0.25}),
        ("gzip;q=nan, zstd;q=-1, br;q=1e0", {"gzip": 1.0, "zstd": 1.0, "br": 1.0}),
    ],
)
def test_weights_are_read_and_what_is_none_counts_as_one(header, told):
    assert weights(header) == told
