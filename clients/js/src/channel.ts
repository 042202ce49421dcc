// SPDX-License-Identifier: MIT OR Apache-2.0
// One channel as a page sees it: its subscription, its events, and what its memory adds. Frames of
// an earlier subscription, or that come before the answer to this one, are never shown.
import { authError } from './auth.js';
import { Emitter, call, type Handler } from './emitter.js';
import { Memory, type Gap } from './memory.js';
import type { AuthAnswer, AuthCallback } from './options.js';
import type { Frame, Position } from './protocol.js';
import type { Pusher } from './pusher.js';

/** How a handler is bound: with `replay`, it is called at once with the newest remembered event. */
export interface BindOptions {
  replay: true;
}

const isOptions = (value: any): value is BindOptions =>
  value?.replay === true && Object.keys(value).length === 1;

export class Channel extends Emitter {
  subscribed = false;
  subscriptionPending = false;
  subscriptionCancelled = false;
  subscriptionCount: number | null = null;
  /** @internal */
  readonly deltas = ['merge', 'patch'];
  /** @internal */
  readonly _memory: Memory = new Memory(this);
  /** Number of the subscription that counts; 0 for none. */
  private _gen = 0;

  constructor(readonly name: string, readonly pusher: Pusher) {
    super();
  }

  /** The same as `subscriptionCount`. */
  get subscription_count(): number | null {
    return this.subscriptionCount;
  }

  /** The channel's truth as last heard; undefined when it has none. */
  get truth(): any {
    return this._memory.truth?.value;
  }

  /** How far the channel's log has been handled; null when that is not known. */
  get position(): Position | null {
    const { position } = this._memory.log;
    return position && { ...position };
  }

  /**
   * Calls `fn` with the truth: at once if there is one, then after each change; with undefined when
   * it was deleted. Returns a function that ends this.
   */
  onTruth(fn: (truth: any) => void): () => void {
    const { listeners, truth } = this._memory;
    const listener = { fn };
    listeners.add(listener);
    if (truth) call(fn, null, [truth.value]);
    return () => void listeners.delete(listener);
  }

  override bind(event: string, fn: Handler, context?: any, options?: BindOptions): this {
    if (!options && isOptions(context)) return this.bind(event, fn, undefined, context);
    super.bind(event, fn, context);
    const kept = options?.replay && this._memory.retained.get(event);
    if (kept) call(fn, context, [kept.data, kept.meta]);
    return this;
  }

  /** Sends a client event to the others of the channel; false when there is no connection. */
  trigger(event: string, data: any): boolean {
    if (!event.startsWith('client-')) throw new Error(`client events begin with "client-", "${event}" does not`);
    return this.pusher.send_event(event, data, this.name);
  }

  /** Gets a signature for that socket; public channels need none. */
  authorize(_socketId: string, callback: AuthCallback): void {
    callback(null, { auth: '' });
  }

  /** @internal */
  subscribe(): void {
    if (this.subscribed || this.subscriptionPending) return;
    this.subscriptionPending = true;
    this.subscriptionCancelled = false;
    const gen = (this._gen = this.pusher._nextGen());
    this.authorize(this.pusher.connection.socket_id!, (error, answer) => {
      if (gen !== this._gen) return;
      if (error || !answer) return this._refused(authError(error ?? 'no answer'));
      if (this.subscriptionCancelled) return this.pusher._remove(this);
      const { auth, channel_data }: AuthAnswer = answer;
      this.pusher.send_event('pusher:subscribe', { auth, channel_data, channel: this.name, ...this._memory.asks(gen) });
    });
  }

  /** @internal */
  unsubscribe(): void {
    if (this.subscribed) this.pusher.send_event('pusher:unsubscribe', { channel: this.name });
    this.disconnect();
    this._memory.clear();
    this._memory.listeners.clear();
  }

  /** The link is gone, and the subscription with it. @internal */
  disconnect(): void {
    this._gen = 0;
    this.subscribed = this.subscriptionPending = false;
    this._memory.interrupt();
  }

  /** A frame of this channel. @internal */
  receive(frame: Frame): void {
    const { event, data } = frame;
    if (event === 'pusher_internal:subscription_succeeded') this._answered(frame);
    else if (event === 'pusher:subscription_error') this._refused(data);
    else if (!this.subscribed) return;
    else if (event.startsWith('pusher_internal:')) this.internal(event, data);
    else if (frame.offset !== undefined || event.startsWith('oyez:')) this._memory.take(frame);
    else this.show(event, data, frame.user_id ? { user_id: frame.user_id } : {});
  }

  /** What the protocol says of the channel itself. @internal */
  internal(event: string, data: any): void {
    if (event !== 'pusher_internal:subscription_count') return;
    this.subscriptionCount = data.subscription_count;
    this.emit('pusher:subscription_count', data);
  }

  /** What handlers of `pusher:subscription_succeeded` get. @internal */
  welcome(data: any): any {
    return data;
  }

  private _answered({ data }: Frame): void {
    const cut = data?.oyez;
    if (!this.subscriptionPending || (cut?.gen ?? this._gen) !== this._gen) return;
    const gen = this._gen;
    this.subscriptionPending = false;
    this.subscribed = true;
    if (this.subscriptionCancelled) return this.pusher._remove(this);
    const gap = this._memory.joined(cut, this.pusher.connection.socket_id);
    this.emit('pusher:subscription_succeeded', this.welcome(data));
    if (gap && gen === this._gen) this.show('oyez:gap', gap);
    this._memory.settle();
  }

  private _refused(error: object): void {
    this.subscribed = this.subscriptionPending = false;
    if (this.subscriptionCancelled) this.pusher._remove(this);
    this.emit('pusher:subscription_error', error);
  }

  /** Calls the page's handlers: the channel's, then the client's. @internal */
  show(event: string, data: any, meta?: object): void {
    if (!this.subscribed) return;
    this.emit(event, data, meta);
    this.pusher.emit(event, data);
  }

  /** Tells the page what was lost. @internal */
  lost(reason: string, to: Position | null): void {
    this.show('oyez:gap', { channel: this.name, reason, from: this.position, to } as Gap);
  }

  /** @internal */
  ask(have: Position | null): void {
    this.pusher.send_event('oyez:resync', { channel: this.name, have });
  }

  /** @internal */
  giveUp(): void {
    this.pusher.connection._renew(`no new cut of ${this.name}`);
  }
}

/** A channel that needs a signature of the page's backend. */
export class PrivateChannel extends Channel {
  override authorize(socketId: string, callback: AuthCallback): void {
    this.pusher._authorizeChannel({ socketId, channelName: this.name }, callback);
  }
}
