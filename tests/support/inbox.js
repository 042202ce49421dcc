// SPDX-License-Identifier: MIT OR Apache-2.0
// A queue of things that arrive, which a test awaits with a deadline. It never drops anything:
// what nobody has taken yet stays in `items`, in the order of arrival.

/** How long a test waits for something that should come, in ms. */
export const DEADLINE = 10_000;

/** Thrown when what was awaited did not come; says what came instead. */
export class Late extends Error {}

export class Inbox {
  items = [];
  #waiters = new Set();
  #over = null;

  /** @param {string} what named in errors */
  constructor(what) {
    this.what = what;
  }

  push(item) {
    this.items.push(item);
    for (const waiter of this.#waiters) waiter.check();
  }

  /** Nothing more comes: whoever waits fails at once with that reason. */
  end(reason) {
    this.#over ??= reason;
    for (const waiter of this.#waiters) waiter.check();
  }

  get ended() {
    return this.#over;
  }

  /** Takes the first item that matches, waiting for it if need be. */
  take(matches = () => true, what = 'anything', within = DEADLINE) {
    return this.#wait(within, what, () => {
      const at = this.items.findIndex(matches);
      return at < 0 ? undefined : { value: this.items.splice(at, 1)[0] };
    });
  }

  /** Waits until the whole queue satisfies the condition; takes nothing. */
  until(holds, what, within = DEADLINE) {
    return this.#wait(within, what, () => (holds(this.items) ? { value: this.items } : undefined));
  }

  /** Takes all that is there now. */
  drain() {
    return this.items.splice(0);
  }

  #wait(within, what, attempt) {
    const trace = new Error().stack;
    return new Promise((resolve, reject) => {
      const fail = (why) => {
        const error = new Late(
          `${this.what}: ${what} did not come ${why}; untaken: ${preview(this.items)}`,
        );
        error.stack = `${error.message}\n${trace.split('\n').slice(3).join('\n')}`;
        done(() => reject(error));
      };
      const done = (settle) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter = {
        check: () => {
          const found = attempt();
          if (found) done(() => resolve(found.value));
          else if (this.#over) fail(`before the end (${this.#over})`);
        },
      };
      const timer = setTimeout(() => fail(`within ${within} ms`), within);
      this.#waiters.add(waiter);
      waiter.check();
    });
  }
}

function preview(items) {
  const shown = items.slice(-8).map((item) => item?.raw ?? item);
  const text = JSON.stringify(shown, (_, value) =>
    value?.type === 'Buffer' ? `<${value.data.length} bytes>` : value);
  return text.length > 1500 ? `${text.slice(0, 1500)}… (${items.length} in all)` : text;
}

/** Fails when the promise takes longer than that. */
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Late(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Tries again until `attempt` returns something truthy; for state that nothing announces. */
export async function eventually(attempt, what, deadline = DEADLINE) {
  const start = performance.now();
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const value = await attempt();
    if (value) return value;
    if (performance.now() - start > deadline) throw new Late(`${what}: not within ${deadline} ms`);
    await passing(pause);
  }
}

/** Lets time pass. Only for statements that are themselves about time. */
export function passing(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
