"""The board in headless Chromium, over the real API and a real Redis."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop.limits import SLATE_FRESH_S
from tests.board import slates

pytestmark = pytest.mark.browser


def as_number(text):
    return float(text.replace("\u2212", "-").replace("+", ""))


def test_it_shows_the_newest_slate_with_its_state_totals_and_gaps(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    assert page.locator("h1").first.inner_text() == "Tuesday, April 16, 2024"
    assert page.locator("#freshness").get_attribute("data-state") == "fresh"
    assert page.locator("#version").inner_text() == "version 1"
    assert page.locator("#totals dd").all_inner_texts()[:2] == ["2", "1,000"]
    page.locator("#gaps summary").click()
    assert page.locator("#gaps li").all_inner_texts() == ["out_features game 151: no line-up of AAA is known"]
    assert page.locator("#grid tbody tr .miniature path.over[d*='M']").count() > 10
    assert sight.complaints == []


def test_an_edge_within_its_band_is_called_none(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    first = sight.rows()
    assert {row["kind"] for row in first} == {"edge"}
    assert all(as_number(row["edge"]) > 0 for row in first)
    edges = page.evaluate("() => Number(document.querySelector('#totals div:last-child dd').textContent)")
    page.evaluate("(edges) => scrollTo(0, document.querySelector('tbody').offsetTop + (edges - 5) * 52)", edges)
    sight.wait("() => document.querySelector('#grid [data-kind=none]') !== null")
    within = [row for row in sight.rows() if row["kind"] == "none"]
    assert within
    assert {row["edge"] for row in within} == {"none"}
    assert "edge" not in {row["kind"] for row in sight.rows()[-4:]}


def test_the_filters_narrow_the_table_and_the_address_remembers_them(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    page.locator("[name=market]").select_option("batter_hits")
    sight.wait("() => document.querySelector('#shown').textContent.startsWith('108 of')")
    assert {row["market"] for row in sight.rows()} == {"Hits"}
    page.get_by_role("searchbox", name="Player").fill("jose nunez")
    sight.wait("() => document.querySelector('#shown').textContent.startsWith('3 of')")
    assert {row["player"] for row in sight.rows()} == {slates.ACCENTED}
    page.reload()
    sight.wait("() => document.querySelector('#shown').textContent.startsWith('3 of')")
    page.get_by_role("button", name="Reset").click()
    sight.wait("() => document.querySelector('#shown').textContent === '1,000 props'")
    page.locator("[name=team]").select_option("AAA")
    sight.wait("() => document.querySelector('#shown').textContent.startsWith('250 of')")
    page.get_by_role("searchbox", name="Player").fill("nobody at all")
    page.get_by_text("No prop passes these filters.").wait_for()
    assert sight.complaints == []


def test_only_with_an_edge_and_a_least_edge(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    page.get_by_label("Only with an edge").check()
    sight.wait("() => / of 1,000/.test(document.querySelector('#shown').textContent)")
    some = int(sight.shown().split(" ")[0].replace(",", ""))
    assert some == page.evaluate(
        "() => Number(document.querySelector('#totals div:last-child dd').textContent.replace(',', ''))"
    )
    assert {row["kind"] for row in sight.rows()} == {"edge"}
    page.get_by_label("Edge at least").fill("4")
    sight.wait("(some) => parseInt(document.querySelector('#shown').textContent.replace(',', '')) < some", some)
    page.locator("#grid").focus()
    page.keyboard.press("End")
    assert min(as_number(row["edge"]) for row in sight.rows()) >= 4.0


def test_the_keyboard_sorts_moves_and_opens(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    heading = page.get_by_role("columnheader", name="P(over)", exact=True)
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    falling = [row["prob"] for row in sight.rows()]
    assert falling == sorted(falling, reverse=True)
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    rising = [row["prob"] for row in sight.rows()]
    assert rising == sorted(rising)
    page.locator("#grid").focus()
    page.keyboard.press("End")
    active = page.locator("#grid tr.active")
    assert active.get_attribute("aria-rowindex") == "1001"
    assert page.locator("#grid").get_attribute("aria-activedescendant") == active.get_attribute("id")
    assert active.is_visible()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    name = page.locator("#grid tr.active .player b").inner_text()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").get_by_role("heading").inner_text() == name
    assert page.locator("#detail .histogram path.over").count() >= 1
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()
    assert page.evaluate("() => document.activeElement.id") == "grid"
    assert sight.complaints == []


def test_thousands_of_rows_scroll_with_a_few_dozen_in_the_document(site, look):
    site.publish(slates.props(leagues=slates.MANY), features=slates.features(slates.MANY))
    site.start()
    sight = look().slate()
    page = sight.page
    seen = page.evaluate(
        """async () => {
          const frame = () => new Promise(requestAnimationFrame);
          let most = 0, wrong = 0;
          for (let n = 0; n < 40; n++) {
            scrollTo(0, n % 2 ? 3000 * n : 400 * n);
            await frame(); await frame();
            const rows = [...document.querySelectorAll('#grid tbody tr[aria-rowindex]')];
            most = Math.max(most, rows.length);
            rows.forEach((row, at) => { if (row.ariaRowIndex - rows[0].ariaRowIndex !== at) wrong++; });
            const middle = document.elementFromPoint(600, 500);
            if (!middle.closest('tr[aria-rowindex]')) wrong++;
          }
          return {most, wrong};
        }"""
    )
    assert seen == {"most": seen["most"], "wrong": 0}
    assert seen["most"] < 60


def test_a_reprice_comes_without_a_reload(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    page.evaluate("() => { window.untouched = true; }")
    answers = []
    page.on("response", lambda response: answers.append(response.status) if "/board" in response.url else None)
    before = sight.rows()
    site.publish(slates.props(moved=0.1))
    sight.wait("() => document.querySelector('#version').textContent === 'version 2'")
    assert page.evaluate("() => window.untouched")
    assert sight.rows() != before
    assert page.locator("#grid tr.changed").count() >= 1
    # the delta was enough: the document is asked for once, to hear that it is the same
    sight.until(lambda: answers)
    assert answers == [304]
    assert sight.complaints == []


def test_a_version_with_other_probabilities_is_fetched_whole(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    site.publish(slates.props(seed=2))
    sight.wait("() => document.querySelector('#version').textContent === 'version 2'")
    site.publish(slates.props(seed=2).head(900))
    sight.wait("() => document.querySelector('#shown').textContent === '900 props'")
    assert sight.complaints == []


def test_it_says_stale_when_the_server_says_so(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    assert sight.page.locator("#freshness").inner_text().startswith("fresh")
    site.clock.advance(SLATE_FRESH_S + 60)
    sight.page.locator("#freshness[data-state='stale']").wait_for()
    assert "16 min old" in sight.page.locator("#freshness").inner_text()
    site.publish(slates.props(moved=0.05))
    sight.page.locator("#freshness[data-state='fresh']").wait_for()
    assert sight.complaints == []


def test_it_reconnects_after_the_server_was_restarted_and_catches_up(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    site.stop()
    page.locator("#connection[data-state='lost']").wait_for()
    assert len(sight.rows()) > 10
    site.publish(slates.props(moved=0.1))
    site.start()
    page.locator("#connection[data-state='live']").wait_for()
    sight.wait("() => document.querySelector('#version').textContent === 'version 2'")


def test_a_reload_shows_the_browsers_own_copy_and_asks_only_whether_it_holds(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    sight.wait(
        "async () => { const all = await indexedDB.databases(); return all.some((one) => one.name === 'backstop-board'); }"
    )
    with page.expect_response("**/board") as asked:
        page.reload()
    assert asked.value.status == 304
    page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
    site.publish(slates.props(seed=2))
    sight.wait("() => document.querySelector('#version').textContent === 'version 2'")
    sight.wait(
        """() => new Promise((resolve) => {
          const open = indexedDB.open('backstop-board');
          open.onsuccess = () => {
            const all = open.result.transaction('slates').objectStore('slates').getAll();
            all.onsuccess = () => { open.result.close(); resolve(all.result.length === 1 && all.result[0].document.version === 2); };
          };
        })"""
    )


def test_an_evil_name_stays_text(site, look):
    site.publish()
    site.start()
    sight = look().slate("/?player=img")
    page = sight.page
    assert {row["player"] for row in sight.rows()} == {slates.EVIL}
    page.locator("#grid tbody tr[aria-rowindex='2']").click()
    assert page.locator("#detail-title").inner_text() == slates.EVIL
    assert page.locator("img, #grid b b, #detail h2 b").count() == 0
    assert page.title() != "owned"
    assert sight.complaints == []


def test_without_any_slate_it_says_what_to_do_and_shows_the_first_one_that_comes(site, look):
    site.start()
    sight = look().open()
    page = sight.page
    page.get_by_text("Nothing is published yet.").wait_for()
    assert page.locator("#freshness").get_attribute("data-state") == "missing"
    assert page.locator("#filters").is_hidden()
    site.publish()
    page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
    assert sight.complaints == []


def test_a_day_without_a_slate_is_missing_until_it_is_published(site, look):
    site.publish()
    site.start()
    later = slates.DAY + dt.timedelta(days=1)
    sight = look().open(f"/?date={later}")
    page = sight.page
    page.locator("#nothing", has_text=str(later)).wait_for()
    assert page.locator("#freshness").get_attribute("data-state") == "missing"
    page.locator("#connection[data-state='live']").wait_for()
    site.publish(day=later)
    page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
    page.locator("#freshness[data-state='fresh']").wait_for()


@pytest.mark.parametrize("address", ["/?date=2024-02-30", "/?date=tomorrow&sort=toString"])
def test_an_address_that_names_no_day_or_order_shows_the_newest_slate(site, look, address):
    site.publish()
    site.start()
    sight = look().slate(address)
    assert sight.page.locator("h1").first.inner_text() == "Tuesday, April 16, 2024"
    assert sight.page.locator("th[aria-sort=descending]").inner_text().lower().startswith("edge")
    assert sight.complaints == []


def test_it_works_in_a_browser_that_keeps_nothing(site, look):
    site.publish()
    site.start()
    sight = look()
    forbidden = "{ get() { throw new DOMException('storage is off', 'SecurityError'); } }"
    sight.page.add_init_script(
        f"for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, {forbidden});"
    )
    sight.slate().page.locator("#theme").click()
    assert sight.page.locator("html").get_attribute("data-theme") == "light"
    assert sight.complaints == []


def test_an_open_prop_stays_unfolded_and_keeps_the_keys_through_a_reprice(site, look):
    site.publish()
    site.start()
    sight = look().slate()
    page = sight.page
    page.locator("#grid tbody tr[aria-rowindex='2']").click()
    page.locator("#detail summary").click()
    other = page.locator("#detail .others button").last
    other.click()
    assert page.locator("#detail details").get_attribute("open") is not None
    assert page.evaluate("() => document.activeElement.getAttribute('aria-current')") == "true"
    told = other.inner_text()
    site.publish(slates.props(moved=0.1))
    sight.wait("() => document.querySelector('#version').textContent === 'version 2'")
    assert page.locator("#detail details").get_attribute("open") is not None
    assert page.evaluate("() => document.activeElement.textContent") == told
    page.keyboard.press("Escape")
    page.locator("#grid tbody tr[aria-rowindex='2']").click()
    assert page.locator("#detail details").get_attribute("open") is None
    assert sight.complaints == []


def test_while_another_day_is_fetched_nothing_of_the_one_before_stands_under_its_name(site, look):
    earlier = slates.DAY - dt.timedelta(days=1)
    site.publish(day=earlier)
    site.publish()
    site.start()
    sight = look().slate()
    page, held = sight.page, []
    page.route(f"**/slates/{earlier}/board*", lambda route: held.append(route))  # noqa: PLW0108 - it marks what it calls
    page.get_by_role("button", name="Earlier slate").click()
    page.locator("#nothing", has_text="Fetching").wait_for()
    assert page.locator("#grid").is_hidden()
    assert page.locator("#totals").inner_text() == page.locator("#version").inner_text() == ""
    assert page.locator("#freshness").is_hidden()
    sight.until(lambda: held)
    held[0].continue_()
    page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
    assert page.locator("#nothing").is_hidden()
    assert sight.complaints == []


def test_grades_and_their_calibration_are_drawn(site, look):
    for back in (2, 1):
        site.grade(slates.DAY - dt.timedelta(days=back))
    site.start()
    sight = look().open("/#grades")
    page = sight.page
    page.locator("#grades figure").nth(1).wait_for()
    assert page.locator("#grades figure").first.locator("circle").count() == 10
    assert page.locator("#grades .trend path.line").count() == 2
    assert page.locator("#grades tbody tr").count() == slates.settled()["market"].n_unique()
    assert sight.complaints == []


def test_what_the_api_leans_on_is_listed(site, look):
    site.publish()
    site.start()
    sight = look().open("/#feeds")
    sight.page.locator("#feeds .components li").first.wait_for()
    names = sight.page.locator("#feeds .components li > b").all_text_contents()
    assert {"redis", "lake", "ledger", "cache"} <= set(names)
    assert sight.complaints == []


def test_on_a_phone_nothing_is_wider_than_the_screen(site, look):
    site.publish()
    site.grade(slates.DAY - dt.timedelta(days=1))
    site.start()
    sight = look(width=390, height=844, is_mobile=True, has_touch=True).slate()
    page = sight.page
    for view in ("#slate", "#grades", "#feeds"):
        page.goto(f"{site.url}/{view}")
        page.locator(f"{view.replace('#', '#view-')} :is(tr[aria-rowindex='2'], figure, .components)").first.wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.goto(f"{site.url}/#slate")
    page.get_by_role("button", name="Filters").tap()
    page.get_by_label("Only with an edge").check()
    page.locator("#grid tbody tr[aria-rowindex='2']").tap()
    assert page.get_by_role("dialog").is_visible()
    assert sight.complaints == []


def test_colours_follow_the_system_and_can_be_chosen(site, look):
    site.publish()
    site.start()
    sight = look(color_scheme="dark").slate()
    page = sight.page
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Colours: as the system").click()
    light = page.evaluate(paper)
    assert light != dark
    page.reload()
    page.get_by_role("button", name="Colours: light").wait_for()
    assert page.evaluate(paper) == light
    page.get_by_role("button", name="Colours: light").click()
    assert page.evaluate(paper) == dark


def test_a_start_that_is_to_be_determined_is_called_that(site, look, monkeypatch):
    told = slates.games()
    told[0]["start_at"] = None
    monkeypatch.setattr(slates, "games", lambda: told)
    site.publish()
    site.start()
    sight = look().slate()
    whens = sight.page.locator("#grid tbody .when").all_inner_texts()
    assert {"".join(when.split()) for when in whens} == {"·TBD", "·7:10PM"}
    assert sight.complaints == []
