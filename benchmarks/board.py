"""The board in headless Chromium: how a slate of 4,000 props scrolls, sorts and takes a reprice.

    python -m benchmarks.board [--rounds 3] [--record FILE]

The API, its Redis and the browser share the machine; Chromium draws without a graphics processor, on the same cores.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from backstop.store import embedded
from benchmarks.report import Report, arguments
from tests.board import slates
from tests.board.conftest import ARGUMENTS, BROWSERS, Site

SCROLL = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const waits = [];
  await frame();
  let last = performance.now();
  for (let n = 0; n < 180; n++) {
    scrollBy(0, n % 60 < 55 ? 160 : -1500);
    await frame();
    waits.push(performance.now() - last);
    last = performance.now();
  }
  return waits;
}"""
SORT = """async () => {
  const times = [];
  const heads = [...document.querySelectorAll('#grid th button')];
  for (let n = 0; n < 2 * heads.length; n++) {
    const begun = performance.now();
    heads[n % heads.length].click();
    document.body.getBoundingClientRect();
    times.push(performance.now() - begun);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""
SEARCH = """async () => {
  const field = document.querySelector('[name=player]');
  const times = [];
  for (const text of ['w', 'w b', 'w b 100', '']) {
    field.value = text;
    const shown = document.querySelector('#shown').textContent;
    const begun = performance.now();
    field.dispatchEvent(new Event('input', {bubbles: true}));
    while (document.querySelector('#shown').textContent === shown) await new Promise((go) => setTimeout(go));
    times.push(performance.now() - begun - 120);
  }
  return times;
}"""


def main() -> None:
    """Measure and say it."""
    options = arguments(__doc__, rounds=3).parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        sys.exit(f"no Chromium on the path (looked for {', '.join(BROWSERS)}); scripts/services installs it")
    report = Report("board", options.record)
    tables = {
        "frames": report.table("frames", "scrolling 4,000 props, time between frames", unit="ms"),
        "sorts": report.table("sorts", "sorting 4,000 props by a heading", unit="ms"),
        "searches": report.table("searches", "searching 4,000 props by name, after the pause in typing", unit="ms"),
        "reprices": report.table(
            "reprices", "a tenth of the props repriced: from the end of publishing to seeing it", unit="ms"
        ),
    }
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        site = Site(home, embedded.ensure(home / "redis"))
        try:
            site.publish(slates.props(leagues=slates.MANY), features=slates.features(slates.MANY))
            site.start()
            browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
            for name, width, height in (("desk, 1440 x 900", 1440, 900), ("phone, 390 x 844", 390, 844)):
                page = browser.new_page(viewport={"width": width, "height": height})
                for key, values in measured(page, site, options.rounds).items():
                    tables[key].row(name, values, slowest=f"{max(values):.0f}", of=len(values))
                page.close()
            browser.close()
        finally:
            site.close()
            embedded.stop(home / "redis")
    report.close()


def measured(page: Page, site: Site, rounds: int) -> dict[str, list[float]]:
    """Return what each action took, in milliseconds."""
    page.goto(site.url)
    page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
    page.locator("#connection[data-state='live']").wait_for()
    found: dict[str, list[float]] = {"frames": [], "sorts": [], "searches": [], "reprices": []}
    for _ in range(rounds):
        found["frames"] += page.evaluate(SCROLL)
        page.evaluate("scrollTo(0, 0)")
        found["sorts"] += page.evaluate(SORT)
        found["searches"] += page.evaluate(SEARCH)
        found["reprices"].append(repriced(page, site))
    return found


def repriced(page: Page, site: Site) -> float:
    """Publish a slate with a tenth of its quotes moved; return how long after that the page shows it."""
    page.evaluate(
        """() => { window.seen = new Promise((see, give_up) => {
          new MutationObserver(() => see(Date.now()))
            .observe(document.querySelector('#version'), {childList: true, characterData: true, subtree: true});
          setTimeout(() => give_up(new Error('no new version was shown within 30 s')), 30000); }); }"""
    )
    moved = slates.props(seed=1, moved=0.1 + site.runs / 1000, leagues=slates.MANY)
    site.publish(moved, features=slates.features(slates.MANY))
    published = time.time()
    return max(0.0, float(page.evaluate("() => window.seen")) - published * 1000)


if __name__ == "__main__":
    main()
