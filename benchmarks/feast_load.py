"""Feast's side of `benchmarks.redis_load`; runs in an environment of its own that has `feast[redis]`.

    python feast_load.py FOLDER PORT KIND READS MANY

FOLDER holds rows.parquet. Prints one JSON object: rows per second, and median microseconds of READS reads of all rows of
one player and of MANY players, as dicts.
"""

import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feast
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Bool, Float64, Int64, String

folder, port, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
reads, many = int(sys.argv[4]), int(sys.argv[5])
rows = pd.read_parquet(folder / "rows.parquet")
key = "prop_id" if kind == "props" else "player_id_mlbam"
for name in rows.columns:
    if rows[name].dtype.kind == "i":
        rows[name] = rows[name].astype("int64")
    elif rows[name].dtype.kind not in "fb":
        rows[name] = rows[name].astype(str)
rows["at"] = pd.Timestamp(datetime.now(UTC))
types = {"f": Float64, "i": Int64, "b": Bool}
entity = Entity(name="row", join_keys=[key], value_type=ValueType.STRING if kind == "props" else ValueType.INT64)
view = FeatureView(
    name="rows",
    entities=[entity],
    ttl=timedelta(days=14),
    schema=[Field(name=n, dtype=types.get(rows[n].dtype.kind, String)) for n in rows.columns if n != "at"],
    source=FileSource(path=str(folder / "rows.parquet"), timestamp_field="at"),
)
store = FeatureStore(
    config=RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        online_store={"type": "redis", "connection_string": f"127.0.0.1:{port}"},
        entity_key_serialization_version=3,
    )
)
store.apply([entity, view])
store.write_to_online_store("rows", rows.head(100))
began = time.perf_counter()
store.write_to_online_store("rows", rows)
rate = len(rows) / (time.perf_counter() - began)
names = [f"rows:{n}" for n in rows.columns if n not in (key, "at")]


by_player = rows.groupby("player_id_mlbam")[key].apply(list).sort_index().tolist()


def read(count):
    taken = []
    for start in range(0, reads * count, count):
        players = [by_player[(start + n) % len(by_player)] for n in range(count)]
        asked = [{key: value} for values in players for value in values]
        began = time.perf_counter()
        store.get_online_features(features=names, entity_rows=asked).to_dict()
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


print(
    json.dumps(
        {"version": feast.__version__, "rate": rate, "reads": {"one player": read(1), f"{many} players": read(many)}}
    )
)
