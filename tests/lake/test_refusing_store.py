"""An object store that refuses one of many reads: the days that it holds must not be taken for days that are not."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from backstop.errors import LakeError
from backstop.lake.bucket import Bucket
from backstop.lake.tables import Lake
from tests.lake.conftest import DAY

DAYS = [DAY + dt.timedelta(days=n) for n in range(3)]


class Refusing(MemoryFileSystem):
    """Memory that answers some paths with an error, as a store does that is asked too fast."""

    cachable = False
    refused: str = ""
    error: Exception = OSError("503 SlowDown")

    def cat_file(self, path, start=None, end=None, **options):
        if self.refused and self.refused in path:
            raise self.error
        return super().cat_file(path, start, end, **options)


@pytest.fixture
def place(tmp_path) -> Bucket:
    return Bucket(f"memory://{tmp_path.name}", Refusing())


@pytest.fixture
def lake(place) -> Lake:
    lake = Lake(place)
    for n, day in enumerate(DAYS):
        lake.write("t", day, pl.DataFrame({"game_date": [day], "n": [n]}))
    return lake


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("error", [OSError("503 SlowDown"), PermissionError("403 AccessDenied"), TimeoutError("slow")])
def test_a_scan_of_which_one_day_is_refused_is_an_error_and_not_a_shorter_history(lake, place, day, error):
    assert lake.scan("t").collect()["n"].to_list() == [0, 1, 2]
    place.filesystem.refused, place.filesystem.error = str(day), error
    with pytest.raises(
        LakeError, match=rf"t/game_date={day}/part\.parquet could not be read \({error}\).*then run again"
    ):
        lake.scan("t")


def test_a_day_that_was_removed_after_it_was_listed_is_left_out(lake, place):
    lake.remove("t", DAYS[1])
    paths = [f"t/game_date={day}/part.parquet" for day in DAYS]
    found = place.read_many(paths)
    assert [pl.read_parquet(content)["n"].item() for content in found] == [0, 2]
    assert place.read_many([]) == []


def test_what_is_no_fault_of_the_store_is_not_called_one(lake, place):
    place.filesystem.refused, place.filesystem.error = str(DAYS[0]), KeyError("a fault in the driver")
    with pytest.raises(KeyError, match="a fault in the driver"):
        lake.scan("t")
