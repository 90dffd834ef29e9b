// The feeds' health, and that of everything else that the API leans on.

import { health } from "./api.js";
import { byId, el, mark, sentence } from "./dom.js";
import * as format from "./format.js";

const NAMES = { savant: "Baseball Savant", statsapi: "MLB Stats API", theodds: "The Odds API", sportradar: "SportRadar", chadwick: "Chadwick register" };
const BREAKERS = { closed: "answers", open: "left alone", "half-open": "being tried" };
const STATUS = { ok: "ok", degraded: "degraded", down: "down" };

export class Feeds {
  constructor() {
    this.node = byId("feeds");
    this.mark = byId("feeds-mark");
    this.known = null;
  }

  async load() {
    try {
      this.known = (await health()).document;
      this.draw();
    } catch (refused) {
      this.node.replaceChildren(el("p", { class: "nothing" }, ...sentence(refused.message)));
    }
  }

  /** A breaker moved: show it before the next poll. */
  moved(message) {
    const feed = this.known?.components.feeds?.feeds?.find((each) => each.feed === message.feed);
    if (feed === undefined) return void this.load();
    Object.assign(feed, { breaker: message.breaker, retry_in_s: message.retry_in_s ?? 0, last_error: message.reason ?? feed.last_error });
    this.draw();
  }

  draw() {
    const { feeds: { feeds = [], detail = "" } = {}, ...components } = this.known.components;
    const broken = feeds.filter((feed) => feed.breaker !== "closed").length + Object.values(components).filter((one) => one.status === "down").length;
    this.mark.hidden = broken === 0;
    this.mark.textContent = String(broken);
    mark(this.mark, "aria-label", `, ${broken} not well`);
    this.node.replaceChildren(
      feeds.length ? el("ul", { class: "cards" }, ...feeds.map(card)) : el("p", { class: "quiet" }, ...sentence(detail)),
      el("h2", {}, "Behind the API"),
      el("ul", { class: "components" }, ...Object.entries(components).map(component)));
  }
}

function card(feed) {
  const facts = [
    ["Requests at once", `${feed.in_flight} of ${feed.gate_width}${feed.gate_width < feed.gate_cap ? `, at most ${feed.gate_cap}` : ""}`],
    ["Waiting", String(feed.waiting)],
    ["Last answer", feed.last_success_at === null ? "not seen yet" : `${format.age((Date.now() - Date.parse(feed.last_success_at)) / 1000)} ago`],
  ];
  if (feed.credits_left !== null && feed.credits_left !== undefined) facts.push(["Credits left", format.count(feed.credits_left)]);
  if (feed.breaker === "open" && feed.retry_in_s > 0) facts.push(["Asked again in", format.age(feed.retry_in_s)]);
  // a closed breaker says that it may be asked, not that it ever answered
  const silent = feed.breaker === "closed" && feed.last_success_at === null;
  const badge = el("span", { class: "badge", "data-state": silent ? "unknown" : feed.breaker }, el("b", {}, silent ? "not asked yet" : BREAKERS[feed.breaker] ?? feed.breaker));
  return el("li", { class: "feed", "data-breaker": feed.breaker },
    el("header", {}, el("h2", {}, NAMES[feed.feed] ?? feed.feed), badge),
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    feed.last_error ? el("p", { class: "error" }, ...sentence(feed.last_error)) : null);
}

function component([name, about]) {
  return el("li", {}, el("span", { class: "badge", "data-state": about.status }, el("b", {}, STATUS[about.status] ?? about.status)),
    el("b", {}, name), el("span", { class: "quiet" }, ...sentence(about.detail ?? "")));
}
