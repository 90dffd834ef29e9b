// What a browser keeps for the page, if it keeps anything: with storage switched off, asking for it is an error already.

/** The text under a name of `localStorage` or `sessionStorage`, null for none. */
export function recall(storage, name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

/** Keep a text under a name; returns whether it could be. */
export function keep(storage, name, text) {
  try {
    window[storage].setItem(name, text);
    return true;
  } catch {
    return false;
  }
}
