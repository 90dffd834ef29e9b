import datetime as dt
import re

from redis.crc import key_slot

from backstop.store import keys
from scripts import keys as page

SLATE = keys.SlateKeys(dt.date(2025, 6, 15))


def test_the_page_of_keys_is_up_to_date():
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), "run: python -m scripts.keys"


def test_the_page_has_the_keys_of_the_cache_as_the_cache_spells_them():
    assert (
        f"| `bs:{keys.SPORT}:{{day}}:cache:<version>-<published>:<code>:<collection>:<name>` | string |"
        in page.cached()
    )
    assert "at most 24 hours" in page.cached()


def test_all_keys_of_a_slate_share_a_slot_and_slates_spread():
    names = [
        SLATE.current, SLATE.versions, SLATE.sequence, SLATE.meta(7), SLATE.receipts(7, "run"), SLATE.rows(7, "props", 3),
        SLATE.top(7, "ev", "batter_hits"), SLATE.draft("run"), SLATE.draft_rows(7, "props", 3, "run"),
        SLATE.draft_top(7, "ev", "batter_hits", "run"),
    ]  # fmt: skip
    assert len({key_slot(name.encode()) for name in names}) == 1
    days = [dt.date(2025, 6, 1) + dt.timedelta(days=n) for n in range(30)]
    assert len({key_slot(keys.SlateKeys(day).current.encode()) for day in days}) > 25


def test_the_prefix_that_scripts_append_to_is_that_of_every_version():
    for name in (SLATE.meta(7), SLATE.rows(7, "props", 3), SLATE.top(7, "ev", "all")):
        assert name.startswith(f"{SLATE.version_prefix}7:")


def test_no_published_slate_leaves_a_key_that_the_page_does_not_list(publish, redis):
    publish()
    patterns = []
    for kind in keys.KEYS:
        text = re.escape(
            kind.pattern.format(
                sport=keys.SPORT, day="DAY", run_id="X", version="X", kind="X", shard="X", order="X", market="X"
            )
        )
        patterns.append(re.compile(text.replace("DAY", r"[0-9-]+").replace("X", "[a-z0-9_]+")))
    for key in redis.scan_iter():
        assert any(pattern.fullmatch(key.decode()) for pattern in patterns), key
