// How far the slate may be relied on: the server's word, and the time that passed since.

const seconds = () => performance.now() / 1000;

export class Freshness {
  constructor() { this.forget(); }

  forget() {
    Object.assign(this, { said: "unknown", age: null, at: seconds(), freshFor: null });
  }

  /** Take the server's word: state, age, how long fresh lasts. */
  hear({ state, age_s: age, fresh_for_s: freshFor }) {
    this.said = state;
    this.age = age ?? null;
    this.at = seconds();
    if (freshFor) this.freshFor = freshFor;
  }

  hearHeaders(headers) {
    const number = (name) => (headers.get(name) === null ? null : Number(headers.get(name)));
    this.hear({
      state: headers.get("Backstop-State") ?? "unknown",
      age_s: number("Backstop-Age-S"),
      fresh_for_s: number("Backstop-Fresh-For-S"),
    });
  }

  /** Nobody answers: all that is known is when this copy was published. */
  assume(publishedAt) {
    if (this.said !== "unknown") return;
    this.hear({ state: "stale", age_s: (Date.now() - Date.parse(publishedAt)) / 1000 });
  }

  get ageNow() { return this.age === null ? null : this.age + seconds() - this.at; }

  /** Fresh only as long as the server promised; it need not say that the time is over. */
  get state() {
    const over = this.freshFor !== null && this.ageNow !== null && this.ageNow > this.freshFor;
    return this.said === "fresh" && over ? "stale" : this.said;
  }
}
