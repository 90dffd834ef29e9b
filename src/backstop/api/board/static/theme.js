// Light, dark, or as the system has it; kept in this browser.

import { byId, mark } from "./dom.js";
import { keep, recall } from "./kept.js";

const KEY = "backstop-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const SAID = { system: "as the system", light: "light", dark: "dark" };

function show(theme) {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else mark(document.documentElement, "data-theme", theme);
  mark(byId("theme"), "aria-label", `Colours: ${SAID[theme]}`);
  mark(byId("theme"), "title", `Colours: ${SAID[theme]}`);
}

export function start() {
  const kept = recall("localStorage", KEY);
  let theme = Object.hasOwn(NEXT, kept) ? kept : "system";
  show(theme);
  byId("theme").addEventListener("click", () => {
    theme = NEXT[theme];
    keep("localStorage", KEY, theme);
    show(theme);
  });
}
