"""CSV as text: every value a string, nulls unified, columns by name, lines with a wrong number of fields set apart.

A value is given a type only afterwards (`cast`), so that nothing is guessed from the first rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from backstop.errors import UpstreamMalformed
from backstop.excerpt import excerpt

BOM = b"\xef\xbb\xbf"
NULLS = ("", "null", "NA", "--")
"""How feeds spell a null: today, Savant in 2020, files rewritten by R, Savant from July to November 2024."""

HEADER_BYTES = 20_000
"""The longest header that is read: 119 names take 2 kB."""

TAIL_BYTES = 1_000
"""How far from the end white space is looked for."""

_NO_MARKS = bytes(set(range(256)) - set(b'",\n'))
_QUOTATION = re.compile(rb'"[^"]*"')


@dataclass(frozen=True)
class Text:
    """A CSV answer as text.

    Attributes:
        header: Column names as sent, duplicates included.
        frame: The columns asked for that exist, all String, one row per line with the right number of fields; of a name
            that stands twice the first column has the name itself and the second `name#2`.
        misshapen: Lines with more or fewer fields than the header, or with a stray quotation mark.
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    misshapen: tuple[str, ...]

    @property
    def duplicated(self) -> tuple[str, ...]:
        """Names that stand in the header more than once."""
        return tuple(name for name, times in Counter(self.header).items() if times > 1)


def strip(body: bytes) -> bytes:
    """Return the body without byte order mark and without white space around it."""
    return body.removeprefix(BOM).strip()


def refuse_html(body: bytes, source: str) -> None:
    """Refuse a web page that came with status 200.

    Raises:
        UpstreamMalformed: the first character is `<`.
    """
    if strip(body[:200]).startswith(b"<"):
        found = re.search(rb"<(?:title|h1)[^>]*>(.*?)<", body[:20_000], re.IGNORECASE | re.DOTALL)
        title = f" entitled {excerpt(found[1].decode(errors='replace').strip())!r}" if found else ""
        raise UpstreamMalformed(
            f"{source} answered a web page{title} where data was expected; ask again later, and check the parameters "
            "if it persists.",
            source=source,
        )


def header_of(body: bytes) -> tuple[str, ...]:
    """Return the column names of a CSV body, empty for an empty body."""
    first = strip(body[:HEADER_BYTES]).partition(b"\n")[0].rstrip()
    if not first:
        return ()
    # a lone carriage return is no line end of these feeds, but the reader would refuse it
    text = first.decode("utf-8", errors="replace").replace("\r", " ").replace("\0", " ")
    return tuple(next(csv.reader(io.StringIO(text))))


def read(body: bytes, columns: Collection[str], *, source: str) -> Text:
    """Read the named columns of a CSV body as text.

    Args:
        body: The answer, with or without byte order mark, LF or CR LF line ends, last line end optional.
        columns: Names wanted; those that the header lacks are left out.
        source: Named in errors.

    Raises:
        UpstreamMalformed: a quotation is not closed, so that the answer was cut.
    """
    header = header_of(body)
    unique = numbered(header)
    wanted = {place: name for place, name in enumerate(unique) if name in columns}
    lines, misshapen = body, tuple[str, ...]()
    counts = separators(body, source)
    is_uniform = set(counts[:-1] if body.endswith(b"\n") else counts) == {len(header) - 1}
    # where a quotation holds a line end, two stray marks may hold it between them
    if not is_uniform or len(counts) <= body.count(b"\n"):
        lines, misshapen = _set_apart(strip(body), len(header) - 1)
    if not wanted:
        return Text(header, pl.DataFrame(), misshapen)
    try:
        frame = _frame(lines, wanted)
    except pl.exceptions.PolarsError:
        lines, misshapen = _set_apart(strip(body), len(header) - 1, strictly=True)
        try:
            frame = _frame(lines, wanted)
        except pl.exceptions.PolarsError as error:
            raise UpstreamMalformed(
                f"{source} answered a CSV that cannot be read ({error}): bytes that are no UTF-8, or a broken "
                "quotation; ask again.",
                source=source,
            ) from error
    return Text(header, frame, misshapen)


def _frame(lines: bytes, wanted: dict[int, str]) -> pl.DataFrame:
    frame = pl.read_csv(lines, infer_schema=False, null_values=list(NULLS), columns=list(wanted))
    frame.columns = list(wanted.values())
    return frame


def fault_of(line: str, fields: int) -> str:
    """Say what is wrong with a misshapen line.

    >>> fault_of('1,"2"3",4', 3)
    'has a quotation mark where no field begins or ends'
    """
    if RECORD.fullmatch(line.encode()):
        return f"does not have {fields} fields"
    return "has a quotation mark where no field begins or ends"


def numbered(header: Sequence[str]) -> list[str]:
    """Return the names with `#2`, `#3` behind those that stood before.

    >>> numbered(["a", "b", "a"])
    ['a', 'b', 'a#2']
    """
    times: Counter[str] = Counter()
    names = []
    for name in header:
        times[name] += 1
        names.append(name if times[name] == 1 else f"{name}#{times[name]}")
    return names


def end_of(body: bytes) -> int:
    """Return where the content ends: white space behind it is no row."""
    return len(body) - len(body[-TAIL_BYTES:]) + len(body[-TAIL_BYTES:].rstrip())


def last_line(body: bytes, end: int) -> int:
    r"""Return where the line begins that ends at a place; a line end within a quotation ends no line.

    >>> last_line(b'a,b\n1,"2\n3"', 11)
    4
    """
    start, quotes = end, 0
    while True:
        before = body.rfind(b"\n", 0, max(start - 1, 0)) + 1
        quotes += body.count(b'"', before, start)
        start = before
        if not start or quotes % 2 == 0:
            return start


def separators(body: bytes, source: str) -> list[int]:
    """Count the separators of each line, those within quotations left out.

    Only quotes, commas and line ends are looked at: a day of pitches takes 5 ms that way, a CSV reader 60.

    Raises:
        UpstreamMalformed: a quotation is not closed, so that the answer was cut.
    """
    # what is left of a quotation without a comma is two quotes; the others are few
    marks = body.translate(None, _NO_MARKS).replace(b'""', b"")
    marks = _QUOTATION.sub(b"", marks)
    if b'"' in marks:
        raise UpstreamMalformed(
            f"{source} answered a CSV in which a quotation is not closed: it was cut after {len(body)} bytes; "
            "ask again.",
            source=source,
        )
    return [len(line) for line in marks.split(b"\n")]


def _set_apart(body: bytes, count: int, *, strictly: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """Divide the lines below the header into those with the right number of separators and the others.

    Blank lines are dropped; the header is made anew, because no mark in it may take the first row. A line with a stray
    quotation mark is one of the others if it would take part of the next one, or, strictly, at all.
    """
    good = [b",".join([b"x"] * (count + 1))]
    bad: list[bytes] = []
    for line in _whole_lines(body.partition(b"\n")[2]):
        if not line.strip():
            continue
        is_good = _separated(line) == count and line.count(b'"') % 2 == 0 and (not strictly or RECORD.fullmatch(line))
        (good if is_good else bad).append(line)
    return b"\n".join(good), tuple(line.decode(errors="replace") for line in bad)


def _separated(line: bytes) -> int:
    """Count the separators outside of quotations."""
    return b"".join(line.split(b'"')[::2]).count(b",")


FIELD = rb'(?:"[^"]*(?:""[^"]*)*"|[^",\n]*)'
RECORD = re.compile(FIELD + rb"(?:," + FIELD + rb")*\r?")
"""A line, or several, whose quotations begin and end with a field."""


def _whole_lines(body: bytes) -> Iterator[bytes]:
    """Split at line ends outside of quotations.

    A mark that stands where no quotation begins or ends, or is never closed, is a stray one: it costs its own line, not
    all up to the next mark.
    """
    begun: list[bytes] = []
    quotes = 0
    for line in body.split(b"\n"):
        begun.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            whole = b"\n".join(begun)
            yield from [whole] if len(begun) == 1 or RECORD.fullmatch(whole) else begun
            begun.clear()
    yield from begun
