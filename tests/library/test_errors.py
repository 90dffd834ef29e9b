"""The tree of errors: what the docstring draws is what there is, and each survives the way between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from backstop import errors
from backstop.errors import BackstopError

KINDS = sorted(
    (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, BackstopError)),
    key=lambda kind: kind.__name__,
)


def drawn():
    """Return what the docstring draws: name -> name above it, and the names that are marked as retryable."""
    above, retryable, path = {}, set(), {0: "BackstopError"}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^    ((?:[│ ]   )*)[├└]── (\w+)", line):
            depth = len(found[1]) // 4 + 1
            above[found[2]] = path[depth - 1]
            path[depth] = found[2]
            if line.rstrip().endswith("(retryable)"):
                retryable.add(found[2])
    return above, retryable


def test_the_tree_of_the_docstring_is_the_tree_of_the_classes():
    above, _ = drawn()
    assert above == {kind.__name__: kind.__base__.__name__ for kind in KINDS if kind is not BackstopError}


def test_what_the_docstring_calls_retryable_is_what_is_tried_again():
    _, retryable = drawn()
    assert retryable == {kind.__name__ for kind in KINDS if kind.retryable}


def test_the_exit_code_is_2_for_the_callers_mistakes_alone():
    assert {kind.__name__ for kind in KINDS if kind.exit_code == 2} == {"UsageError", "ConfigurationError"}
    assert {kind.exit_code for kind in KINDS} == {1, 2}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", [lambda each: pickle.loads(pickle.dumps(each)), copy.copy, copy.deepcopy])  # noqa: S301
def test_an_error_arrives_in_another_process_as_it_left(kind, way):
    sent = kind("savant said “no” to 3 of 5; ask later.", source="savant", retry_after_s=2.5)
    arrived = way(sent)
    assert type(arrived) is kind
    assert (arrived.message, arrived.source, arrived.retry_after_s) == (sent.message, "savant", 2.5)
    assert str(arrived) == sent.message
    assert (arrived.retryable, arrived.exit_code) == (kind.retryable, kind.exit_code)


def test_an_error_names_no_source_and_no_pause_unless_they_are_known():
    plain = BackstopError("Something is wrong; look.")
    assert (plain.source, plain.retry_after_s, plain.retryable, plain.exit_code) == (None, None, False, 1)
    assert pickle.loads(pickle.dumps(plain)).source is None  # noqa: S301 - our own bytes
