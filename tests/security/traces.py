"""Everything that a run left behind, as bytes to be searched: files, packed bodies, tables, databases, Redis."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import redis
import sqlalchemy
import zstandard

ZSTD = b"\x28\xb5\x2f\xfd"
SQLITE = b"SQLite format 3\x00"


def of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file's name and bytes, and besides what is inside when it is packed, a table or a database."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name, content = str(path.relative_to(folder)), path.read_bytes()
        yield name, name.encode() + b"\n" + content
        if content.startswith(ZSTD):
            yield f"{name} unpacked", unpacked(content)
        elif path.suffix == ".parquet":
            yield f"{name} as rows", pl.read_parquet(path).write_ndjson().encode()
        elif content.startswith(SQLITE):
            yield from of_database(path)


def of_database(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every row of every table, for a long value is scattered over the pages of the file."""
    with sqlite3.connect(path) as database:
        database.text_factory = bytes
        tables = [row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608 - names of its own tables
            yield f"{path.name} {table}", repr(rows).encode()
    database.close()


def of_sql(url: str) -> Iterator[tuple[str, bytes]]:
    """Yield every table of a database server, whole."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        for name in sqlalchemy.inspect(engine).get_table_names():
            rows = connection.execute(sqlalchemy.text(f'SELECT * FROM "{name}"')).fetchall()  # noqa: S608 - as above
            yield f"sql {name}", repr(rows).encode()
    engine.dispose()


def of_redis(client: redis.Redis, databases: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield every key with its whole value, and packed values unpacked."""
    known = client.get_connection_kwargs()
    pool = {name: known[name] for name in ("host", "port", "password")}
    for number in range(databases):
        each = redis.Redis(**{**pool, "db": number})
        for key in each.scan_iter():
            for part in (key, *_value(each, key)):
                yield f"redis {number} {key!r}", unpacked(part) if part.startswith(ZSTD) else part
        each.close()


def _value(client: redis.Redis, key: bytes) -> list[bytes]:
    kind = client.type(key).decode()
    if kind == "none":  # it ran out meanwhile
        return []
    if kind == "string":
        return [client.get(key) or b""]
    whole = {
        "hash": client.hgetall,
        "list": lambda name: client.lrange(name, 0, -1),
        "set": client.smembers,
        "zset": lambda name: client.zrange(name, 0, -1),
        "stream": client.xrange,
    }[kind](key)
    return [part for pair in whole.items() for part in pair] if kind == "hash" else [*map(_bytes, whole)]


def _bytes(part: object) -> bytes:
    return part if isinstance(part, bytes) else repr(part).encode()


def unpacked(content: bytes) -> bytes:
    """Return what a zstd frame holds."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)
