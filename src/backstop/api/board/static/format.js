// Numbers, prices, ages and names as people read them.

export const NONE = "–";
const MINUS = "\u2212";
const MINUTE = 60, HOUR = 3600, DAY = 86400;

const LABELS = {
  batter_hits_runs_rbis: "Hits + runs + RBIs",
  batter_rbis: "RBIs",
  batter_runs_scored: "Runs",
};
const BOOKS = {
  draftkings: "DraftKings", fanduel: "FanDuel", betmgm: "BetMGM", betrivers: "BetRivers", betonlineag: "BetOnline",
  bovada: "Bovada", williamhill_us: "Caesars", fanatics: "Fanatics", espnbet: "ESPN Bet", hardrockbet: "Hard Rock",
  ballybet: "Bally Bet", pointsbetus: "PointsBet", barstool: "Barstool", prizepicks: "PrizePicks", underdog: "Underdog",
  pinnacle: "Pinnacle", fliff: "Fliff", mybookieag: "MyBookie",
};

/** `batter_total_bases` as "Total bases"; a pitcher's market says so. */
export function market(key) {
  if (LABELS[key]) return LABELS[key];
  const words = key.replace(/^batter_/, "").replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const book = (key) => (key === null ? NONE : BOOKS[key] ?? key);

/** A probability: 61.3%. */
export const percent = (p, digits = 1) => (p === null ? NONE : `${(100 * p).toFixed(digits)}%`);

/** A difference of probabilities in points, with its sign: +4.2. */
export const points = (p, digits = 1) => (p === null ? NONE : signed(100 * p, digits));

/** A number with its sign, the true minus sign. */
export function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? MINUS : "+") + text;
}

/** A decimal price, or the American odds of it. */
export function price(decimal, american = false) {
  if (decimal === null) return NONE;
  if (!american) return decimal >= 100 ? decimal.toFixed(0) : decimal.toFixed(2);
  if (decimal <= 1) return NONE;
  return decimal >= 2 ? `+${Math.round(100 * (decimal - 1))}` : `${MINUS}${Math.round(100 / (decimal - 1))}`;
}

export const line = (value) => (value === null ? NONE : value.toFixed(1).replace(/\.0$/, ""));
export const count = (n) => n.toLocaleString("en-US");

/** A duration in the largest unit that keeps it readable: 42 s, 12 min, 3 h 05 min, 2 d 4 h. */
export function age(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${String(Math.floor((whole % HOUR) / MINUTE)).padStart(2, "0")} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

/** `2025-05-02` as "Friday, May 2" with the year where it is not this one; a date has no time zone. */
export function day(iso, style = "long") {
  const date = new Date(`${iso}T12:00:00Z`);
  const options = { weekday: style, month: style, day: "numeric", timeZone: "UTC" };
  if (date.getUTCFullYear() !== new Date().getFullYear() && style === "long") options.year = "numeric";
  return date.toLocaleDateString("en-US", options);
}

/** An instant as the reader's own clock shows it. */
export const time = (iso) => new Date(iso).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

/** A name as it is searched for: small letters without accents. */
export const plain = (name) => name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
