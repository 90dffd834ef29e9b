// One prop as a row of the table. A row is made once and filled again while the table scrolls.

import { Miniature, Whisker } from "./chart.js";
import { el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { hasEdge } from "./slate.js";

/** The columns: what they sort by, their heading, the class of their cells. */
export const COLUMNS = [
  { name: "player", sort: "player", label: "Player" },
  { name: "market", sort: "market", label: "Market" },
  { name: "line", sort: "line", label: "Line", numeric: true },
  { name: "shape", label: "Distribution" },
  { name: "prob", sort: "prob", label: "P(over)", numeric: true },
  { name: "fair", label: "Fair over / under", numeric: true },
  { name: "books", sort: "books", label: "Books P(over)", numeric: true, hint: "The books' P(over) after their margin is removed" },
  { name: "best", sort: "price", label: "Best price", numeric: true },
  { name: "ev", sort: "ev", label: "EV", numeric: true, hint: "Expected value of one unit at the best price" },
  { name: "edge", sort: "edge", label: "Edge ± band, pts", numeric: true, hint: "The model's probability minus the books'; below its band it is none" },
];

export class Row {
  constructor(id) {
    this.cells = Object.fromEntries(COLUMNS.map(({ name, numeric }) => [
      name, el("td", { role: "gridcell", class: numeric ? `${name} number` : name })]));
    this.node = el("tr", { role: "row", id }, ...Object.values(this.cells));
    this.chart = new Miniature(112, 30);
    this.whisker = new Whisker(64, 18);
    this.name = el("b");
    this.market = el("span");
    this.at = el("b", { "aria-hidden": "true" });
    this.where = el("span");
    this.when = el("span", { class: "when" });
    this.side = el("span", { class: "side" });
    this.price = el("b");
    this.book = el("span", { class: "book" });
    this.edge = el("b");
    this.band = el("span", { class: "band" });
    this.cells.player.append(this.name, el("span", {}, this.where, this.when));
    this.cells.market.append(this.market, " ", this.at);
    this.cells.shape.append(this.chart.node);
    this.cells.best.append(this.side, " ", this.price, this.book);
    this.cells.edge.append(this.whisker.node, this.edge, this.band);
  }

  /** Show a row of a slate at a place of the table. */
  fill(slate, row, place, american) {
    const get = (name) => slate.value(name, row);
    this.prop = get("prop_id");
    mark(this.node, "aria-rowindex", String(place + 2));
    this.node.classList.toggle("odd", place % 2 === 1);
    write(this.name, get("player_name") ?? format.NONE);
    const [where, when] = meeting(slate, row);
    write(this.where, where);
    write(this.when, when);
    write(this.market, format.market(get("market")));
    write(this.at, format.line(get("line")));
    write(this.cells.line, format.line(get("line")));
    write(this.cells.prob, format.percent(get("prob_over")));
    write(this.cells.fair, `${format.price(get("fair_over_decimal"), american)} / ${format.price(get("fair_under_decimal"), american)}`);
    write(this.cells.books, format.percent(get("market_prob_over")));
    this.chart.draw(slate.chances(row), get("line"), get("prob_over"), get("prob_push"), get("prob_under"));
    this.fillBest(get, american);
    this.fillEdge(slate, row, get);
  }

  fillBest(get, american) {
    const price = get("best_price_decimal");
    write(this.side, get("best_side") ?? "");
    write(this.price, format.price(price, american));
    write(this.book, price === null ? "no quote" : format.book(get("best_book")));
    this.cells.best.classList.toggle("none", price === null);
    const ev = get("ev_per_unit");
    write(this.cells.ev, ev === null ? format.NONE : `${format.signed(100 * ev, 1)}%`);
    mark(this.cells.ev, "data-sign", ev === null ? "none" : ev > 0 ? "plus" : "minus");
  }

  fillEdge(slate, row, get) {
    const edge = get("edge"), band = get("edge_band");
    const real = hasEdge(slate, row);
    this.whisker.draw(edge, band);
    const kind = edge === null ? "unknown" : real ? "edge" : Math.abs(edge) <= band ? "none" : "against";
    mark(this.cells.edge, "data-kind", kind);
    write(this.edge, kind === "none" ? "none" : format.points(edge));
    write(this.band, edge === null ? "" : `± ${(100 * band).toFixed(1)}`);
    const why = { unknown: "No book quotes both sides, so there is nothing to compare with", none: `${format.points(edge)} is within the band`, against: "The best-priced side is less likely than the books say", edge: "" };
    mark(this.cells.edge, "title", why[kind]);
  }

  /** Show that the row has just changed. */
  flash() {
    this.node.classList.remove("changed");
    // reading a size makes the browser notice that the class was gone: the animation starts again
    void this.node.offsetWidth;
    this.node.classList.add("changed");
  }
}

/** Where and when he plays, his team first: `KC @ DET`, ` · 7:07 PM`, ` · TBD` until the start is determined. */
export function meeting(slate, row) {
  const team = slate.value("team", row) ?? "", opponent = slate.value("opponent", row) ?? "";
  const game = slate.game(row);
  if (game === null) return [`${team} · ${opponent}`, ""];
  const second = game.game_number > 1 ? " (2)" : "";
  const time = game.start_at ? ` · ${format.time(game.start_at)}` : " · TBD";
  return [`${team} ${game.home_team === team ? "v" : "@"} ${opponent}${second}`, time];
}
