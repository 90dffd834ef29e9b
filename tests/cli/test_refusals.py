"""What is wrong ends in one sentence on stderr and exit code 1 or 2; never in a traceback."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backstop import __version__
from tests.store.servers import deaf_port


def refused(ended, code, *words):
    assert ended.code == code, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err
    return ended.err


@pytest.fixture
def dead_redis(environment):
    with deaf_port() as port:
        environment.setenv("BACKSTOP_REDIS_URL", f"redis://127.0.0.1:{port}")
        yield port


def one_line(text):
    return text.count("\n") == 1


@pytest.mark.parametrize("date", ["2025-13-45", "2025-6-15", "15.06.2025", "today", "[/red]", "[bold]"])
@pytest.mark.parametrize("command", [["slate"], ["player", "592450", "--date"], ["refresh"]])
def test_a_malformed_date_is_refused_by_name_with_an_example(backstop, command, date):
    said = refused(backstop(*command, date), 2, f"{date!r} is not a date", "2025-06-15")
    assert one_line(said)


def test_an_unknown_slate_of_an_empty_store_says_what_to_run(backstop, store):
    said = refused(
        backstop("slate", "2025-06-15"),
        1,
        "No slate of 2025-06-15",
        "backstop refresh 2025-06-15",
        "published are: none",
    )
    assert one_line(said)


def test_an_unknown_player_is_named(backstop, store):
    assert one_line(refused(backstop("player", "592450"), 1, "Player 592450 is not in any published slate"))
    refused(backstop("player", "592450", "--date", "2025-06-15"), 1, "not in the slate of 2025-06-15")


@pytest.mark.parametrize(
    "arguments", [["slate", "2025-06-15"], ["player", "592450"], ["slate", "2025-06-15", "--json"]]
)
def test_a_dead_redis_is_a_sentence_with_its_address(backstop, dead_redis, arguments):
    said = refused(backstop(*arguments), 1, "Redis", str(dead_redis))
    assert one_line(said)


def test_an_empty_home_starts_its_own_store_says_that_nothing_is_published_and_stops_it(
    backstop, environment, tmp_path
):
    from backstop.store import embedded

    refused(backstop("slate", "2025-06-15"), 1, "No slate of 2025-06-15")
    assert not embedded.is_running(tmp_path / "home" / "redis")


@pytest.mark.parametrize(
    "arguments",
    [
        ["slate"],
        ["player"],
        ["player", "Judge"],
        ["slate", "2025-06-15", "--top", "0"],
        ["slate", "2025-06-15", "--colour"],
        ["fetch"],
        ["refresh", "2025-06-15", "2025-06-16"],
    ],
)
def test_wrong_usage_ends_with_code_2_and_the_usage(backstop, arguments):
    said = refused(backstop(*arguments), 2)
    assert re.search(r"Usage: .*", said)


@pytest.mark.parametrize(
    ("name", "value"), [("REQUEST_BUDGET_S", "soon"), ("HISTORY_FIRST_SEASON", "1999"), ("UNMATCHED_NAMES_LIMIT", "2")]
)
def test_a_setting_that_cannot_be_read_is_named(backstop, environment, name, value):
    environment.setenv(f"BACKSTOP_{name}", value)
    said = refused(backstop("slate", "2025-06-15"), 2, f"BACKSTOP_{name}")
    assert one_line(said)


@pytest.mark.parametrize("command", [("plan",), ("sources",), ("fetch", "savant", "2025-06-15")])
@pytest.mark.parametrize(
    ("upstream", "words"),
    [
        ("lvie", "BACKSTOP_UPSTREAM: 'lvie' is not an upstream; expected live, demo, recorded:DIR, replay:DIR or an"),
        ("replay:/nowhere", "'/nowhere' is not a folder; replay:DIR names one that exists"),
        ("http://user@feeds.example", "carries a name or a password"),
    ],
)
def test_an_upstream_that_is_none_is_refused_with_what_there_is(backstop, environment, command, upstream, words):
    said = refused(backstop(*command, "--upstream", upstream), 2, words)
    assert one_line(said)
    environment.setenv("BACKSTOP_UPSTREAM", upstream)
    assert words in refused(backstop(*command), 2)


def test_a_redis_address_of_another_kind_is_refused(backstop, environment):
    environment.setenv("BACKSTOP_REDIS_URL", "mysql://127.0.0.1")
    refused(backstop("slate", "2025-06-15"), 2, "mysql")


def test_a_redis_address_whose_port_is_no_number_is_refused(backstop, environment):
    environment.setenv("BACKSTOP_REDIS_URL", "redis://127.0.0.1:notaport")
    assert one_line(refused(backstop("slate", "2025-06-15"), 2, "notaport", "BACKSTOP_REDIS_URL"))


def test_the_version_is_printed_alone(backstop):
    ended = backstop("version")
    assert (ended.code, ended.out, ended.err) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["slate", "-h"], ["player", "--help"], ["refresh", "--help"]])
def test_help_is_no_failure(backstop, arguments):
    ended = backstop(*arguments)
    assert ended.code == 0
    assert "Usage:" in ended.out


def test_as_a_process_too(process, dead_redis):
    refused(process("slate", "2025-06-31"), 2, "is not a date")
    refused(process("slate", "2025-06-15"), 1, "Redis")
    assert process("version").out == f"{__version__}\n"


def test_a_process_whose_home_is_empty_leaves_no_server_behind(process, tmp_path):
    from backstop.store import embedded

    refused(process("player", "592450", "--json"), 1, "not in any published slate")
    assert not embedded.is_running(tmp_path / "home" / "redis")


@pytest.fixture
def started(environment):
    """Start the command as a process and hand it over; it is ended with the test."""
    running = []

    def start(*arguments, out=subprocess.PIPE):
        command = [sys.executable, "-c", "from backstop.cli import main; main()", *arguments]
        running.append(subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_with_a_sentence_and_code_130(started, environment):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        environment.setenv("BACKSTOP_REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}")
        process = started("slate", "2025-06-15")
        # the command waits for a server that takes the connection and says nothing
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.startswith("Interrupted; what was finished is kept")
    assert one_line(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [["version"], ["--help"]])
def test_a_full_disk_is_a_sentence(started, arguments):
    with Path("/dev/full").open("w") as full:
        process = started(*arguments, out=full)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "The output cannot be written: No space left" in said
    assert one_line(said)


@pytest.mark.parametrize("arguments", [["version"], ["--help"]])
def test_a_reader_that_went_away_has_seen_enough(started, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        process = started(*arguments, out=pipe)
        said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (0, "")


def test_a_home_that_is_a_file_is_named(backstop, environment, tmp_path):
    (tmp_path / "taken").write_text("")
    environment.setenv("BACKSTOP_HOME", str(tmp_path / "taken"))
    assert one_line(refused(backstop("slate", "2025-06-15"), 1, "taken"))


def test_a_file_of_settings_that_is_no_text_is_a_sentence(backstop, environment, tmp_path):
    (tmp_path / ".env").write_bytes(b"BACKSTOP_API_PORT=\xff\xfe\n")
    assert one_line(refused(backstop("slate", "2025-06-15"), 2, "Settings, those of `.env` too, must be UTF-8."))


@pytest.mark.parametrize(("host", "said"), [("a..b", "'idna' codec"), ("192.0.2.1", "Cannot assign requested address")])
def test_an_address_that_cannot_be_listened_on_is_a_sentence(backstop, host, said):
    assert one_line(refused(backstop("serve", "--host", host, "--port", "0"), 2, f"The address {host}:0 cannot", said))


def test_a_port_that_somebody_else_has_is_a_sentence_with_the_port(backstop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(backstop("serve", "--port", port), 2, f"127.0.0.1:{port} cannot be listened on: Address already in use")
