// SPDX-License-Identifier: MIT OR Apache-2.0
// Encrypted channels, with the page's own `tweetnacl`. Events are shown in the order in which they
// came, also while a new key is being asked for; what no key opens is told as `oyez:gap`.
import { PrivateChannel } from './channel.js';
import type { AuthCallback } from './options.js';
import { parsed, type Frame } from './protocol.js';

const bytes = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

export class EncryptedChannel extends PrivateChannel {
  /** The server sees only ciphertext, of which there are no useful changes. @internal */
  override readonly deltas: string[] = [];
  private _key?: Uint8Array;
  private _waiting: Frame[] | null = null;

  override authorize(socketId: string, callback: AuthCallback): void {
    if (!this.pusher.options.nacl) {
      const text = 'encrypted channels need tweetnacl as options.nacl, or the client pusher-js/with-encryption';
      void Promise.resolve().then(() => callback(new Error(text), null));
      return;
    }
    super.authorize(socketId, (error, answer) => {
      try {
        if (!error) this._key = bytes(answer!.shared_secret!);
      } catch {
        error = new Error(`the authorisation of ${this.name} has no shared_secret`);
      }
      callback(error, answer);
    });
  }

  override trigger(): boolean {
    throw new Error('there are no client events on encrypted channels');
  }

  /** @internal */
  override receive(frame: Frame): void {
    if (this._waiting) this._waiting.push(frame);
    else if (!this.subscribed || /^(pusher|pusher_internal|oyez):/.test(frame.event)) super.receive(frame);
    else if (!this._opened(frame)) this._rekey(frame);
  }

  /** @internal */
  override disconnect(): void {
    this._waiting = null;
    super.disconnect();
  }

  private _opened(frame: Frame): boolean {
    try {
      const { ciphertext, nonce } = frame.data;
      const clear = this.pusher.options.nacl!.secretbox.open(bytes(ciphertext), bytes(nonce), this._key!);
      if (!clear) return false;
      super.receive({ ...frame, data: parsed(new TextDecoder().decode(clear)) });
      return true;
    } catch {
      return false;
    }
  }

  /** Asks for the key again, once for this frame; those behind it wait. */
  private _rekey(frame: Frame): void {
    const waiting: Frame[] = (this._waiting = []);
    this.authorize(this.pusher.connection.socket_id!, () => {
      if (this._waiting !== waiting) return;
      this._waiting = null;
      if (!this._opened(frame)) {
        this.lost('undecryptable', null);
        const { offset } = frame;
        if (offset !== undefined) super.receive({ event: 'oyez:skip', data: { offset } });
      }
      for (const next of waiting) this.receive(next);
    });
  }
}
