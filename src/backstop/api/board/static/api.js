// Asks the API. An answer is a value: what came, or a sentence that says why nothing did.

import { keep, recall } from "./kept.js";

const KEY = "backstop-key";
const HEADER = "X-API-Key";

/** The API key of this tab, where the server asks for one. */
export const key = {
  get: () => recall("sessionStorage", KEY),
  set: (text) => keep("sessionStorage", KEY, text),
};

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** `{document, etag, headers, bytes}`; `document` is null when the copy that `etag` names still holds (304). */
export async function ask(path, etag = null) {
  const headers = { Accept: "application/json" };
  if (etag !== null) headers["If-None-Match"] = etag;
  if (key.get() !== null) headers[HEADER] = key.get();
  let answer;
  try {
    // no-store: the board keeps its own copies and wants to see the 304 itself
    answer = await fetch(path, { headers, cache: "no-store" });
  } catch {
    throw new Refused(0, "The server does not answer.");
  }
  if (answer.status === 304) return { document: null, etag, headers: answer.headers, bytes: 0 };
  const text = await answer.text();
  if (!answer.ok) throw new Refused(answer.status, sentenceOf(answer, text));
  return { document: parse(text), etag: answer.headers.get("ETag"), headers: answer.headers, bytes: text.length };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(502, "The server's answer is not JSON.");
  }
}

/** The sentence of an error body (RFC 9457), or the status when there is none. */
function sentenceOf(answer, text) {
  try {
    const problem = JSON.parse(text);
    if (typeof problem.detail === "string") return problem.detail;
  } catch {
    // no JSON: the status has to do
  }
  return `The server answered ${answer.status}.`;
}

export const slates = () => ask("/api/v1/slates");
export const board = (date, etag) => ask(`/api/v1/slates/${encodeURIComponent(date)}/board`, etag);
export const grades = (days, etag) => ask(`/api/v1/grades?days=${days}`, etag);
export const health = () => ask("/health/detailed");
