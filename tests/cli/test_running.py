"""Commands that hand over to the checkout: with the settings that were given, and a sentence where there is no checkout."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest

from backstop.cli import running
from tests.here import only_here


@pytest.fixture
def handed(environment):
    """What the modules of `deployments` were called with, as (module, function, arguments, options)."""
    calls = []

    def module(name):
        def function(called):
            return lambda *args, **options: calls.append((name, called, args, options))

        return SimpleNamespace(**{each: function(each) for each in ("refresh", "stop", "serve", "replay")})

    environment.setattr(running, "deployments", module)
    return calls


def test_serve_listens_where_the_environment_says_and_options_go_first(backstop, handed, environment):
    environment.setenv("BACKSTOP_API_PORT", "8123")
    assert backstop("serve").code == 0
    assert backstop("serve", "--host", "0.0.0.0", "--port", "0").code == 0
    told = [(settings.api_host, settings.api_port) for _, _, (settings,), _ in handed]
    assert told == [("127.0.0.1", 8123), ("0.0.0.0", 0)]


@pytest.mark.parametrize("port", ["-1", "65536", "web"])
def test_a_port_that_is_none_is_a_usage_error_and_nothing_is_served(backstop, handed, port):
    ended = backstop("serve", "--port", port)
    assert (ended.code, handed) == (2, [])
    assert "--port" in ended.err


def test_refresh_hands_over_the_day_the_upstream_and_whether_servers_stay_up(backstop, handed):
    assert backstop("refresh", "2025-06-15", "--upstream", "demo", "--keep").code == 0
    assert backstop("refresh").code == 0
    (first, second) = [(str(args[0]), args[1].upstream, options) for _, _, args, options in handed]
    assert first == ("2025-06-15", "demo", {"keep": True})
    assert second == ("None", "live", {"keep": False})


def test_a_day_that_is_none_is_refused_before_anything_is_handed_over(backstop, handed):
    ended = backstop("refresh", "yesterday")
    assert (ended.code, handed) == (2, [])
    assert "'yesterday' is not a date; expected YYYY-MM-DD" in ended.err


def test_without_a_checkout_a_command_says_where_it_runs(backstop, environment):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="deployments")

    only_here(environment, importlib, "import_module", absent)
    ended = backstop("stop")
    assert ended.code == 2
    assert "The flows are not installed here" in ended.err
    assert "Traceback" not in ended.err


def test_a_package_that_a_flow_lacks_is_not_taken_for_a_missing_checkout(environment):
    def lacking(_name):
        raise ModuleNotFoundError("No module named 'prefect'", name="prefect")

    only_here(environment, importlib, "import_module", lacking)
    with pytest.raises(ModuleNotFoundError, match="prefect"):
        running.deployments("local")
