// The live line: one WebSocket that says when the slate changed. It comes back by itself and picks up where it was.

import { key } from "./api.js";

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 15_000;
const SILENT_BEATS = 2.5;
/** Heartbeats that may be missing before a line counts as dead. */

export class Live {
  /** `onMessage(message)` for each message, `onState("connecting" | "live" | "lost")` when the line changes. */
  constructor({ onMessage, onState }) {
    this.onMessage = onMessage;
    this.onState = onState;
    this.date = null;
    this.socket = null;
    this.place = null;
    this.tries = 0;
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
  }

  /** Follow a day's slate. */
  follow(date) {
    if (date === this.date) return;
    this.date = date;
    this.place = null;
    this.tries = 0;
    this.connect();
  }

  address() {
    const at = new URL("/api/v1/live", location.href);
    at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
    at.searchParams.set("slate", this.date);
    if (this.place !== null) {
      at.searchParams.set("since", this.place.seq);
      at.searchParams.set("stream", this.place.stream);
    }
    return at.href;
  }

  connect() {
    this.drop();
    this.onState("connecting");
    const socket = new WebSocket(this.address(), protocols());
    this.socket = socket;
    socket.onmessage = (event) => { if (socket === this.socket) this.hear(JSON.parse(event.data)); };
    socket.onclose = () => { if (socket === this.socket) this.lost(); };
  }

  hear(message) {
    if (message.type === "hello") {
      this.tries = 0;
      this.beat = message.heartbeat_s;
      this.onState("live");
    }
    if (message.type === "hello") this.place = { stream: message.stream, seq: message.seq };
    else if (Number.isInteger(message.seq) && this.place !== null) this.place.seq = message.seq;
    this.watch();
    this.onMessage(message);
  }

  /** A line that is silent for too long is dead, whatever the socket believes. */
  watch() {
    clearTimeout(this.silence);
    if (this.beat) this.silence = setTimeout(() => this.lost(), SILENT_BEATS * this.beat * 1000);
  }

  lost() {
    this.drop();
    this.onState("lost");
    // spread out, so that a server that comes back does not meet everybody at once
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries) * (0.5 + Math.random() / 2);
    this.tries++;
    this.timer = setTimeout(() => this.connect(), wait);
  }

  /** Do not wait any longer: the network or the reader is back. */
  now() {
    if (this.date !== null && this.socket === null) this.connect();
  }

  drop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
  }
}

/** A WebSocket carries no headers: the key travels as the name of a protocol. */
function protocols() {
  if (key.get() === null) return [];
  const bytes = String.fromCharCode(...new TextEncoder().encode(key.get()));
  return ["backstop", `key.${btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`];
}
