// What is looked at stands in the address, so that it can be sent to somebody and survives a reload.

import { EMPTY, ORDERS } from "./view.js";

export const FIRST_ORDER = { by: "edge", direction: "descending" };
export const VIEWS = ["slate", "grades", "feeds"];

export function read() {
  const query = new URLSearchParams(location.search);
  const least = Number(query.get("least"));
  const by = query.get("sort");
  return {
    date: dayOf(query.get("date")),
    filters: {
      player: query.get("player") ?? EMPTY.player,
      market: query.get("market") ?? EMPTY.market,
      team: query.get("team") ?? EMPTY.team,
      least: Number.isFinite(least) && least > 0 ? least : EMPTY.least,
      edges: query.has("edges"),
    },
    order: Object.hasOwn(ORDERS, by) ? { by, direction: query.has("up") ? "ascending" : "descending" } : { ...FIRST_ORDER },
  };
}

/** A text as a day; null when it is none, and the newest slate is shown. */
function dayOf(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T12:00:00Z`).toJSON()?.startsWith(text) ? text : null;
}

export function write({ date, filters, order }) {
  const query = new URLSearchParams();
  if (date) query.set("date", date);
  for (const name of ["player", "market", "team", "least"]) if (filters[name]) query.set(name, filters[name]);
  if (filters.edges) query.set("edges", "");
  if (order.by !== FIRST_ORDER.by || order.direction !== FIRST_ORDER.direction) {
    query.set("sort", order.by);
    if (order.direction === "ascending") query.set("up", "");
  }
  const text = query.toString().replace(/=(?=&|$)/g, "");
  history.replaceState(null, "", `${location.pathname}${text ? `?${text}` : ""}${location.hash}`);
}

export function view() {
  const name = location.hash.slice(1);
  return VIEWS.includes(name) ? name : null;
}
