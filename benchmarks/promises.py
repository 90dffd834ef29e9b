"""The promises that are tests: each names the tests that would fail if it did not hold; a test checks that they exist."""

from __future__ import annotations

from collections.abc import Iterator

PROMISES: dict[str, tuple[str, ...]] = {
    "never more than 25 requests to one host in flight, over all workers": (
        "tests/net/test_workers.py::test_four_workers_together_never_have_26_requests_in_flight",
        "tests/operations/test_runs.py::test_on_a_dask_cluster_of_two_processes_a_slate_is_the_same_and_25_requests_are_still_the_most",
    ),
    "fewer requests at once where a host refuses or slows down, and no more a second than a feed's terms allow": (
        "tests/net/test_width.py::test_refusals_of_requests_that_were_under_way_together_halve_once",
        "tests/net/test_workers.py::test_a_rate_holds_over_all_workers",
    ),
    "batches of 50 items": ("tests/stages/test_plan.py::test_history_comes_in_batches_of_fifty",),
    "identical requests within 100 ms or in flight are one call": (
        "tests/net/test_coalesce.py::test_an_answer_is_shared_within_the_window_and_not_after_it",
        "tests/net/test_workers.py::test_identical_requests_of_two_workers_share_one_call",
    ),
    "every row that came in is loaded, quarantined, or in a batch that failed by name": (
        "tests/flows/test_slate_refresh.py::test_every_row_that_came_in_is_accounted_for",
        "tests/operations/test_runs.py::test_a_run_killed_in_a_stage_and_repeated_leaves_what_an_undisturbed_one_leaves",
        "tests/store/test_faults.py::test_a_loader_killed_before_any_of_its_messages_leaves_a_whole_slate_and_the_rerun_completes",
    ),
    "a reader sees the whole old version or the whole new one, never an older one than before": (
        "tests/cache/test_order.py::test_nobody_ever_gets_an_older_version_than_he_got_before",
        "tests/store/test_faults.py::test_two_loaders_of_one_slate_at_once_end_with_one_whole_version",
        "tests/store/test_whole.py::test_a_redis_that_is_emptied_between_two_trips_gives_the_whole_slate_or_none",
    ),
    "a value past its lifetime is never served as fresh, and says how old it is": (
        "tests/store/test_versions.py::test_no_value_is_fresh_past_its_lifetime_and_no_older_cutoff_replaces_a_newer",
        "tests/client/test_reading.py::test_a_slate_past_its_lifetime_is_stale_and_says_how_old_it_is",
    ),
    "a feature uses only what was known before its cutoff": (
        "tests/props/test_leaks.py::test_cutting_off_or_changing_what_came_later_changes_no_bit_of_a_prediction",
        "tests/props/test_leaks.py::test_the_canary_fires_when_the_future_is_put_into_the_past",
        "tests/props/test_leaks.py::test_shuffled_labels_leave_no_skill",
    ),
    "a run that is repeated changes nothing but the version": (
        "tests/flows/test_slate_refresh.py::test_a_second_run_publishes_the_same_props_as_the_next_version",
        "tests/flows/test_slate_refresh.py::test_a_replay_from_the_archive_gives_the_same_props_and_asks_nobody",
    ),
    "an interrupted run redoes only what is missing, and nothing is started twice": (
        "tests/flows/test_backfill.py::test_no_pitches_are_asked_for_twice",
        "tests/flows/test_reconcile.py::test_what_was_missed_is_started_once_by_two_schedulers",
    ),
    "a release that does not work rolls back by itself while the slate is served": (
        "tests/operations/test_deploy.py::test_a_release_with_a_broken_flow_rolls_back_by_itself_and_the_slate_is_served_all_the_while",
    ),
    "no key of a feed in anything that is written, logged or raised": (
        "tests/net/test_secrets.py::test_no_key_in_anything_that_is_written_logged_or_raised",
    ),
}
"""Sentence -> tests as `path::name`."""


def lines() -> Iterator[str]:
    """Yield the lines of their table."""
    yield "| Promise | Tests |"
    yield "| --- | --- |"
    for promise, tests in PROMISES.items():
        yield f"| {promise} | {'<br>'.join(f'`{test}`' for test in tests)} |"
