// One version of a slate in columns, as the API sends it; deltas turn it into the next version.

import { market, plain } from "./format.js";

/** Columns that come from the model: a price alone does not move them. */
const MODEL = ["mean", "prob_over", "prob_push", "prob_under"];

export class Slate {
  constructor(document) {
    this.about = document;
    this.columns = {};
    for (const [name, column] of Object.entries(document.props)) this.columns[name] = decode(column);
    this.distributions = document.distributions ?? [];
    this.index();
  }

  get date() { return this.about.date; }
  get version() { return this.about.version; }
  get count() { return this.columns.prop_id.length; }

  value(name, row) {
    const column = this.columns[name];
    return column === undefined ? null : column[row] ?? null;
  }

  rowOf(id) { return this.places.get(id); }

  /** The row's distribution, null when it is not known. */
  chances(row) {
    const place = this.value("distribution", row);
    return place === null ? null : this.distributions[place] ?? null;
  }

  game(row) { return this.games.get(this.value("game_pk", row)) ?? null; }

  /** What is looked up often: rows by id, games by id, names as they are searched for. */
  index() {
    this.places = new Map(this.columns.prop_id.map((id, row) => [id, row]));
    this.games = new Map((this.about.games ?? []).map((game) => [game.game_pk, game]));
    this.names = this.columns.player_name.map(plain);
  }

  markets() {
    return [...new Set(this.columns.market)].sort((a, b) => market(a).localeCompare(market(b)));
  }

  teams() { return [...new Set(this.columns.team)].filter((team) => team !== null).sort(); }

  /**
   * Become the version that a delta leads to. Returns the ids of the props that changed, or null when only the whole
   * document helps: the delta starts from another version, names a row that is not here, or moves the model's
   * probabilities, whose distributions it does not carry.
   */
  apply(delta) {
    if (delta.from !== this.version || delta.date !== this.date) return null;
    if (delta.rows.some((row) => !this.places.has(row.prop_id) || MODEL.some((name) => name in row))) return null;
    const changed = new Set();
    for (const fields of delta.rows) {
      const row = this.places.get(fields.prop_id);
      this.write(row, fields);
      changed.add(fields.prop_id);
    }
    if (delta.gone.length || delta.added.length) this.resize(delta, changed);
    this.about = { ...this.about, version: delta.version, published_at: delta.published_at ?? this.about.published_at };
    return changed;
  }

  write(row, fields) {
    for (const [name, value] of Object.entries(fields)) {
      if (name in this.columns) this.columns[name][row] = value;
    }
    if ("player_name" in fields) this.names[row] = plain(fields.player_name);
  }

  resize(delta, changed) {
    const known = this.byQuantity();
    const gone = new Set(delta.gone);
    const kept = this.columns.prop_id.flatMap((id, row) => (gone.has(id) ? [] : [row]));
    for (const [name, column] of Object.entries(this.columns)) {
      this.columns[name] = kept.map((row) => column[row]);
      for (const added of delta.added) this.columns[name].push(name === "distribution" ? known.get(quantity(added)) ?? null : added[name] ?? null);
    }
    this.index();
    for (const added of delta.added) changed.add(added.prop_id);
  }

  /** The distribution behind each line of the same quantity: a new line of it has the same one. */
  byQuantity() {
    const { game_pk, player_id_mlbam, market, distribution } = this.columns;
    return new Map(distribution.map((place, row) => [quantity({ game_pk: game_pk[row], player_id_mlbam: player_id_mlbam[row], market: market[row] }), place]));
  }

  /** The document of this version, for the browser's own copy. */
  document() { return { ...this.about, props: this.columns, distributions: this.distributions }; }
}

const quantity = (prop) => `${prop.game_pk}:${prop.player_id_mlbam}:${prop.market}`;

/** A column is an array, or `{values, codes}` where few texts repeat. */
function decode(column) {
  if (Array.isArray(column)) return column.slice();
  return column.codes.map((code) => (code === null ? null : column.values[code] ?? null));
}

/** Whether the model and the books differ by more than the books' own doubt: only that is called an edge. */
export function hasEdge(slate, row) {
  const edge = slate.value("edge", row), band = slate.value("edge_band", row);
  return edge !== null && band !== null && edge > band;
}
