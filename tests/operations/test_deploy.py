"""A deployment of this checkout as an operator does it: deploy.sh, a Prefect server, Redis, a reader that polls."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Self

import pytest

from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from deployments import server
from deployments.release import Releases, describe
from tests.operations.checkout import Checkout
from tests.operations.publishing import publish

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(900)]

DAY = dt.date(2025, 4, 4)
PUBLISHED = "published = slate.publish_slate("
BROKEN = 'raise RuntimeError("this release is broken")'


class Reader:
    """Polls a slate as an application does, and keeps what it saw."""

    def __init__(self, house: House) -> None:
        self.seen: list[tuple[str, int, int]] = []
        self._house, self._over = house, threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def _poll(self) -> None:
        while not self._over.wait(0.02):
            view = self._house.reader.slate(DAY)
            self.seen.append((view.state, view.version, self._house.reader.props(DAY, limit=5).height))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def installation(tmp_path, league, prefect_environment):
    """Settings of an installation for production, and the environment that says them."""
    home = tmp_path / "home"
    settings = Settings(
        home=home,
        redis_url=embedded.ensure(tmp_path / "redis"),
        ledger_url=f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        upstream=league.base_url,
        history_first_season=2025,
        api_port=server.free_port(),
    )
    said = {
        f"BACKSTOP_{name.upper()}": str(value)
        for name, value in settings.model_dump(mode="json", exclude_defaults=True).items()
    }
    yield settings, {**os.environ, **said, **prefect_environment, "BACKSTOP_PYTHON": sys.executable}
    House.of(settings).close()
    embedded.stop(tmp_path / "redis")


def deploy(checkout, environment):
    return subprocess.run(
        [
            checkout.folder / "deployments" / "deploy.sh", "production",
            "--packages", sysconfig.get_path("purelib"),
            "--smoke", "flows.slate:slate_refresh", "--smoke-parameters", f'{{"day": "{DAY}"}}',
        ],
        env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_a_release_with_a_broken_flow_rolls_back_by_itself_and_the_slate_is_served_all_the_while(
    tmp_path, installation
):
    settings, environment = installation
    house = House.of(settings)
    publish(house, DAY, players=20)
    served = house.reader.slate(DAY)
    checkout = Checkout.of_this(tmp_path / "checkout")
    good, tree = describe(checkout.folder, committed=True)
    releases = Releases(settings.home)
    releases.switch(releases.install(checkout.folder, good, tree, Path(sysconfig.get_path("purelib"))))

    flow = (checkout.folder / "flows" / "slate.py").read_text()
    after = flow[flow.index(PUBLISHED) :]
    checkout.replace("flows/slate.py", after, f"{after.splitlines()[0]}\n    {BROKEN}\n")
    broken = checkout.commit("a release that publishes, and breaks")
    with Reader(house) as reader:
        done = deploy(checkout, environment)

    assert done.returncode == 3, done.stdout + done.stderr
    assert "this release is broken" in done.stdout
    assert f"{broken} was not deployed; {good} runs as it did" in done.stdout
    assert releases.current.name == good
    assert {(state, props) for state, _, props in reader.seen} == {("fresh", 5)}
    assert {version for _, version, _ in reader.seen} == {served.version, served.version + 1}
    assert house.reader.slate(DAY).version == served.version
    assert house.reader.slate(DAY).props_count == served.props_count
