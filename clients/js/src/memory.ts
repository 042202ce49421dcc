// SPDX-License-Identifier: MIT OR Apache-2.0
// What a channel with memory asks of a client: to say where it stands, to take frames in order and
// once, to hold the truth, and to say so when something was lost. Every frame that has an offset
// comes through here; what has none (client events, presence, counts) never does.
//
// A hole, a change that does not fit or a wrong checksum leads to `oyez:resync`; until the server's
// `oyez:reset` the channel's numbered frames are dropped. Loss is always told: `oyez:gap`.
import { BACKOFF, delay } from './backoff.js';
import { call, type Handler } from './emitter.js';
import { Log } from './position.js';
import type { Cut, Frame, Position } from './protocol.js';
import { Truth } from './truth.js';

/** What was lost: everything between two positions, for that reason. */
export interface Gap {
  channel: string;
  reason: string;
  from: Position | null;
  to: Position | null;
}

/** What the memory needs of its channel. */
export interface Owner {
  readonly name: string;
  /** Kinds of changes that it can take of a truth. */
  readonly deltas: string[];
  show(event: string, data: any, meta?: object): void;
  ask(have: Position | null): void;
  /** The server did not answer: the connection is of no use. */
  giveUp(): void;
}

/** How many events of different names are kept for handlers that are bound later. */
const RETAINED = 256;
/** How long an `oyez:reset` may take, in ms. */
const PATIENCE = 10_000;

export class Memory {
  readonly log = new Log();
  truth?: Truth;
  /** The newest remembered frame of each event. */
  readonly retained = new Map<string, { data: any; meta: object }>();
  readonly listeners = new Set<{ fn: Handler }>();
  /** The last position there was, for telling what a gap lies between. */
  private _last: Position | null = null;
  private _socket?: string;
  /** Whether there is a log at all. */
  private _remembers = false;
  private _resyncing = false;
  private _resyncs = 0;
  private _timer?: ReturnType<typeof setTimeout>;
  /** Whether the truth came in the cut that is being handled. */
  private _fresh = false;

  constructor(private readonly owner: Owner) {}

  /** What a subscription says of itself. */
  asks(gen: number): object {
    const { position } = this.log;
    const { truth } = this;
    const version = truth?.version;
    const known = position && version && version <= position.offset;
    return {
      oyez: { v: 1, gen, delta: this.owner.deltas, ...(known && { truth: { version } }) },
      ...(position && { resume: { ...position, socket: this._socket } }),
    };
  }

  /** The subscription was answered; without a cut the channel has no memory. */
  joined(cut: Cut | undefined, socket: string | undefined): Gap | undefined {
    this._socket = socket;
    if (cut) return this.begin(cut);
    const lost = this._last;
    this.clear();
    if (this.truth) this._drop();
    return lost ? this._gap('no memory', lost, null) : undefined;
  }

  /** A cut begins; what it loses is returned, to be told before its frames come. */
  begin(cut: Cut): Gap | undefined {
    const from = this._last;
    this._settled();
    this._remembers = true;
    if (!this.log.begin(cut)) {
      this.resync(true);
      return;
    }
    if (cut.resumed) return;
    this._fresh = false;
    this.retained.clear();
    if (this.truth) this.truth.version = 0;
    const { epoch, term, offset } = cut;
    // A new cut at the very place where the client stands loses nothing.
    const lost = from && (from.epoch !== epoch || from.term !== term || from.offset !== offset);
    return lost ? this._gap(cut.reason ?? 'reset', from, { epoch, term, offset }) : undefined;
  }

  /** Ends the cut if its replay is complete. */
  settle(): void {
    const { cut } = this.log;
    const done = this.log.complete();
    if (this.log.position) this._last = this.log.position;
    if (done === 'hole') return this.resync(false);
    if (done === 'no' || !cut) return;
    if (!cut.resumed && !this._fresh && this.truth) this._drop();
    if (cut.version !== undefined && cut.version !== this.truth?.version) this.resync(true);
    else this._resyncs = 0;
  }

  /** An event with an offset, or one of the frames that only speak of the log. */
  take(frame: Frame): void {
    const { event } = frame;
    if (!event.startsWith('oyez:')) {
      if (!this._remembers) this.owner.show(event, frame.data, metaOf(frame));
      else if (!this._resyncing) this._next(frame.offset!, frame.offset, () => this._event(frame));
      return;
    }
    const data = frame.data ?? {};
    if (event === 'oyez:reset') {
      const gap = this.begin(data);
      if (gap) this.owner.show('oyez:gap', gap);
      return this.settle();
    }
    if (this._resyncing || !this._remembers) return;
    switch (event) {
      case 'oyez:skip':
        return this._next(data.offset, data.from, () => {});
      case 'oyez:forget':
        return this._next(data.offset, data.offset, () => this._forgotten(data));
      case 'oyez:term':
        return this.log.term(data.term);
      case 'oyez:mark':
        if (this.log.cut || this.log.position?.offset !== data.offset) this.resync(false);
        else if (data.sum !== undefined && data.sum !== this.truth?.sum) this.resync(true);
    }
  }

  /** Handles one frame of the log, if it is the next one, and only then moves the position. */
  private _next(to: number, from: number | undefined, handle: () => void): void {
    if (!this.log.expects(to, from ?? to)) return this.resync(false);
    const { log } = this;
    const { cut } = log;
    handle();
    // Meanwhile a handler may have left the channel, or a change may not have fitted: then there is
    // no position to move. Or a handler has disconnected: then the rest of a cut that was to replace
    // the position will not come.
    if (cut && !cut.resumed && cut !== log.cut) return;
    log.handled(to);
    this.settle();
  }

  private _event(frame: Frame): void {
    const listeners = [...this.listeners];
    const meta = metaOf(frame);
    let { data } = frame;
    if (frame.truth) {
      // Values never go back, not even after a cut that was shown in part and then resumed.
      const old = this.log.cut?.resumed !== false && this.truth && this.truth.version >= frame.offset!;
      if (old) return;
      try {
        this.truth = Truth.after(this.truth, frame);
      } catch {
        return this.resync(true);
      }
      this._fresh = true;
      data = this.truth.value;
    }
    this.retained.delete(frame.event);
    this.retained.set(frame.event, { data, meta });
    if (this.retained.size > RETAINED) this.retained.delete(this.retained.keys().next().value!);
    this.owner.show(frame.event, data, meta);
    if (frame.truth) this._tell(listeners, data);
  }

  private _forgotten({ event, offset }: { event?: string; offset: number }): void {
    if (event === undefined) this._drop();
    else this.retained.delete(event);
    this.owner.show('oyez:forget', { event, offset });
  }

  private _drop(): void {
    if (this.truth) this.retained.delete(this.truth.event);
    this.truth = undefined;
    this._tell([...this.listeners], undefined);
  }

  private _tell(listeners: { fn: Handler }[], value: any): void {
    for (const listener of listeners) if (this.listeners.has(listener)) call(listener.fn, null, [value]);
  }

  private _gap(reason: string, from: Position | null, to: Position | null): Gap {
    return { channel: this.owner.name, reason, from, to };
  }

  /** Asks for a new cut. `distrust`: what is held may be wrong, not only incomplete. */
  resync(distrust: boolean): void {
    if (this._resyncing) return;
    this._resyncing = true;
    const have = distrust ? null : this.log.position;
    if (distrust) this.log.forget();
    this.log.interrupt();
    const wait = this._resyncs ? delay(this._resyncs, BACKOFF) : 0;
    this._resyncs++;
    const ask = () => {
      this._timer = setTimeout(() => this.owner.giveUp(), PATIENCE);
      this.owner.ask(have);
    };
    if (wait) this._timer = setTimeout(ask, wait);
    else ask();
  }

  private _settled(): void {
    this._resyncing = false;
    clearTimeout(this._timer);
  }

  /** The link is gone: what was handled completely stays. */
  interrupt(): void {
    this._settled();
    this.log.interrupt();
  }

  /** There is no log, or nobody who follows it, any more. */
  clear(): void {
    this._settled();
    this._remembers = false;
    this._last = null;
    this.log.forget();
    this.retained.clear();
  }
}

function metaOf({ user_id }: Frame): object {
  return user_id ? { user_id } : {};
}
