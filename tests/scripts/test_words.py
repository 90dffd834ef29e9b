"""What generated pages say: words of docstrings in cells, fields of messages read off the code, pictures in few colours."""

from __future__ import annotations

import ast
import struct
import zlib

import numpy as np
import pytest

from scripts import messages, rehearse_image
from scripts.palette import encoded
from scripts.words import attributes, cell, code

DOCSTRING = """Do something.

    More of it: with a colon, which is no argument.

    Args:
        first: One line.
        second: A line that goes on
            in the next; with: a colon.

    Returns:
        third: Not an argument.

    Raises:
        ValueError: neither.
    """


def test_what_a_docstring_says_of_arguments_is_read_by_name_and_nothing_else():
    assert attributes(DOCSTRING) == {"first": "One line.", "second": "A line that goes on in the next; with: a colon."}


@pytest.mark.parametrize("text", ["", "One line.", "One.\n\n    Returns:\n        x: y.\n"])
def test_a_docstring_without_arguments_has_none(text):
    assert attributes(text) == {}


def test_attributes_of_a_class_are_read_as_arguments_are():
    assert attributes("A thing.\n\nAttributes:\n    name: Of it.\n    size: In MB.\n") == {
        "name": "Of it.",
        "size": "In MB.",
    }


def test_text_stays_in_its_cell():
    assert cell("a | b\nc") == "a \\| b c"
    assert code(["x", "y_s"]) == "`x`, `y_s`"
    assert code([]) == ""


CODE = """
class Live:
    def hello(self):
        about = {"slate": 1, **self.state()}
        return {"type": "hello", "stream": self.name, **about}

    def state(self):
        return {"version": 1, "age_s": 2.0}

    async def ping(self):
        await self.send({"type": "ping"})

    def plain(self):
        return {"kind": "no message"}
"""


def test_the_fields_of_a_message_are_those_that_the_code_sends(tmp_path, monkeypatch):
    folder = tmp_path / "src" / "backstop" / "api"
    folder.mkdir(parents=True)
    for name, text in (("deltas.py", ""), ("live.py", CODE), ("feeds.py", "")):
        (folder / name).write_text(text)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    assert messages.message_fields() == {"hello": ["stream", "slate", "version", "age_s"], "ping": []}


def test_a_field_that_cannot_be_read_off_is_not_made_up():
    assert messages._fields(ast.parse("unknown", mode="eval").body, {}, {}) == []
    assert messages._fields(ast.parse("self.elsewhere()", mode="eval").body, {}, {}) == []


def chunks(picture):
    """Yield the chunks of a PNG, their checksums verified."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        kind, body = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        yield kind, body
        at += 12 + length


def test_a_picture_with_a_palette_is_decoded_to_the_pixels_that_went_in():
    palette = np.array([[0, 0, 0], [255, 255, 255], [12, 120, 90]], np.uint8)
    indices = np.array([[0, 1, 2, 1], [2, 2, 0, 0]], np.uint8)
    found = dict(chunks(encoded(indices, palette)))
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (4, 2, 8, 3, 0, 0, 0)
    assert np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3).tolist() == palette.tolist()
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(2, 5)
    assert rows[:, 0].tolist() == [0, 0]
    assert rows[:, 1:].tolist() == indices.tolist()
    assert list(found)[-1] == b"IEND"


DOCKERFILE = """\
# the build
FROM python:3.11 AS build
RUN one \\
    && two
COPY a b /target

from build
# a remark
USER backstop
"""


def test_a_dockerfile_is_read_stage_by_stage_with_its_lines_joined():
    assert rehearse_image.instructions(DOCKERFILE) == [
        ("FROM", "python:3.11 AS build"), ("RUN", "one  && two"), ("COPY", "a b /target"), ("FROM", "build"), ("USER", "backstop")
    ]  # fmt: skip
    first, second = rehearse_image.stages(DOCKERFILE)
    assert [word for word, _ in first] == ["FROM", "RUN", "COPY"]
    assert second == [("FROM", "build"), ("USER", "backstop")]
