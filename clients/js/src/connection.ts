// SPDX-License-Identifier: MIT OR Apache-2.0
// The link to the server: opens it, watches that it lives, opens it again. Emits `state_change`,
// each state's name, `connecting_in`, `message` and `error`. Knows nothing of channels.
//
// initialized → connecting → connected → connecting … ; unavailable when there was none for a
// while (trying goes on); disconnected when the page said so, or the server refused for good.
import { BACKOFF, STABLE_AFTER, delay } from './backoff.js';
import { Emitter } from './emitter.js';
import { addressOf, usesTls, type Options } from './options.js';
import { decode, fateOf, type Fate, type Frame } from './protocol.js';

export type State = 'initialized' | 'connecting' | 'connected' | 'unavailable' | 'disconnected' | 'failed';

type Timer = ReturnType<typeof setTimeout>;

/** How long one attempt may take, in ms. */
const ATTEMPT = 15_000;
/** The code of a link that ended without one. */
const ABNORMAL = 1006;

export class Connection extends Emitter {
  state: State = 'initialized';
  socket_id?: string;
  private _url: string;
  private _options: Required<Pick<Options, 'activityTimeout' | 'pongTimeout' | 'unavailableTimeout'>> & Options;
  private _socket: any = null;
  private _wanted = false;
  private _attempt = 0;
  private _since = 0;
  private _silence = 0;
  /** Of the attempt, then of the silence, then of the answer to a ping: one at a time. */
  private _watch?: Timer;
  private _retry?: Timer;
  private _unavailable?: Timer;

  constructor(key: string, options: Options) {
    super();
    this._options = {
      ...options,
      activityTimeout: options.activityTimeout || 120_000,
      pongTimeout: options.pongTimeout || 30_000,
      unavailableTimeout: options.unavailableTimeout || 10_000,
    };
    this._url = addressOf(key, options);
    if (!this._class()) throw new Error('there is no global WebSocket here: pass one as options.WebSocket');
  }

  isUsingTLS(): boolean {
    return usesTls(this._options);
  }

  /** Opens the link and keeps it open; harmless when it is. */
  connect(): void {
    if (this._wanted) return;
    this._wanted = true;
    this._attempt = 0;
    this._listen('addEventListener');
    this._open();
  }

  /** Closes it and leaves it closed. */
  disconnect(): void {
    this._wanted = false;
    this._listen('removeEventListener');
    this._drop();
    clearTimeout(this._retry);
    clearTimeout(this._unavailable);
    this._unavailable = undefined;
    this._become('disconnected');
  }

  /** Sends text; false when there is no connection. */
  send(text: string): boolean {
    if (this.state !== 'connected') return false;
    this._socket.send(text);
    return true;
  }

  send_event(event: string, data: any, channel?: string): boolean {
    return this.send(JSON.stringify({ event, data, channel }));
  }

  /** Gives up this link for a new one. @internal */
  _renew(reason: string): void {
    this._lost({ code: ABNORMAL, reason });
  }

  /** The class of the sockets; a seam for node/index.ts. @internal */
  _class(): any {
    return this._options.WebSocket ?? (globalThis as any).WebSocket;
  }

  private _become(state: State, data?: object): void {
    const previous = this.state;
    if (previous === state) return;
    this.state = state;
    this.emit('state_change', { previous, current: state });
    if (this.state === state) this.emit(state, data);
  }

  private _open(): void {
    clearTimeout(this._retry);
    if (this.state !== 'unavailable') this._become('connecting');
    this._unavailable ??= setTimeout(() => this._become('unavailable'), this._options.unavailableTimeout);
    const socket = (this._socket = new (this._class())(this._url));
    socket.onmessage = ({ data }: any) => this._message(data);
    socket.onclose = (close: any) => this._lost(close);
    socket.onerror = () => {};
    this._within(ATTEMPT, () => this._renew('no connection in time'));
  }

  private _within(ms: number, late: () => void): void {
    clearTimeout(this._watch);
    this._watch = setTimeout(late, ms);
  }

  /** Something was heard. */
  private _alive(): void {
    this._within(this._silence, () => this._check());
  }

  private _check(): void {
    this.send_event('pusher:ping', {});
    this._within(this._options.pongTimeout, () => this._renew('no answer to a ping'));
  }

  private _message(text: any): void {
    let frame: Frame;
    try {
      frame = decode(text);
    } catch (error) {
      this.emit('error', { type: 'MessageParseError', error, data: text });
      return;
    }
    const { event, data } = frame;
    if (this.state !== 'connected') return this._handshake(event, data);
    this._alive();
    if (event === 'pusher:ping') this.send_event('pusher:pong', {});
    if (event === 'pusher:error') this.emit('error', { type: 'PusherError', data });
    this.emit('message', frame);
  }

  private _handshake(event: string, data: any): void {
    if (event === 'pusher:error' && data?.code) this._lost({ code: data.code, reason: data.message });
    if (event !== 'pusher:connection_established') return;
    clearTimeout(this._unavailable);
    this._unavailable = undefined;
    this._since = Date.now();
    this._silence = Math.min(this._options.activityTimeout, data.activity_timeout * 1000 || Infinity);
    this._alive();
    this.socket_id = data.socket_id;
    this._become('connected', { socket_id: data.socket_id });
  }

  private _drop(): void {
    const socket = this._socket;
    clearTimeout(this._watch);
    if (!socket) return;
    this._socket = null;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private _lost({ code, reason }: { code: number; reason?: string }): void {
    if (this.state === 'connected' && Date.now() - this._since > STABLE_AFTER) this._attempt = 0;
    this._drop();
    const fate = fateOf(code);
    const message = reason || `the connection ended with code ${code}`;
    if (code !== 1000 && code !== 1001) {
      this.emit('error', { type: 'WebSocketError', error: { type: 'PusherError', data: { code, message } } });
    }
    if (!this._wanted || this._socket) return;
    if (fate === 'never') this.disconnect();
    else this._again(fate);
  }

  private _again(fate: Fate): void {
    const backoff = { ...BACKOFF, ...this._options.backoff };
    const wait = (fate === 'later' ? backoff.base : 0) + delay(this._attempt++, backoff);
    clearTimeout(this._retry);
    this._retry = setTimeout(() => this._open(), wait);
    if (this.state !== 'unavailable') this._become('connecting');
    this.emit('connecting_in', Math.round(wait / 1000));
  }

  private _listen(how: 'addEventListener' | 'removeEventListener'): void {
    const scope = globalThis as any;
    scope[how]?.('online', this._online);
    scope[how]?.('offline', this._offline);
  }

  private _online = (): void => {
    if (this._wanted && !this._socket) this._open();
  };

  private _offline = (): void => {
    if (this.state === 'connected') this._check();
  };
}
