// One prop in full: its distribution with numbers, its prices, and the player's other lines.

import { histogram } from "./chart.js";
import { byId, el } from "./dom.js";
import * as format from "./format.js";
import { meeting } from "./row.js";
import { hasEdge } from "./slate.js";

const WIDEST = 560;

export class Detail {
  constructor() {
    this.dialog = byId("detail");
    this.open = null;
    this.dialog.addEventListener("close", () => { this.open = null; byId("grid").focus({ preventScroll: true }); });
    // a click beside the dialog closes it
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  /** Show a prop; it is drawn again when the slate changes while it is open. */
  show(slate, id, american) {
    const row = slate.rowOf(id);
    if (row === undefined) return this.dialog.close();
    this.open = id;
    this.fill(this.card(slate, row, american));
    if (!this.dialog.open) this.dialog.showModal();
    return undefined;
  }

  /** Put a card in place of the one before: what was unfolded stays so, and the keys stay where they were. */
  fill(card) {
    const reached = (node) => [...node.querySelectorAll("button, summary")];
    const at = reached(this.dialog).indexOf(document.activeElement);
    card.querySelector("details").open = this.dialog.open && this.dialog.querySelector("details").open;
    this.dialog.replaceChildren(card);
    reached(card)[at]?.focus({ preventScroll: true });
  }

  redraw(slate, american) { if (this.open !== null) this.show(slate, this.open, american); }

  card(slate, row, american) {
    const get = (name) => slate.value(name, row);
    const close = el("button", { type: "button", class: "plain icon", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.dialog.close());
    const chances = slate.chances(row);
    return el("div", { class: "card" },
      el("header", {}, el("div", {},
        el("h2", { id: "detail-title" }, `${get("player_name")}`),
        el("p", { class: "quiet" }, ...meeting(slate, row))), close),
      el("p", { class: "headline" }, format.market(get("market")), " ", el("b", {}, format.line(get("line"))),
        el("span", { class: "quiet" }, ` · expects ${get("mean") === null ? format.NONE : get("mean").toFixed(2)}`)),
      chances === null ? el("p", { class: "quiet" }, "The distribution behind this prop is not served.") : histogram(chances, get("line"), Math.min(WIDEST, innerWidth - 40)),
      this.verdict(slate, row, get),
      this.facts(get, american),
      this.others(slate, row, american));
  }

  verdict(slate, row, get) {
    const edge = get("edge"), band = get("edge_band");
    if (get("best_side") === null) return el("p", { class: "verdict" }, "No book quotes this line.");
    if (edge === null) return el("p", { class: "verdict" }, "No book quotes both sides of this line, so there is no market probability to compare with.");
    const size = `${format.points(edge)} ± ${(100 * band).toFixed(1)} points`;
    if (hasEdge(slate, row)) return el("p", { class: "verdict edge" }, `The model gives the ${get("best_side")} ${size.replace("+", "")} more than the books do.`);
    return el("p", { class: "verdict" }, `No edge: ${size} on the ${get("best_side")}, where the band is what the ways of removing the books' margin disagree by.`);
  }

  facts(get, american) {
    const price = (name) => format.price(get(name), american);
    const range = get("market_prob_low") === null ? format.NONE
      : `${format.percent(get("market_prob_over"))} (${format.percent(get("market_prob_low"))} to ${format.percent(get("market_prob_high"))})`;
    const facts = [
      ["Over / push / under", `${format.percent(get("prob_over"))} / ${format.percent(get("prob_push"))} / ${format.percent(get("prob_under"))}`],
      ["Fair over / under", `${price("fair_over_decimal")} / ${price("fair_under_decimal")}`],
      ["Books' P(over)", range],
      ["Best price", get("best_side") === null ? format.NONE : `${get("best_side")} ${price("best_price_decimal")} at ${format.book(get("best_book"))}`],
      ["Books that quote", String(get("books") ?? 0)],
      ["Expected value", get("ev_per_unit") === null ? format.NONE : `${format.signed(100 * get("ev_per_unit"), 1)}% of the stake`],
      ["Quarter Kelly", get("kelly_quarter") === null ? format.NONE : format.percent(get("kelly_quarter"))],
    ];
    return el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  /** The player's other props of the day; choosing one shows it. */
  others(slate, row, american) {
    const player = slate.value("player_id_mlbam", row);
    const rows = [];
    for (let other = 0; other < slate.count; other++) if (slate.columns.player_id_mlbam[other] === player) rows.push(other);
    rows.sort((a, b) => format.market(slate.columns.market[a]).localeCompare(format.market(slate.columns.market[b])) || slate.columns.line[a] - slate.columns.line[b]);
    const body = el("tbody");
    for (const other of rows) {
      const get = (name) => slate.value(name, other);
      const name = el("button", { type: "button", class: "link", "aria-current": other === row ? "true" : null }, `${format.market(get("market"))} ${format.line(get("line"))}`);
      name.addEventListener("click", () => this.show(slate, get("prop_id"), american));
      body.append(el("tr", { class: other === row ? "here" : null }, el("td", {}, name),
        el("td", { class: "number" }, format.percent(get("prob_over"))),
        el("td", { class: "number" }, get("best_side") === null ? format.NONE : `${get("best_side")} ${format.price(get("best_price_decimal"), american)}`),
        el("td", { class: hasEdge(slate, other) ? "number edge" : "number quiet" }, get("edge") === null ? format.NONE : hasEdge(slate, other) ? format.points(get("edge")) : "none")));
    }
    return el("details", { class: "others" }, el("summary", {}, `All ${rows.length} lines of ${slate.value("player_name", row)}`),
      el("table", {}, el("thead", {}, el("tr", {}, ...["Line", "P(over)", "Best price", "Edge"].map((text, at) => el("th", { scope: "col", class: at ? "number" : null }, text)))), body));
  }
}
