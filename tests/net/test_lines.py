"""Files of lines that several processes write: whole lines, each once, whatever happens to their writers."""

from __future__ import annotations

import errno
import multiprocessing
import resource
import threading
from pathlib import Path

import pytest

from backstop.net import lines

SPAWN = multiprocessing.get_context("spawn")


def read(path: Path) -> list[bytes]:
    data = path.read_bytes()
    assert data.endswith(b"\n") or not data
    return data.split(b"\n")[:-1]


def write_many(path: Path, who: int, count: int) -> None:
    for number in range(count):
        lines.append(path, b"%d:%d:%s" % (who, number, b"x" * (number * 37 % 5000)))


def fill(path: Path, limit: int, told) -> None:
    """Append until the file may not grow any more, and tell why it ended."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        while True:
            lines.append(path, b"0123456789")
    except OSError as error:
        told.send(error.errno)


def test_the_file_and_its_folder_are_made_at_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.jsonl"
    lines.append(path, b"one")
    lines.append(path, b"")
    lines.append(path, "drei — \u00fc".encode())
    assert read(path) == [b"one", b"", "drei — \u00fc".encode()]


def test_lines_of_several_processes_and_threads_stand_whole_and_in_the_order_of_each(tmp_path: Path) -> None:
    path = tmp_path / "index"
    workers = [SPAWN.Process(target=write_many, args=(path, who, 60)) for who in (1, 2)]
    workers += [threading.Thread(target=write_many, args=(path, who, 60)) for who in (3, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    of = {who: [] for who in (1, 2, 3, 4)}
    for line in read(path):
        who, number, filler = line.split(b":")
        of[int(who)].append(int(number))
        assert len(filler) == int(number) * 37 % 5000
    assert of == {who: list(range(60)) for who in of}


@pytest.mark.parametrize("torn", [b"torn", b"whole\ntorn", b"\xff\xfe{"])
def test_a_line_that_a_killed_writer_left_without_its_end_does_not_spoil_the_next(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "index"
    path.write_bytes(torn)
    lines.append(path, b"next")
    assert path.read_bytes() == torn + b"\nnext\n"


@pytest.mark.parametrize("limit", [11, 25, 32, 33])
def test_a_line_that_does_not_fit_is_an_error_and_leaves_no_part_of_itself(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "index"
    heard, told = SPAWN.Pipe(duplex=False)
    worker = SPAWN.Process(target=fill, args=(path, limit, told))
    worker.start()
    assert heard.poll(60), "the writer came to no end"
    assert heard.recv() in {errno.ENOSPC, errno.EFBIG}
    worker.join(60)
    assert read(path) == [b"0123456789"] * (limit // 11)


@pytest.mark.parametrize("kept", [[b"kept"], []], ids=["replaced", "gone"])
def test_a_writer_that_waited_while_the_file_was_rewritten_writes_into_the_new_one(
    tmp_path: Path, kept: list[bytes]
) -> None:
    path = tmp_path / "index"
    lines.append(path, b"old")
    writer = threading.Thread(target=lines.append, args=(path, b"late"))
    with lines.locked(path):
        writer.start()
        writer.join(0.05)
        assert writer.is_alive(), "the lock did not hold"
        lines.rewrite(path, kept, changed=True)
        assert path.exists() is bool(kept)
    writer.join(60)
    assert read(path) == [*kept, b"late"]


def test_what_is_not_changed_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "index"
    lines.append(path, b"one")
    before = path.stat()
    lines.rewrite(path, [b"one"], changed=False)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_is_let_go_when_its_holder_fails(tmp_path: Path) -> None:
    path = tmp_path / "index"
    with pytest.raises(RuntimeError), lines.locked(path):
        raise RuntimeError
    writer = threading.Thread(target=lines.append, args=(path, b"after"))
    writer.start()
    writer.join(30)
    assert read(path) == [b"after"]
