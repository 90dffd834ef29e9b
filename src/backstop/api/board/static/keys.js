// Asks for the API key where the server wants one; it is kept for this tab only.

import { key } from "./api.js";
import { el } from "./dom.js";

let asked = false;

export function ask() {
  if (asked) return;
  asked = true;
  const field = el("input", { type: "password", name: "key", required: true, autocomplete: "off", "aria-label": "API key" });
  const form = el("form", { class: "card", method: "dialog" },
    el("h2", {}, key.get() === null ? "This server asks for an API key" : "That key is not one of the server's"),
    field, el("button", { class: "strong" }, "Use it"));
  const dialog = el("dialog", { class: "small" }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (key.set(field.value.trim())) location.reload();
    else form.querySelector("h2").textContent = "This browser keeps nothing for this page, so a key cannot be used here";
  });
  document.body.append(dialog);
  dialog.showModal();
}
