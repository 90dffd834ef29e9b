"""Columns of folders: CSV files get the ones that Polars gives Parquet files in folders of the same names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gx_polars.hive import FILE, partitioned_files, with_partitions

SAME = [
    ["1", "2"],
    ["007", "8"],
    ["-5", "0"],
    ["1_000"],
    ["+5", "6"],
    [" 7"],
    ["2025-07-01", "2025-12-31"],
    ["20250701"],
    ["2025-W01-1"],
    ["2025-02-30"],
    ["1", "x"],
    ["2025-07-01", "x"],
    ["1", "__HIVE_DEFAULT_PARTITION__"],
    ["NYY", "__HIVE_DEFAULT_PARTITION__"],
    ["a%20b", "a%2Fb", "é"],
    [""],
]


def files(folder: Path, values: list[str], key: str = "k", suffix: str = "parquet") -> list[Path]:
    made = []
    for number, value in enumerate(values):
        path = folder / f"{key}={value}" / f"part.{suffix}"
        path.parent.mkdir(parents=True)
        frame = pl.DataFrame({"x": [number]})
        frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
        made.append(path)
    return made


@pytest.mark.parametrize("values", SAME, ids=str)
def test_a_partition_column_is_the_one_that_parquet_files_get(tmp_path: Path, values: list[str]) -> None:
    files(tmp_path, values)
    theirs = pl.scan_parquet(f"{tmp_path}/**/*.parquet", hive_partitioning=True).collect()["k"]
    ours = partitioned_files(f"{tmp_path}/**/*.parquet")["k"]
    assert (ours.dtype, sorted(ours, key=str)) == (theirs.dtype, sorted(theirs, key=str))


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (["9223372036854775807", "-9223372036854775808"], pl.Series([2**63 - 1, -(2**63)], dtype=pl.Int64)),
        (["9223372036854775808"], pl.Series(["9223372036854775808"])),
        (["9" * 25, "1"], pl.Series(["9" * 25, "1"])),
        (["٣"], pl.Series(["٣"])),
        (["1.5", "true"], pl.Series(["1.5", "true"])),
        (["a=b"], pl.Series(["a=b"])),
    ],
    ids=[
        "the ends of 64 bits",
        "one more",
        "an id beyond them",
        "digits of another script",
        "other types",
        "an equals sign",
    ],
)
def test_what_is_no_whole_number_and_no_day_stays_text(tmp_path: Path, values: list[str], column: pl.Series) -> None:
    files(tmp_path, values)
    found = partitioned_files(str(tmp_path))["k"]
    assert (found.dtype, set(found)) == (column.dtype, set(column))


def test_a_file_without_the_key_has_none_and_files_come_by_name(tmp_path: Path) -> None:
    files(tmp_path, ["2", "1"])
    pl.DataFrame({"x": [9]}).write_parquet(tmp_path / "loose.parquet")
    found = partitioned_files(str(tmp_path))
    assert [Path(name).parent.name for name in found[FILE]] == ["k=1", "k=2", tmp_path.name]
    assert found["k"].to_list() == [1, 2, None]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path: Path) -> None:
    (made,) = files(tmp_path / "a[1]*", ["1"])
    assert partitioned_files(str(tmp_path / "a[1]*"))[FILE].to_list() == [str(made)]


def test_the_key_that_is_nearest_to_the_file_counts_when_a_key_comes_twice(tmp_path: Path) -> None:
    files(tmp_path / "k=1", ["2"])
    assert partitioned_files(str(tmp_path))["k"].to_list() == [2]


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("{}/nothing/*.csv", FileNotFoundError, "There are no files under"),
        ("{}", FileNotFoundError, "There are no files under"),
        ("s3://bucket/lake", ValueError, "is a URL: use Parquet there"),
    ],
)
def test_where_no_files_can_be_listed_the_path_is_named(
    tmp_path: Path, path: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        partitioned_files(path.format(tmp_path))


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (["1", "2"], [1, 2]),
        (["2025-07-01", "2025-07-02"], [dt.date(2025, 7, 1), dt.date(2025, 7, 2)]),
        (["a", "b"], ["a", "b"]),
    ],
    ids=["numbers", "days", "text"],
)
def test_the_columns_of_the_folders_come_beside_those_of_the_files(
    tmp_path: Path, values: list[str], column: list[Any]
) -> None:
    files(tmp_path, values, suffix="csv")
    listed = partitioned_files(str(tmp_path))
    scanned = pl.scan_csv(listed[FILE].to_list(), include_file_paths=FILE)
    whole = with_partitions(scanned, listed).collect().sort("x")
    assert whole.to_dict(as_series=False) == {"x": [0, 1], "k": column}
