// The form above the table.

import { byId, el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { EMPTY, ORDERS } from "./view.js";

const TYPING_MS = 120;

export class Filters {
  /** `onChange({filters} | {order})` after each change. */
  constructor(filters, order, onChange) {
    this.form = byId("filters");
    this.wanted = filters;
    const fields = this.form.elements;
    fields.player.value = filters.player;
    fields.least.value = filters.least || "";
    fields.edges.checked = filters.edges;
    fields.order.append(...Object.entries(ORDERS).flatMap(([by, { label }]) => [
      el("option", { value: `${by} descending` }, `${label} ↓`), el("option", { value: `${by} ascending` }, `${label} ↑`)]));
    this.ordered(order);
    this.listen(onChange);
    byId("more").addEventListener("click", () => this.unfold());
  }

  listen(onChange) {
    const tell = () => { this.wanted = this.read(); onChange({ filters: this.wanted }); };
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", (event) => {
      if (event.target.name === "order") {
        const [by, direction] = event.target.value.split(" ");
        onChange({ order: { by, direction } });
        return;
      }
      clearTimeout(this.typing);
      this.typing = setTimeout(tell, event.target.type === "search" ? TYPING_MS : 0);
    });
    // the form still holds the old values while the event runs
    this.form.addEventListener("reset", () => setTimeout(tell));
  }

  /** On a phone the form shows the search alone until more is asked for. */
  unfold() {
    const open = this.form.classList.toggle("open");
    mark(byId("more"), "aria-expanded", String(open));
  }

  read() {
    const fields = this.form.elements;
    const least = Number(fields.least.value);
    return {
      player: fields.player.value, market: fields.market.value, team: fields.team.value,
      least: Number.isFinite(least) && least > 0 ? least : EMPTY.least, edges: fields.edges.checked,
    };
  }

  /** Offer the markets and teams of a slate; a choice that it lacks stays, so that nothing is widened in silence. */
  offer(slate) {
    this.fill("market", slate.markets(), format.market);
    this.fill("team", slate.teams(), (team) => team);
  }

  fill(name, values, label) {
    const select = this.form.elements[name];
    const chosen = this.wanted[name];
    const all = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    select.replaceChildren(select.options[0], ...all.map((value) => el("option", { value }, label(value))));
    select.value = chosen;
  }

  ordered({ by, direction }) { this.form.elements.order.value = `${by} ${direction}`; }

  shown(rows, count) {
    write(byId("shown"), rows === count ? `${format.count(count)} props` : `${format.count(rows)} of ${format.count(count)} props`);
  }
}
