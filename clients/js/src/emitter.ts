// SPDX-License-Identifier: MIT OR Apache-2.0
// Binding handlers to event names and calling them. Promises that a handler that throws is
// reported and keeps nobody else from being called, and that a handler bound while an event is
// being emitted is not called for that event. Never loses an error.

/** What a page binds to an event. `meta` holds `user_id` of a presence channel's client event. */
export type Handler = (data?: any, meta?: any) => void;
/** What a page binds to all events of an emitter. */
export type GlobalHandler = (event: string, data?: any) => void;

interface Binding {
  fn: Handler;
  context?: any;
}

/** Hands an error of the page's own code to whoever watches for errors. */
export function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else console.error(error);
}

/** Calls a handler; its error is reported and goes no further. */
export function call(fn: Function, context: any, args: any[]): void {
  try {
    fn.apply(context || globalThis, args);
  } catch (error) {
    report(error);
  }
}

/** Something with events: the client, a channel, the connection, the user, the watchlist. */
export class Emitter {
  /** @internal */
  _bindings = new Map<string, Binding[]>();
  /** @internal */
  _globals: GlobalHandler[] = [];

  /** Calls `fn` for each event of that name, with `this` being `context`. */
  bind(event: string, fn: Handler, context?: any): this {
    this._bindings.set(event, [...(this._bindings.get(event) ?? []), { fn, context }]);
    return this;
  }

  /** Removes what matches all that is given; with nothing given, every binding to a name. */
  unbind(event?: string | null, fn?: Handler | null, context?: any): this {
    for (const name of event ? [event] : [...this._bindings.keys()]) {
      const rest = (this._bindings.get(name) ?? []).filter(
        (binding) => (fn && fn !== binding.fn) || (context && context !== binding.context),
      );
      if (rest.length && (fn || context)) this._bindings.set(name, rest);
      else this._bindings.delete(name);
    }
    return this;
  }

  /** Calls `fn(event, data)` for every event. */
  bind_global(fn: GlobalHandler): this {
    this._globals = [...this._globals, fn];
    return this;
  }

  /** Removes that handler of all events, or every one. */
  unbind_global(fn?: GlobalHandler): this {
    this._globals = fn ? this._globals.filter((bound) => bound !== fn) : [];
    return this;
  }

  /** Removes every handler. */
  unbind_all(): this {
    return this.unbind().unbind_global();
  }

  /** Calls the handlers of all events, then those of this one, each with what is given. */
  emit(event: string, data?: any, meta?: any): this {
    const args = meta ? [data, meta] : data ? [data] : [];
    const bindings = this._bindings.get(event) ?? [];
    for (const fn of this._globals) call(fn, null, [event, data]);
    for (const { fn, context } of bindings) call(fn, context, args);
    return this;
  }
}
