// Light, dark, or as the system has it; kept in this browser.

import { byId, mark } from "./dom.js";

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
  let theme = localStorage.getItem(KEY) in NEXT ? localStorage.getItem(KEY) : "system";
  show(theme);
  byId("theme").addEventListener("click", () => {
    theme = NEXT[theme];
    localStorage.setItem(KEY, theme);
    show(theme);
  });
}
