// Which rows are shown, in which order.

import { market, plain } from "./format.js";
import { hasEdge } from "./slate.js";

export const EMPTY = { player: "", market: "", team: "", least: 0, edges: false };

/** What can be sorted by: heading, the direction that is wanted first. */
export const ORDERS = {
  edge: { label: "Edge", first: "descending" },
  ev: { label: "EV", first: "descending" },
  prob: { label: "P(over)", first: "descending" },
  player: { label: "Player", first: "ascending" },
  market: { label: "Market", first: "ascending" },
  line: { label: "Line", first: "ascending" },
  books: { label: "Books P(over)", first: "descending" },
  price: { label: "Best price", first: "descending" },
};

/** Made once: comparing with it is a hundred times faster than asking for the language's rules each time. */
const LETTERS = new Intl.Collator("en");
const COLUMN = { ev: "ev_per_unit", prob: "prob_over", line: "line", books: "market_prob_over", price: "best_price_decimal" };

/** The rows of a slate that pass the filters, sorted; rows without a value to sort by come last either way. */
export function rowsOf(slate, filters, order) {
  const rows = [];
  const wanted = plain(filters.player).split(/\s+/).filter(Boolean);
  const least = filters.least / 100;
  for (let row = 0; row < slate.count; row++) {
    if (filters.market && slate.columns.market[row] !== filters.market) continue;
    if (filters.team && slate.columns.team[row] !== filters.team) continue;
    if (filters.edges && !hasEdge(slate, row)) continue;
    if (least > 0 && !(hasEdge(slate, row) && slate.columns.edge[row] >= least)) continue;
    if (wanted.length && !wanted.every((word) => slate.names[row].includes(word))) continue;
    rows.push(row);
  }
  return sort(slate, rows, order);
}

function sort(slate, rows, { by, direction }) {
  const keys = keysOf(slate, by);
  const turn = direction === "ascending" ? 1 : -1;
  const groups = by === "edge" ? groupsByEdge(slate) : null;
  return rows.sort((a, b) => {
    if (groups && groups[a] !== groups[b]) return groups[a] - groups[b];
    const x = keys[a], y = keys[b];
    // NaN stands for no value
    if (x !== x || y !== y) return x === y ? a - b : (x !== x) - (y !== y) || a - b;
    return turn * (x - y) || a - b;
  });
}

function keysOf(slate, by) {
  if (by === "player") return ranks(slate.names);
  if (by === "market") return ranks(slate.columns.market.map(market));
  const column = slate.columns[COLUMN[by] ?? by];
  return Float64Array.from(column, (value) => value ?? NaN);
}

/** Texts as numbers of the same order: comparing those is a hundred times faster. */
function ranks(texts) {
  const order = new Map([...new Set(texts)].sort(LETTERS.compare).map((text, rank) => [text, rank]));
  return Float64Array.from(texts, (text) => order.get(text));
}

/** An edge first, then what is too small or negative to be called one, then what has none: not mixed by size. */
function groupsByEdge(slate) {
  return Uint8Array.from({ length: slate.count }, (_, row) =>
    slate.value("edge", row) === null ? 2 : hasEdge(slate, row) ? 0 : 1);
}
