// SPDX-License-Identifier: MIT OR Apache-2.0
// The signed-in user: signs in again after each reconnect, hears what is sent to the user, and who
// of the watchlist comes and goes.
import { authError } from './auth.js';
import { Channel } from './channel.js';
import { Emitter } from './emitter.js';
import { parsed, type Frame } from './protocol.js';
import type { Pusher } from './pusher.js';

/** Emits `online` and `offline`, each with `{name, user_ids}`. */
export class Watchlist extends Emitter {}

export class User extends Emitter {
  signin_requested = false;
  user_data: any = null;
  serverToUserChannel: Channel | null = null;
  /** Settled when the sign-in under way has ended, whichever way. */
  signinDonePromise: Promise<void> | null = null;
  readonly watchlist = new Watchlist();
  private _done: (() => void) | null = null;

  constructor(private readonly pusher: Pusher) {
    super();
    pusher.connection.bind('state_change', ({ previous, current }) => {
      if (previous === 'connected') {
        this._over();
        this._begin();
      }
      if (current === 'connected') this._ask();
    });
  }

  /** Signs in, now or as soon as there is a connection. */
  signin(): void {
    if (this.signin_requested) return;
    this.signin_requested = true;
    this._ask();
  }

  /** A frame of the connection. @internal */
  receive({ event, data }: Frame): void {
    if (event === 'pusher:signin_success') this._success(data);
    if (event !== 'pusher_internal:watchlist_events') return;
    for (const change of data.events) this.watchlist.emit(change.name, change);
  }

  private _begin(): void {
    if (!this.signin_requested || this._done) return;
    this.signinDonePromise = new Promise((resolve) => (this._done = resolve));
  }

  private _end(): void {
    this._done?.();
    this._done = null;
  }

  private _ask(): void {
    if (!this.signin_requested) return;
    this._begin();
    const { connection } = this.pusher;
    if (connection.state !== 'connected') return;
    const socketId = connection.socket_id!;
    this.pusher._authenticateUser({ socketId }, (error, answer) => {
      if (connection.socket_id !== socketId) return;
      if (!error && answer) {
        const { auth, user_data } = answer;
        this.pusher.send_event('pusher:signin', { auth, user_data });
        return;
      }
      this.emit('pusher:signin_error', authError(error ?? 'no answer'));
      this._over();
    });
  }

  private _success({ user_data }: any): void {
    const user = parsed(user_data);
    if (!user?.id || typeof user.id !== 'string') return this._over();
    this.user_data = user;
    const channel = (this.serverToUserChannel = new Channel(`#server-to-user-${user.id}`, this.pusher));
    channel.bind_global((event, data) => {
      if (!/^pusher(_internal)?:/.test(event)) this.emit(event, data);
    });
    this._end();
    channel.subscribe();
  }

  /** Nobody is signed in. */
  private _over(): void {
    this.user_data = null;
    this.serverToUserChannel?.unbind_all();
    this.serverToUserChannel?.disconnect();
    this.serverToUserChannel = null;
    this._end();
  }
}
