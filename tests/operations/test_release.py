"""Releases on disk: their names, the pointers to them, what is cleared away, what a failed step says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from backstop.errors import ConfigurationError
from deployments.release import (
    KEEP,
    LOCK,
    TAIL,
    Release,
    Releases,
    StepFailed,
    describe,
    export,
    own_code,
    site_packages,
)
from tests.operations.checkout import Checkout


@pytest.fixture
def releases(tmp_path):
    releases = Releases(tmp_path)
    with releases.locked():
        yield releases


def made(releases, *names):
    """Releases that are installed as far as anybody can see, in the order of their age."""
    for age, name in enumerate(names):
        python = releases.root / name / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        os.utime(releases.root / name, (age, age))
    return [releases.named(name) for name in names]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout.toy(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def tagged(checkout):
    def tag(name):
        tagged.names.append(name)
        checkout.git("tag", name)
        return checkout.folder

    tagged.names = []
    yield tag
    for name in tagged.names:
        checkout.git("tag", "--delete", name)


@pytest.mark.parametrize(
    ("tag", "name"), [("v1.4", "v1.4"), ("release/2025.1", "release-2025.1"), ("a/b/c", "a-b-c"), ("π", "π")]
)
def test_a_release_is_called_what_git_calls_it_and_lies_in_one_folder(tagged, tag, name):
    found, tree = describe(tagged(tag), committed=True)
    assert found == name
    assert len(tree) == 40


def test_a_release_of_a_tag_with_a_slash_is_installed_and_pointed_at(tagged, releases, tmp_path):
    folder = tagged("release/7")
    installed = releases.install(folder, *describe(folder, committed=True), packages=tmp_path)
    releases.switch(installed)
    assert releases.current == installed == Release(releases.root / "release-7")
    assert releases.install(folder, "release-7", "of no meaning now") == installed


def test_uncommitted_changes_are_deployed_under_a_name_of_their_own_and_not_at_all_to_production(checkout):
    before = describe(checkout.folder, committed=True)
    checkout.write("fails", "smoke")
    try:
        name, tree = describe(checkout.folder, committed=False)
        assert name == f"{before[0]}-dirty-{tree[:8]}"
        assert tree != before[1]
        with pytest.raises(ConfigurationError, match=r"not committed \(M fails, \.\.\.\)"):
            describe(checkout.folder, committed=True)
    finally:
        checkout.git("checkout", "--", "fails")
    assert describe(checkout.folder, committed=True) == before


def test_a_file_that_git_does_not_know_is_neither_deployed_nor_in_the_way(checkout, tmp_path):
    (checkout.folder / "notes.txt").write_text("mine")
    try:
        _, tree = describe(checkout.folder, committed=True)
    finally:
        (checkout.folder / "notes.txt").unlink()
    export(checkout.folder, tree, tmp_path)
    assert (tmp_path / "deployments" / "step.py").is_file()
    assert not (tmp_path / "notes.txt").exists()


def test_a_folder_that_is_no_checkout_is_said_in_gits_words(tmp_path):
    with pytest.raises(ConfigurationError, match=rf"{tmp_path} cannot be deployed: git describe says: .*not a git rep"):
        describe(tmp_path, committed=True)
    with pytest.raises(ConfigurationError, match=r"cannot be deployed: git describe says: .*No such file"):
        describe(tmp_path / "none", committed=True)


def test_the_one_that_runs_the_one_before_and_the_newest_stay(releases):
    old, older, *_ = made(releases, *(f"v{number}" for number in range(KEEP + 4)))
    releases.switch(older)
    releases.switch(old)
    (releases.root / ".incoming-v9").mkdir()
    (releases.root / "history.jsonl").touch()
    assert releases.prune() == ["v2", "v3"]
    assert sorted(each.name for each in releases.root.iterdir()) == [
        ".incoming-v9", ".lock", "current", "history.jsonl", "previous", "v0", "v1", "v4", "v5", "v6",
    ]  # fmt: skip
    assert releases.prune() == []


def test_a_switch_to_what_is_current_already_leaves_the_one_before(releases):
    first, second = made(releases, "v1", "v2")
    for release in (first, second, second):
        releases.switch(release)
    assert (releases.current, releases.previous) == (second, first)


def test_pointers_go_back_where_they_were_and_to_nothing_where_there_was_nothing(releases):
    first, second, third = made(releases, "v1", "v2", "v3")
    for release in (first, second, third):
        releases.switch(release)
    releases.put_back(second, first)
    assert (releases.current, releases.previous) == (second, first)
    releases.put_back(None, None)
    assert (releases.current, releases.previous) == (None, None)


def test_a_pointer_to_a_release_that_somebody_removed_points_at_nothing(releases):
    (only,) = made(releases, "v1")
    releases.switch(only)
    for each in sorted(only.root.rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    only.root.rmdir()
    assert releases.current is None
    assert releases.named("v1") is None


def test_only_a_release_that_nothing_points_at_is_forgotten(releases):
    first, second, third = made(releases, "v1", "v2", "v3")
    releases.switch(first)
    releases.switch(second)
    for each in (first, second, third):
        releases.forget(each)
    assert (first.root.exists(), second.root.exists(), third.root.exists()) == (True, True, False)


def test_a_step_that_fails_says_what_of_which_release_and_the_end_of_its_words(releases):
    (release,) = made(releases, "v1")
    (release.root / "step.py").write_text(f"import sys\nprint('x' * {2 * TAIL} + 'the end')\nsys.exit(7)\n")
    with pytest.raises(StepFailed, match=r"^migrate of v1 failed with code 7: x+the end$") as raised:
        release.run("migrate", "step")
    assert len(raised.value.message) < TAIL + 60
    (release.root / "step.py").write_text("import os, sys\nprint(os.environ['GIVEN'], sys.argv[1:])\n")
    assert release.run("apply", "step", "--all", environment={"GIVEN": "so"}) == "so ['--all']\n"


def test_a_release_does_not_inherit_the_path_of_the_deployers_code(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/deployer")
    monkeypatch.setenv("KEPT", "1")
    assert "PYTHONPATH" not in own_code()
    assert own_code()["KEPT"] == "1"


def test_packages_of_a_lock_are_installed_once_and_again_when_that_was_cut_off(releases, tmp_path, monkeypatch):
    calls, lock = [], tmp_path / LOCK
    lock.write_text("a==1 --hash=sha256:00\n")

    def called(command):
        calls.append(command)
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        elif len(calls) == 2:
            raise StepFailed("the index does not answer", source="install")

    monkeypatch.setattr("deployments.release._call", called)
    with pytest.raises(StepFailed):
        releases._packages(lock)
    found = releases._packages(lock)
    assert releases._packages(lock) == found
    assert ["venv" in each for each in calls] == [True, False, True, False], "twice, and the third time not at all"
    assert {"--require-hashes", "--no-deps"} <= set(calls[-1])
    (home,) = releases.environments.iterdir()
    assert found == site_packages(home)
    lock.write_text("a==2 --hash=sha256:00\n")
    releases._packages(lock)
    assert len(list(releases.environments.iterdir())) == 2


def test_a_tree_that_git_does_not_have_is_a_sentence_and_writes_nothing(checkout, tmp_path):
    with pytest.raises(StepFailed, match=f"git archive of {'0' * 40} wrote no whole archive"):
        export(checkout.folder, "0" * 40, tmp_path)
    assert list(tmp_path.iterdir()) == []
