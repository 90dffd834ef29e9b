"""Addresses of a lake: those of a local disk are as safe as a folder, and what shows half a file is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.errors import ConfigurationError
from backstop.lake.bucket import Bucket
from backstop.lake.places import Folder, place_of
from backstop.lake.tables import Lake
from tests.lake.conftest import DAY

ROWS = pl.DataFrame({"game_date": [DAY] * 3, "n": [1, 2, 3]})
SCHEMES = ["file", "local"]

CUT_OFF = """
import builtins, datetime as dt, io, os, signal, sys
import polars as pl
from backstop.lake.tables import Lake

class Half:
    def __init__(self, file):
        self.file = file
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

def half(path, mode="r", *args, opened=io.open, **given):
    file = opened(path, mode, *args, **given)
    return Half(file) if "w" in mode else file

lake, day = Lake(sys.argv[1]), dt.date(2025, 6, 15)
rows = lake.read("t", day).with_columns(pl.col("n") + 10)
builtins.open = io.open = half
lake.write("t", day, rows)
"""
"""Ends with half of the bytes written, whoever opened the file that is to hold them."""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_writer_that_is_killed_in_the_midst_leaves_the_old_rows(tmp_path, scheme):
    address = f"{scheme}://{tmp_path}/lake"
    Lake(address).write("t", DAY, ROWS)
    ended = subprocess.run([sys.executable, "-c", CUT_OFF, address], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert_frame_equal(Lake(address).read("t", DAY), ROWS)
    assert_frame_equal(Lake(tmp_path / "lake").read("t", DAY), ROWS)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_reader_that_has_a_file_open_keeps_the_rows_that_it_began_to_read(tmp_path, scheme):
    lake = Lake(f"{scheme}://{tmp_path}/lake")
    path = lake.write("t", DAY, ROWS).path
    assert path == str(tmp_path / "lake" / "t" / f"game_date={DAY}" / "part.parquet")
    with Path(path).open("rb") as reader:
        before = os.fstat(reader.fileno()).st_ino
        lake.write("t", DAY, ROWS.head(1))
        assert_frame_equal(pl.read_parquet(reader), ROWS)
    assert Path(path).stat().st_ino != before
    assert lake.read("t", DAY).height == 1


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("file:///data/lake", "/data/lake"),
        ("local:///data/lake/", "/data/lake"),
        ("FILE:///data/lake", "/data/lake"),
        ("file:///data/a lake", "/data/a lake"),
        ("/data/lake", "/data/lake"),
        ("lake", "lake"),
    ],
)
def test_a_local_address_is_a_folder(address, root):
    place = place_of(address)
    assert isinstance(place, Folder)
    assert str(place.root) == root


@pytest.mark.parametrize("address", ["sftp://host/lake", "ssh://host/lake", "ftp://host/lake", "smb://host/share/lake"])
def test_a_file_server_that_shows_half_a_file_is_refused(address):
    with pytest.raises(ConfigurationError, match=r"://host/.*half-written.*Use a folder.*or an object store"):
        place_of(address)


def test_an_object_store_is_a_bucket(tmp_path):
    assert isinstance(place_of(f"memory://{tmp_path.name}"), Bucket)
