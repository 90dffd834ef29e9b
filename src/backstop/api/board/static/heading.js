// What stands above the table: the day, how fresh it is, what is missing, a few totals.

import { byId, el, mark, sentence, write } from "./dom.js";
import * as format from "./format.js";
import { hasEdge } from "./slate.js";

export class Heading {
  /** `onStep(-1 | 1)` when an earlier or later day is wanted. */
  constructor(onStep) {
    byId("earlier").addEventListener("click", () => onStep(-1));
    byId("later").addEventListener("click", () => onStep(1));
  }

  day(date, days) {
    write(byId("slate-title"), format.day(date));
    document.title = `${format.day(date, "short")} · Backstop`;
    byId("earlier").disabled = !days.some((day) => day < date);
    byId("later").disabled = !days.some((day) => day > date);
  }

  slate(slate) {
    const { about } = slate;
    write(byId("version"), `version ${slate.version}`);
    mark(byId("version"), "title", `Published ${new Date(about.published_at).toLocaleString()}, knows what was known at ${new Date(about.cutoff).toLocaleString()}`);
    const gaps = byId("gaps");
    const missing = about.missing ?? [];
    gaps.hidden = missing.length === 0;
    if (missing.length) {
      write(gaps.querySelector("summary"), `${missing.length} ${missing.length === 1 ? "gap" : "gaps"}`);
      gaps.querySelector("ul").replaceChildren(...missing.map((gap) => el("li", {}, ...sentence(gap))));
    }
    this.totals(slate);
  }

  totals(slate) {
    let priced = 0, edges = 0;
    for (let row = 0; row < slate.count; row++) {
      if (slate.value("best_price_decimal", row) !== null) priced++;
      if (hasEdge(slate, row)) edges++;
    }
    const games = slate.about.games?.length || new Set(slate.columns.game_pk).size;
    const totals = [[games, "games"], [slate.count, "props"], [priced, "priced"], [edges, "edges"]];
    byId("totals").replaceChildren(...totals.map(([value, name]) => el("div", {}, el("dt", {}, name), el("dd", {}, format.count(value)))));
  }

  /** The badge; of a slate that cannot be shown it says nothing. */
  freshness(freshness, shown) {
    const badge = byId("freshness");
    mark(badge, "data-state", freshness.state);
    // read out only when the state changes, not each second
    write(badge.firstElementChild, freshness.state);
    badge.hidden = freshness.state === "unknown" || (!shown && freshness.state !== "missing");
    const age = format.age(freshness.ageNow);
    write(badge.lastElementChild, age ? `${age} old` : "");
    mark(badge.lastElementChild, "aria-hidden", "true");
    mark(badge, "title", SAID[freshness.state]);
  }

  /** A sentence above the table, or none. */
  notice(text) {
    byId("notice").hidden = text === null;
    byId("notice").replaceChildren(...sentence(text ?? ""));
  }

  /** There is no slate: nothing of another one stays. */
  missing(date) {
    if (date === null) write(byId("slate-title"), "No slate");
    this.clear();
  }

  /** Nothing of the slate before stays. */
  clear() {
    this.notice(null);
    byId("gaps").hidden = true;
    write(byId("version"), "");
    byId("totals").replaceChildren();
    write(byId("shown"), "");
  }
}

const SAID = {
  fresh: "The slate is as new as it should be",
  stale: "The slate is older than it should be: prices have moved since",
  missing: "There is no slate to show",
};
