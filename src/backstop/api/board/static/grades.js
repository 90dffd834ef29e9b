// Grade and calibration of the last days.

import { ask } from "./api.js";
import { calibration } from "./chart.js";
import { byId, el, sentence, svg } from "./dom.js";
import * as format from "./format.js";

const DAYS = 14;

export class Grades {
  constructor() {
    this.node = byId("grades");
    this.etag = null;
  }

  async load() {
    try {
      const answer = await ask(`/api/v1/grades?days=${DAYS}`, this.etag);
      if (answer.document === null) return;
      this.etag = answer.etag;
      this.draw(answer.document.days);
    } catch (refused) {
      this.node.replaceChildren(el("p", { class: "nothing" }, ...sentence(refused.message)));
    }
  }

  draw(days) {
    if (days.length === 0) {
      this.node.replaceChildren(el("p", { class: "nothing" }, ...sentence("No slate has been graded yet. The day after its games, `backstop grade` settles what was published.")));
      return;
    }
    const newest = [...days].sort((a, b) => b.date.localeCompare(a.date));
    this.node.replaceChildren(
      el("div", { class: "over-time" }, el("h2", {}, "Brier score, day by day"), trend([...newest].reverse(), this.node.clientWidth - 38), legend()),
      el("div", { class: "pictures" }, ...newest.slice(0, 8).filter((day) => day.calibration.length).map(picture)),
      el("h2", {}, `By market, ${format.day(newest[0].date)}`),
      byMarket(newest[0]));
  }
}

/** The model's and the books' Brier score over the props of a day that both priced. */
function scores(day) {
  const both = day.markets.filter((market) => market.market_props > 0);
  const props = both.reduce((sum, market) => sum + market.market_props, 0);
  const mean = (name) => (props === 0 ? null : both.reduce((sum, market) => sum + market[name] * market.market_props, 0) / props);
  return { date: day.date, props, model: mean("model_brier_there"), books: mean("market_brier") };
}

/** As wide as the page, so that its letters have the size of the others. */
function trend(days, width) {
  const found = days.map(scores).filter((score) => score.model !== null);
  if (found.length === 0) return el("p", { class: "quiet" }, "No graded prop had a two-sided quote.");
  const height = 190, left = 44, floor = height - 28, top = 10;
  const values = found.flatMap((score) => [score.model, score.books]);
  const low = Math.min(...values) - 0.004, high = Math.max(...values) + 0.004;
  const step = (width - left - 40) / Math.max(1, found.length - 1);
  const x = (n) => (found.length === 1 ? (left + width) / 2 : left + 20 + n * step), y = (value) => floor - (value - low) / (high - low) * (floor - top);
  const picture = svg("svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Brier score of the model and of the books by day" });
  for (let n = 0; n <= 3; n++) {
    const value = low + (high - low) * n / 3;
    picture.append(svg("path", { class: "net", d: `M${left} ${y(value)}H${width}` }), svg("text", { class: "tick left", x: left - 6, y: y(value) + 3 }, value.toFixed(3)));
  }
  const path = (name) => found.map((score, n) => `${n ? "L" : "M"}${x(n).toFixed(1)} ${y(score[name]).toFixed(1)}`).join("");
  picture.append(svg("path", { class: "line books", d: path("books") }), svg("path", { class: "line model", d: path("model") }));
  found.forEach((score, n) => {
    for (const name of ["books", "model"]) {
      picture.append(svg("circle", { class: name, cx: x(n), cy: y(score[name]), r: 3.5 }, svg("title", {}, `${score.date}: ${name} ${score[name].toFixed(4)} over ${format.count(score.props)} props`)));
    }
    if (step > 56 || n % Math.ceil(56 / step) === 0) picture.append(svg("text", { class: "tick", x: x(n), y: height - 6 }, format.day(score.date, "short").replace(/^\w+, /, "")));
  });
  return picture;
}

const legend = () => el("p", { class: "legend quiet" }, el("i", { class: "model" }), "model ", el("i", { class: "books" }), "books, on the same props");

function picture(day) {
  const props = day.calibration.reduce((sum, bin) => sum + bin.props, 0);
  return el("figure", {}, el("figcaption", {}, el("b", {}, format.day(day.date, "short")), el("span", { class: "quiet" }, `${format.count(props)} settled`)),
    calibration(day.calibration, `Calibration of ${day.date}: forecast against how often it happened`));
}

function byMarket(day) {
  const heads = ["Market", "Props", "Brier", "Books' Brier", "Brier, same props", "Log loss", "Calibration error", "of it by chance", "Closing line, pts"];
  const fixed = (value, digits = 3) => (value === null || value === undefined ? format.NONE : value.toFixed(digits));
  const rows = [...day.markets].sort((a, b) => b.props - a.props).map((market) => el("tr", {},
    el("th", { scope: "row" }, format.market(market.market)),
    ...[format.count(market.props), fixed(market.brier), fixed(market.market_brier), fixed(market.model_brier_there), fixed(market.log_loss), fixed(market.ece), fixed(market.ece_floor), format.points(market.clv_probability ?? null)]
      .map((text) => el("td", { class: "number" }, text))));
  return el("div", { class: "scroll" }, el("table", { class: "plain-table" },
    el("thead", {}, el("tr", {}, ...heads.map((text, at) => el("th", { scope: "col", class: at ? "number" : null }, text)))), el("tbody", {}, ...rows)));
}
