// Pace: works on the newest request only, and measures the time from the event to the picture.

const KEPT = 20;

/** Times of the last requests, shown in an element. */
export class Pace {
  #times = [];
  #element;

  constructor(element) {
    this.#element = element;
  }

  /** Notes that the picture for an event at `start` (performance.now) is shown now. */
  note(start) {
    this.#times = [...this.#times, performance.now() - start].slice(-KEPT);
    const sorted = [...this.#times].sort((a, b) => a - b), half = sorted.length >> 1;
    const median = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    const n = this.#times.length;
    const last = `From the last click to its picture: ${this.#times.at(-1).toFixed(0)} ms`;
    this.#element.textContent =
      n > 1 ? `${last}; median of the last ${n}: ${median.toFixed(0)} ms.` : `${last}.`;
  }
}

/**
 * Returns a function that runs one call at a time. A call during another one waits, and replaces
 * one that waits already: a slider moves faster than a network generates.
 */
export function newestOnly(work) {
  let waiting = null, busy = false;
  return async (...request) => {
    waiting = request;
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await work(...next);
      }
    } finally {
      busy = false;
    }
  };
}
