// The browser's own copies of slates: bounded, one version per day, they survive a reload.

const NAME = "backstop-board", STORE = "slates", FORMAT = 1;
const MOST_DAYS = 7;
const MOST_BYTES = 24 * 1024 * 1024;

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Copies {
  /** A browser that keeps nothing (private windows, storage switched off) works without copies. */
  static async open() {
    try {
      const request = indexedDB.open(NAME, FORMAT);
      request.onupgradeneeded = () => {
        for (const name of [...request.result.objectStoreNames]) request.result.deleteObjectStore(name);
        request.result.createObjectStore(STORE, { keyPath: "date" });
      };
      return new Copies(await promised(request));
    } catch {
      return new Copies(null);
    }
  }

  constructor(database) { this.database = database; }

  store(mode) { return this.database.transaction(STORE, mode).objectStore(STORE); }

  /** The copy of a day: `{date, etag, document}`, or null. */
  async get(date) {
    if (this.database === null) return null;
    return (await promised(this.store("readonly").get(date)).catch(() => null)) ?? null;
  }

  /** Keep a version of a day in place of the one before; the days that were used longest ago make room. */
  async put(date, etag, document, bytes) {
    if (this.database === null || etag === null) return;
    try {
      await promised(this.store("readwrite").put({ date, etag, document, bytes, used: Date.now() }));
      await this.trim(date);
    } catch {
      // a full disk: the board goes on without this copy
    }
  }

  async trim(date) {
    const kept = await promised(this.store("readonly").getAll());
    kept.sort((a, b) => (b.date === date) - (a.date === date) || b.used - a.used);
    let bytes = 0;
    const doomed = kept.filter((copy, place) => {
      bytes += copy.bytes;
      return place > 0 && (place >= MOST_DAYS || bytes > MOST_BYTES);
    });
    const store = this.store("readwrite");
    await Promise.all(doomed.map((copy) => promised(store.delete(copy.date))));
  }

  async forget(date) {
    if (this.database !== null) await promised(this.store("readwrite").delete(date)).catch(() => null);
  }
}
