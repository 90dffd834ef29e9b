// Puts the page together: reads the address, shows a slate, keeps it current.

import * as address from "./address.js";
import * as api from "./api.js";
import { Copies } from "./copies.js";
import { Detail } from "./detail.js";
import { byId, mark, sentence, write } from "./dom.js";
import { Feeds } from "./feeds.js";
import { Filters } from "./filters.js";
import { Freshness } from "./freshness.js";
import { Grades } from "./grades.js";
import { Grid, turned } from "./grid.js";
import { Heading } from "./heading.js";
import { keep, recall } from "./kept.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { Slate } from "./slate.js";
import * as theme from "./theme.js";
import { rowsOf } from "./view.js";

const ODDS = "backstop-odds";
const POLL_MS = 30_000;
/** What the live line does not tell is asked for this often. */
const SETTLE_MS = 1500;
/** Deltas come in bursts, and browsers in crowds: each asks once, a little after. */

class Board {
  constructor() {
    Object.assign(this, address.read());
    this.slate = null;
    this.etag = null;
    this.days = [];
    this.american = recall("localStorage", ODDS) === "american";
    this.freshness = new Freshness();
    this.heading = new Heading((step) => this.step(step));
    this.filterForm = new Filters(this.filters, this.order, (change) => this.refine(change));
    this.grid = new Grid({ onOpen: (id) => this.detail.show(this.slate, id, this.american), onSort: (by) => this.refine({ order: turned(this.order, by) }) });
    this.detail = new Detail();
    this.grades = new Grades();
    this.feeds = new Feeds();
    this.live = new Live({ onMessage: (message) => this.hear(message), onState: (state) => this.line(state) });
  }

  async start() {
    theme.start();
    this.odds();
    this.turn();
    addEventListener("hashchange", () => this.turn());
    setInterval(() => this.tick(), 1000);
    setInterval(() => this.poll(), POLL_MS);
    this.feeds.load();
    this.copies = await Copies.open();
    await this.list();
    if (this.date !== null) await this.open(this.date);
  }

  /** Which days have a slate; without a day in the address the newest is shown. */
  async list() {
    try {
      const { document } = await api.slates();
      this.days = document.slates.map((slate) => slate.date).sort();
      this.date ??= this.days.at(-1) ?? null;
      if (this.date === null) this.missing("Nothing is published yet. Run `backstop refresh` to publish today's slate; it appears here by itself.");
    } catch (refused) {
      this.refused(refused);
    }
    if (this.date === null) setTimeout(() => this.again(), POLL_MS / 6);
  }

  /** What the live line does not tell: the feeds, and days that were published since. */
  async poll() {
    if (document.hidden) return;
    this.feeds.load();
    if (this.date !== null) {
      await this.list();
      this.heading.day(this.date, this.days);
    }
  }

  /** Nothing was there: look again. */
  async again() {
    if (this.date !== null) return;
    await this.list();
    if (this.date !== null) await this.open(this.date);
  }

  async open(date) {
    this.date = date;
    this.slate = null;
    this.etag = null;
    this.freshness.forget();
    this.remember();
    this.heading.day(date, this.days);
    const copy = await this.copies.get(date);
    if (this.date !== date) return;
    if (copy === null) this.waiting();
    else this.take(copy.document, copy.etag);
    await this.load();
    if (this.date === date) this.live.follow(date);
  }

  /** Ask for the slate, naming the version that is here; only one question is on its way at a time. */
  async load() {
    if (this.loading) { this.stale = true; return; }
    this.loading = true;
    const date = this.date;
    try {
      const answer = await api.board(date, this.etag);
      if (date === this.date) {
        this.heading.notice(null);
        this.freshness.hearHeaders(answer.headers);
        if (answer.document !== null) {
          this.take(answer.document, answer.etag);
          this.copies.put(date, answer.etag, answer.document, answer.bytes);
        }
      }
    } catch (refused) {
      if (date === this.date) this.refused(refused);
    } finally {
      this.loading = false;
      this.tick();
      if (this.stale || date !== this.date) { this.stale = false; this.load(); }
    }
  }

  /** Show a version, from the server or from the browser's copy. */
  take(document, etag) {
    const before = this.slate?.date === document.date ? this.slate : null;
    this.slate = new Slate(document);
    this.etag = etag;
    this.filterForm.offer(this.slate);
    this.draw(before === null ? new Set() : differing(before, this.slate));
  }

  /** Another day was asked for: nothing of the one before stays under its name. */
  waiting() {
    byId("grid").hidden = true;
    this.heading.clear();
    this.say("Fetching the slate…");
    this.tick();
  }

  draw(changed = new Set()) {
    const rows = this.slate === null ? [] : rowsOf(this.slate, this.filters, this.order);
    byId("grid").hidden = rows.length === 0;
    if (this.slate !== null) this.say(rows.length ? null : this.slate.count ? "No prop passes these filters." : "This slate holds no props.");
    byId("filters").hidden = this.slate === null;
    this.grid.sorted(this.order);
    if (this.slate === null) return;
    this.grid.show(this.slate, rows, { changed, american: this.american });
    this.filterForm.shown(rows.length, this.slate.count);
    this.heading.slate(this.slate);
    this.detail.redraw(this.slate, this.american);
  }

  /** A sentence in place of the table, or none. */
  say(text) {
    byId("nothing").hidden = text === null;
    byId("nothing").replaceChildren(...sentence(text ?? ""));
  }

  /** A filter or the order was changed. */
  refine(change) {
    if (change.filters) this.filters = change.filters;
    if (change.order) this.order = change.order;
    this.filterForm.ordered(this.order);
    this.remember();
    this.draw();
  }

  hear(message) {
    if (message.type === "feed") return void this.feeds.moved(message);
    if (message.date !== undefined && message.date !== this.date) return undefined;
    // a server that has just started may know of nothing yet: the slate itself decides
    if (message.state === "missing" && this.slate !== null) return void this.load();
    if (message.state !== undefined) this.freshness.hear(message);
    if (message.type === "reprice") this.reprice(message);
    else if (message.type === "flip" && message.delta) this.edition = message.edition;
    else if (this.behind(message)) this.load();
    this.tick();
    return undefined;
  }

  /** Whether a message tells of another version, or another spelling of it, than is shown. */
  behind({ version, edition }) {
    if (edition) return editionOf(this.etag) !== edition;
    return Boolean(version) && version !== this.slate?.version;
  }

  /** Turn the shown version into the next one: the flip that came before told its edition. */
  reprice(delta) {
    const changed = this.slate?.apply(delta) ?? null;
    if (changed === null) return void this.load();
    this.etag = this.edition ? tagOf(this.edition, this.etag) : null;
    this.draw(changed);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), SETTLE_MS * (0.5 + Math.random() / 2));
    return undefined;
  }

  /** After a burst of deltas: ask once how old it is (a 304, as a rule), and keep the copy. */
  async settle() {
    await this.load();
    if (this.slate === null || this.etag === null) return;
    const document = this.slate.document();
    this.copies.put(this.slate.date, this.etag, document, JSON.stringify(document).length);
  }

  /** The server had no slate, or there was no server. */
  refused(refused) {
    if (refused.status === 404) {
      this.copies.forget(this.date);
      this.missing(refused.message);
    } else if (refused.status === 401) keys.ask();
    else {
      if (this.slate !== null) this.freshness.assume(this.slate.about.published_at);
      if (this.slate === null) this.say(null);
      this.heading.notice(this.slate === null ? refused.message : `${refused.message} Shown is what this browser has.`);
      this.retry();
    }
  }

  retry() {
    clearTimeout(this.retrying);
    this.retrying = setTimeout(() => (this.date === null ? this.again() : this.load()), POLL_MS / 6);
  }

  missing(text) {
    this.slate = null;
    this.freshness.hear({ state: "missing", age_s: null });
    this.heading.missing(this.date);
    this.say(text);
    this.draw();
    this.tick();
  }

  line(state) {
    byId("connection").hidden = false;
    mark(byId("connection"), "data-state", state);
    write(byId("connection").lastElementChild, { connecting: "connecting", live: "live", lost: "reconnecting" }[state]);
  }

  tick() { this.heading.freshness(this.freshness, this.slate !== null); }

  step(step) {
    const next = step > 0 ? this.days.find((day) => day > this.date) : this.days.findLast((day) => day < this.date);
    if (next) this.open(next);
  }

  odds() {
    const button = byId("odds");
    const show = () => {
      mark(button, "aria-pressed", String(this.american));
      write(button.lastElementChild, this.american ? "−110" : "1.91");
      mark(button, "title", this.american ? "Prices: American; choose decimal" : "Prices: decimal; choose American");
      mark(button, "aria-label", button.title);
    };
    button.addEventListener("click", () => {
      this.american = !this.american;
      keep("localStorage", ODDS, this.american ? "american" : "decimal");
      show();
      this.draw();
    });
    show();
  }

  /** Show the view that the address names. */
  turn() {
    const view = address.view() ?? this.view ?? "slate";
    if (view === this.view) return;
    this.view = view;
    for (const name of address.VIEWS) byId(`view-${name}`).hidden = name !== view;
    for (const tab of document.querySelectorAll("[data-view]")) {
      if (tab.dataset.view === view) mark(tab, "aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (view === "grades") this.grades.load();
    if (view === "feeds") this.feeds.load();
    if (view === "slate") this.draw();
    scrollTo({ top: 0 });
  }

  remember() { address.write(this); }
}

/** An entity tag is `W/"edition;code"`: which edition of the slate it names, and the code that made a document of it. */
const TAG = /^W\/"([^";]*);([^"]*)"$/;
const editionOf = (etag) => TAG.exec(etag ?? "")?.[1] ?? null;

/** The tag of another edition in the same form as the one before; null when that has none of this form. */
function tagOf(edition, before) {
  const code = TAG.exec(before ?? "")?.[2];
  return code === undefined ? null : `W/"${edition};${code}"`;
}

/** Ids of the props whose price or edge differs between two versions. */
function differing(before, after) {
  const fields = ["prob_over", "best_price_decimal", "best_book", "edge", "ev_per_unit"];
  const changed = new Set();
  after.columns.prop_id.forEach((id, row) => {
    const was = before.rowOf(id);
    if (was === undefined || fields.some((name) => before.value(name, was) !== after.value(name, row))) changed.add(id);
  });
  return changed;
}

new Board().start();
