"""CSV as text: against Python's own reader, whatever the quotes, ends of line and marks; what was cut is refused."""

from __future__ import annotations

import csv
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import UpstreamMalformed
from backstop.sources import csvtext

BOM = b"\xef\xbb\xbf"
CELL = st.text(alphabet=string.ascii_letters + string.digits + ' ,".-éß大', max_size=12).filter(
    lambda text: text == text.strip() and text not in csvtext.NULLS
)


def written(rows: list[list[str]], *, end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


def read(body: bytes, *columns: str) -> csvtext.Text:
    return csvtext.read(body, columns or ("a", "b", "c"), source="The feed")


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
    st.booleans(),
)
def test_every_value_is_read_as_pythons_own_reader_reads_it(
    rows: list[list[str]], end: str, quoting: int, mark: bool, open_end: bool
) -> None:
    body = written([["a", "b", "c"], *rows], end=end, quoting=quoting)
    body = (BOM if mark else b"") + (body.removesuffix(end.encode()) if open_end else body)
    found = read(body)
    assert found.header == ("a", "b", "c")
    assert found.frame.rows() == [tuple(row) for row in rows]
    assert found.misshapen == ()


@pytest.mark.parametrize("null", csvtext.NULLS)
def test_every_spelling_of_a_null_is_null_and_nothing_else_is(null: str) -> None:
    found = read(f'a,b,c\n{null},"{null}",x\nNull,na,-\n0,none,nan\n'.encode())
    assert found.frame.rows() == [(None, None, "x"), ("Null", "na", "-"), ("0", "none", "nan")]


def test_columns_are_found_by_name_in_any_order_and_others_are_left_out() -> None:
    found = read(b"z,c,a,y\n1,2,3,4\n", "a", "c", "gone")
    assert found.header == ("z", "c", "a", "y")
    assert found.frame.to_dicts() == [{"c": "2", "a": "3"}]


def test_the_second_column_of_a_name_has_a_number_and_the_name_is_told() -> None:
    found = read(b"a,b,a,a\n1,2,3,4\n", "a", "a#3")
    assert found.frame.to_dicts() == [{"a": "1", "a#3": "4"}]
    assert found.duplicated == ("a",)
    assert csvtext.numbered(["a", "b", "a", "a", "b"]) == ["a", "b", "a#2", "a#3", "b#2"]


@pytest.mark.parametrize("body", [b"", b"\r\n", BOM, BOM + b"\n\n"])
def test_an_empty_body_has_no_columns_and_no_rows(body: bytes) -> None:
    found = read(body)
    assert (found.header, found.frame.shape, found.misshapen) == ((), (0, 0), ())


@pytest.mark.parametrize("body", [b"a,b,c", b"a,b,c\n", b"a,b,c\r\n\r\n", BOM + b'"a","b","c"\n'])
def test_a_header_alone_is_a_table_without_rows(body: bytes) -> None:
    found = read(body)
    assert found.header == ("a", "b", "c")
    assert found.frame.columns == ["a", "b", "c"]
    assert found.frame.is_empty()


@pytest.mark.parametrize(
    ("lines", "good", "bad"),
    [
        ([b"1,2,3", b"4,5"], [("1", "2", "3")], ("4,5",)),
        ([b"1,2,3,4", b"5,6,7"], [("5", "6", "7")], ("1,2,3,4",)),
        ([b"", b"1,2,3", b"   ", b"4,5,6", b""], [("1", "2", "3"), ("4", "5", "6")], ()),
        ([b'"1,2",3,4', b'"5,6",7'], [("1,2", "3", "4")], ('"5,6",7',)),
        ([b"1,2,3", b"only"], [("1", "2", "3")], ("only",)),
        ([b'1,"2\n",3', b"only"], [("1", "2\n", "3")], ("only",)),
        ([b'1,"2\n3"', b"4,5,6"], [("4", "5", "6")], ('1,"2\n3"',)),
        ([b"one", b"two"], [], ("one", "two")),
        ([b"\xff,2", b"1,2,3"], [("1", "2", "3")], ("\ufffd,2",)),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_with_a_wrong_number_of_fields_are_set_apart_and_blank_ones_dropped(
    lines: list[bytes], good: list[tuple[str, ...]], bad: tuple[str, ...], end: bytes
) -> None:
    found = read(end.join([b"a,b,c", *lines]))
    assert found.frame.rows() == good
    assert tuple(line.rstrip("\r") for line in found.misshapen) == bad


@pytest.mark.parametrize("body", [b'a,b,c\n1,"2,3\n', b'a,b,c\n1,2,"', b'"a,b,c\n1,2,3\n', b'a,b,c\n1,"2""\n'])
def test_an_answer_that_ends_within_a_quotation_was_cut(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed, match=f"a quotation is not closed: it was cut after {len(body)} bytes"):
        read(body)


def test_bytes_that_are_no_text_refuse_the_answer() -> None:
    with pytest.raises(UpstreamMalformed, match="cannot be read"):
        read(b"a,b,c\n1,\xff\xfe,3\n")


def test_stray_marks_cost_their_own_lines_and_not_those_between() -> None:
    between = [b"%d,%d,%d" % (n, n, n) for n in range(3, 43)]
    found = read(b"\n".join([b"a,b,c", b'1,x"y,2,9', *between, b'5,z",6,9', b"7,8,9"]))
    assert found.misshapen == ('1,x"y,2,9', '5,z",6,9')
    assert found.frame.rows() == [*((str(n),) * 3 for n in range(3, 43)), ("7", "8", "9")]


@pytest.mark.parametrize("wrong", [[], [b"only"]])
@pytest.mark.parametrize(
    "stray",
    [(b'a1,b"2,c3', b'a4,b"5,c6'), (b'1,2,"x"3', b'4"5,6,7"'), (b'1,"2"3",4', b'5,"6"7",8'), (b'1,2,"3', b'4,5"6,7')],
)
def test_stray_marks_cost_their_own_lines_where_the_number_of_fields_is_right(
    stray: tuple[bytes, bytes], wrong: list[bytes]
) -> None:
    found = read(b"\n".join([b"a,b,c", b'1,"2,2",3', stray[0], b"4,5,6", *wrong, stray[1], b'7,"8\n8",9']))
    assert found.frame.rows() == [("1", "2,2", "3"), ("4", "5", "6"), ("7", "8\n8", "9")]
    assert sorted(found.misshapen) == sorted(line.decode() for line in (*stray, *wrong))


def test_a_stray_mark_in_the_header_takes_no_row() -> None:
    found = read(b'a"b,c"d,e\n1,2,3\nonly\n4,5,6\n', "e")
    assert (found.header, found.misshapen) == (('a"b', 'c"d', "e"), ("only",))
    assert found.frame.rows() == [("3",), ("6",)]


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_and_every_line_is_accounted_for(body: bytes) -> None:
    try:
        found = read(b"a,b,c\n" + body)
    except UpstreamMalformed:
        return
    lines = [line for line in body.split(b"\n") if line.strip()]
    assert len(found.frame) + len(found.misshapen) <= len(lines)
    if b'"' not in body:
        assert len(found.frame) + len(found.misshapen) == len(lines)


@pytest.mark.parametrize(
    ("body", "entitled"),
    [
        (b"<html><head><title> 524: A timeout occurred </title>", " entitled '524: A timeout occurred'"),
        (b"\n\t<!DOCTYPE html><body><H1 class='x'>502 Bad\nGateway</H1>", " entitled '502 Bad"),
        (BOM + b"<html><body>nothing", ""),
        (b"<title>\xff\xfe</title>", " entitled"),
    ],
)
def test_a_web_page_is_refused_with_its_title(body: bytes, entitled: str) -> None:
    with pytest.raises(UpstreamMalformed) as caught:
        csvtext.refuse_html(body, "The feed")
    assert f"The feed answered a web page{entitled}" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"a,b\n<td>,2\n", b'{"html": "<html>"}', b" a <"])
def test_data_in_which_a_tag_stands_further_on_is_no_web_page(body: bytes) -> None:
    csvtext.refuse_html(body, "The feed")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b'"last_name, first_name","player_id"\n1,2', ("last_name, first_name", "player_id")),
        (b"a\rb,c\0d\n", ("a b", "c d")),
        (b"a,\xff\n", ("a", "\ufffd")),
        (b'"he said ""no""",b', ('he said "no"', "b")),
        (b"\n\na,b\n", ("a", "b")),
    ],
)
def test_a_header_is_read_by_itself(body: bytes, header: tuple[str, ...]) -> None:
    assert csvtext.header_of(body) == header


@pytest.mark.parametrize(("tail", "length"), [(b"", 0), (b"\n", 0), (b" \r\n \n", 0), (b"x", 1), (b"x \n", 1)])
@pytest.mark.parametrize("before", [b"", b"a" * 5000])
def test_the_content_ends_before_the_white_space(before: bytes, tail: bytes, length: int) -> None:
    assert csvtext.end_of(before + tail) == len(before) + length
