// The table: thousands of rows, of which only those in sight exist.

import { byId, el, mark } from "./dom.js";
import { COLUMNS, Row } from "./row.js";
import { ORDERS } from "./view.js";

const SPARE = 8;
/** Rows kept ready above and below the window, so that a flick of the wheel shows no gap. */

export class Grid {
  /** `onOpen(propId)` when a row is chosen, `onSort(name)` when a heading is. */
  constructor({ onOpen, onSort }) {
    this.table = byId("grid");
    this.body = this.table.tBodies[0];
    this.above = el("tr", { class: "space", "aria-hidden": "true" });
    this.below = el("tr", { class: "space", "aria-hidden": "true" });
    this.body.append(this.above, this.below);
    this.rows = [];
    this.first = 0;
    this.order = [];
    this.active = -1;
    this.slate = null;
    this.american = false;
    this.onOpen = onOpen;
    this.heads(onSort);
    this.listen();
  }

  heads(onSort) {
    this.headings = new Map();
    for (const column of COLUMNS) {
      const inside = column.sort ? el("button", { type: "button", title: column.hint }, column.label) : column.label;
      const cell = el("th", { role: "columnheader", scope: "col", class: column.numeric ? `${column.name} number` : column.name }, inside);
      if (column.sort) {
        inside.addEventListener("click", () => onSort(column.sort));
        this.headings.set(column.sort, cell);
      }
      this.table.tHead.rows[0].append(cell);
    }
  }

  listen() {
    let waiting = false;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; this.place(); });
    };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", () => { this.tall = 0; soon(); });
    this.body.addEventListener("click", (event) => {
      const node = event.target.closest("tr");
      const at = this.rows.findIndex((row) => row.node === node);
      if (at < 0) return;
      this.go(this.first + at);
      this.onOpen(this.rows[at].prop);
    });
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.table.addEventListener("focus", () => { if (this.active < 0 && this.order.length) this.go(0); });
  }

  /** Show rows of a slate in an order; `changed` are ids of props whose rows should light up. */
  show(slate, order, { changed = new Set(), american = this.american } = {}) {
    const held = this.active < 0 || this.slate === null ? null : this.slate.value("prop_id", this.order[this.active]);
    Object.assign(this, { slate, order, american });
    mark(this.table, "aria-rowcount", String(order.length + 1));
    this.active = held === null ? -1 : order.indexOf(slate.rowOf(held));
    this.place(true);
    for (const row of this.rows) if (changed.has(row.prop)) row.flash();
  }

  sorted({ by, direction }) {
    for (const [name, cell] of this.headings) {
      if (name === by) mark(cell, "aria-sort", direction);
      else cell.removeAttribute("aria-sort");
    }
  }

  /** Height of a row, from the style: it differs between a desk and a phone. */
  height() {
    if (!this.tall) this.tall = parseFloat(getComputedStyle(this.table).getPropertyValue("--row"));
    return this.tall;
  }

  top() { return this.body.getBoundingClientRect().top + scrollY; }

  /** Put the rows in sight in place; all of them are filled again when `anew`. */
  place(anew = false) {
    if (this.slate === null || this.table.offsetParent === null) return;
    const tall = this.height();
    const fits = Math.ceil(innerHeight / tall) + 2 * SPARE;
    const size = Math.min(fits, this.order.length);
    const start = Math.floor((scrollY - this.top()) / tall) - SPARE;
    const first = Math.max(0, Math.min(start, this.order.length - size));
    const moved = first - this.first;
    if (this.resize(size) || anew || Math.abs(moved) >= size) {
      this.first = first;
      this.rows.forEach((row, at) => this.fill(row, first + at));
    } else if (moved !== 0) this.turn(moved);
    this.above.style.height = `${first * tall}px`;
    this.below.style.height = `${(this.order.length - first - size) * tall}px`;
    this.point();
  }

  /** Rows that left at one end come in at the other; the rest stay as they are. */
  turn(moved) {
    for (let n = 0; n < Math.abs(moved); n++) {
      if (moved > 0) {
        const row = this.rows.shift();
        this.below.before(row.node);
        this.rows.push(row);
        this.fill(row, this.first + this.rows.length);
        this.first++;
      } else {
        const row = this.rows.pop();
        this.above.after(row.node);
        this.rows.unshift(row);
        this.first--;
        this.fill(row, this.first);
      }
    }
  }

  resize(size) {
    if (size === this.rows.length) return false;
    while (this.rows.length > size) this.rows.pop().node.remove();
    while (this.rows.length < size) {
      const row = new Row(`row-${this.rows.length}`);
      this.below.before(row.node);
      this.rows.push(row);
    }
    return true;
  }

  fill(row, place) {
    row.node.classList.remove("changed");
    row.fill(this.slate, this.order[place], place, this.american);
  }

  /** Tell which row the keys are on. */
  point() {
    let id = "";
    this.rows.forEach((row, at) => {
      const on = this.first + at === this.active;
      row.node.classList.toggle("active", on);
      mark(row.node, "aria-selected", String(on));
      if (on) id = row.node.id;
    });
    mark(this.table, "aria-activedescendant", id);
  }

  /** Put the keys on a row and bring it into sight. */
  go(place) {
    this.active = Math.max(0, Math.min(place, this.order.length - 1));
    const tall = this.height();
    const head = this.table.tHead.getBoundingClientRect().bottom;
    const at = this.top() + this.active * tall;
    if (at - scrollY < head) scrollTo({ top: at - head });
    else if (at + tall - scrollY > innerHeight) scrollTo({ top: at + tall - innerHeight + 8 });
    this.place();
  }

  key(event) {
    if (event.target !== this.table || event.altKey || event.ctrlKey || event.metaKey || !this.order.length) return;
    const page = Math.max(1, Math.floor(innerHeight / this.height()) - 3);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.order.length, End: this.order.length };
    if (event.key in steps) this.go(this.active + steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.onOpen(this.slate.value("prop_id", this.order[Math.max(0, this.active)]));
    else return;
    event.preventDefault();
  }
}

/** What a heading does when it is chosen: the direction that is wanted first, then the other. */
export function turned(order, by) {
  if (order.by !== by) return { by, direction: ORDERS[by].first };
  return { by, direction: order.direction === "ascending" ? "descending" : "ascending" };
}
