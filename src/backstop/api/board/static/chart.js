// Pictures of distributions and edges, drawn as paths: one path per colour keeps a row at a few nodes.

import { mark, svg } from "./dom.js";
import { line as lineText, percent } from "./format.js";

const SMALLEST = 0.004;
/** A chance below this is not drawn: it would be less than a tenth of a pixel. */
const FEWEST = 4;

/** Where a distribution ends for the eye. */
export function extent(chances, line) {
  let last = chances.length - 1;
  while (last > 0 && chances[last] < SMALLEST) last--;
  return Math.max(last, FEWEST - 1, Math.ceil(line));
}

/** A small chart: bars under the line, on it, over it, and the line itself. */
export class Miniature {
  constructor(width, height) {
    this.size = { width, height };
    this.under = svg("path", { class: "under" });
    this.push = svg("path", { class: "push" });
    this.over = svg("path", { class: "over" });
    this.rule = svg("path", { class: "rule" });
    this.node = svg("svg", { class: "miniature", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMinYMid", role: "img" },
      this.under, this.push, this.over, this.rule);
  }

  draw(chances, line, over, push, under) {
    mark(this.node, "aria-label", describe(chances, line, over));
    const bars = chances === null ? this.split(over, push, under) : this.bars(chances, line);
    mark(this.under, "d", bars.under);
    mark(this.push, "d", bars.push);
    mark(this.over, "d", bars.over);
    mark(this.rule, "d", bars.rule);
  }

  bars(chances, line) {
    const { width, height } = this.size;
    const last = extent(chances, line);
    const step = width / (last + 1), gap = step > 6 ? 1.5 : step > 3 ? 0.75 : 0.25;
    const highest = Math.max(...chances);
    const paths = { under: "", push: "", over: "" };
    for (let n = 0; n <= last; n++) {
      const tall = (chances[n] ?? 0) / highest * (height - 2);
      if (tall < 0.2) continue;
      paths[n < line ? "under" : n > line ? "over" : "push"] += bar(n * step + gap / 2, height, step - gap, tall);
    }
    const at = (line + 0.5) * step;
    return { ...paths, rule: `M${round(at)} 0V${height}` };
  }

  /** Without a distribution: how the line splits it. */
  split(over, push, under) {
    const { width, height } = this.size;
    const y = height - 4, left = width * under, middle = width * push;
    return {
      under: bar(0, y, left, 6), push: bar(left, y, middle, 6), over: bar(left + middle, y, width * over, 6), rule: "",
    };
  }
}

function bar(x, bottom, width, tall) {
  return `M${round(x)} ${round(bottom)}v${round(-tall)}h${round(width)}v${round(tall)}z`;
}

const round = (x) => Math.round(x * 100) / 100;

function describe(chances, line, over) {
  const says = `${percent(over, 0)} over ${lineText(line)}`;
  if (chances === null) return says;
  return `${says}; most likely ${chances.indexOf(Math.max(...chances))}`;
}

const SCALE = 0.2;
/** An edge of twenty points fills the whisker: more is rare and drawn at its end. */

/** An edge as a dot with its band as a bar about zero. */
export class Whisker {
  constructor(width, height) {
    this.size = { width, height };
    this.axis = svg("path", { class: "axis", d: `M${width / 2} 2V${height - 2}` });
    this.band = svg("path", { class: "band" });
    this.dot = svg("circle", { r: 3.2, cy: height / 2 });
    this.node = svg("svg", { class: "whisker", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      this.band, this.axis, this.dot);
  }

  draw(edge, band) {
    const { width, height } = this.size;
    const known = edge !== null && band !== null;
    this.node.classList.toggle("blank", !known);
    if (!known) return;
    const place = (value) => round(width / 2 + Math.max(-1, Math.min(1, value / SCALE)) * (width / 2 - 4));
    mark(this.band, "d", `M${place(-band)} ${height / 2}H${place(band)}`);
    mark(this.dot, "cx", String(place(edge)));
  }
}

/** The large chart of the detail: the same bars with their numbers, as wide as it is shown so that they can be read. */
export function histogram(chances, line, width) {
  const height = 180, floor = height - 24, top = 22;
  const last = extent(chances, line);
  const step = width / (last + 1), gap = Math.min(8, step * 0.2);
  const highest = Math.max(...chances);
  const picture = svg("svg", { class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken(chances, last) });
  for (let n = 0; n <= last; n++) {
    const tall = (chances[n] ?? 0) / highest * (floor - top);
    const middle = (n + 0.5) * step;
    picture.append(
      svg("path", { class: n < line ? "under" : n > line ? "over" : "push", d: bar(n * step + gap / 2, floor, step - gap, tall) }),
      svg("text", { class: "tick", x: round(middle), y: height - 6 }, String(n)));
    if (step > 26 && chances[n] >= 0.005) {
      picture.append(svg("text", { class: "share", x: round(middle), y: round(floor - tall - 6) }, percent(chances[n], 0)));
    }
  }
  const at = round((line + 0.5) * step);
  picture.append(svg("path", { class: "rule", d: `M${at} ${top - 14}V${floor}` }),
    svg("path", { class: "floor", d: `M0 ${floor}H${width}` }));
  return picture;
}

/** The bars in words: `0: 14%, 1: 31%, ...`. */
const spoken = (chances, last) => chances.slice(0, last + 1).map((chance, n) => `${n}: ${percent(chance, 0)}`).join(", ");

/** Forecast against frequency: dots on the diagonal are a calibrated model; a dot's size is its number of props. */
export function calibration(bins, label) {
  const side = 200, pad = 38;
  const x = (p) => round(pad + p * side), y = (p) => round(8 + (1 - p) * side);
  const picture = svg("svg", { class: "calibration", viewBox: `0 0 ${side + pad + 16} ${side + 46}`, role: "img", "aria-label": label },
    svg("text", { class: "axis", x: x(0.5), y: y(0) + 31 }, "forecast"),
    svg("text", { class: "axis left", x: x(1) - 4, y: y(0) - 6 }, "seen less often"),
    svg("text", { class: "axis right", x: x(0) + 4, y: y(1) + 14 }, "seen more often"));
  for (const tick of [0, 0.5, 1]) {
    picture.append(
      svg("path", { class: "net", d: `M${x(tick)} ${y(0)}V${y(1)}M${x(0)} ${y(tick)}H${x(1)}` }),
      svg("text", { class: "tick", x: x(tick), y: y(0) + 14 }, percent(tick, 0)),
      svg("text", { class: "tick left", x: x(0) - 5, y: y(tick) + 3 }, percent(tick, 0)));
  }
  picture.append(svg("path", { class: "diagonal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }));
  const most = Math.max(...bins.map((bin) => bin.props));
  for (const bin of bins) {
    const radius = round(2 + 4 * Math.sqrt(bin.props / most));
    picture.append(svg("circle", { cx: x(bin.mean_prob_over), cy: y(bin.share_over), r: radius },
      svg("title", {}, `${bin.props} props: forecast ${percent(bin.mean_prob_over)}, seen ${percent(bin.share_over)}`)));
  }
  return picture;
}
