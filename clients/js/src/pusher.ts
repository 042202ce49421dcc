// SPDX-License-Identifier: MIT OR Apache-2.0
// The client: what `new Pusher(key, options)` makes. Holds the connection, the table of channels
// and the signed-in user, and brings each frame to whom it concerns.
import { channelAuthorizer, userAuthenticator } from './auth.js';
import { Channel, PrivateChannel } from './channel.js';
import { Connection } from './connection.js';
import { EncryptedChannel } from './encrypted.js';
import { Emitter } from './emitter.js';
import { has } from './json.js';
import { VERSION, type CustomHandler, type Options } from './options.js';
import { PresenceChannel } from './presence.js';
import type { Frame } from './protocol.js';
import { User } from './user.js';

/** The channels of a client, by name. */
export class Channels {
  channels: Record<string, Channel> = {};

  all(): Channel[] {
    return Object.values(this.channels);
  }

  find(name: string): Channel | undefined {
    return has(this.channels, name) ? this.channels[name] : undefined;
  }
}

const KINDS: [string, new (name: string, pusher: Pusher) => Channel][] = [
  ['private-encrypted-', EncryptedChannel],
  ['private-', PrivateChannel],
  ['presence-', PresenceChannel],
  ['', Channel],
];

export class Pusher extends Emitter {
  static instances: Pusher[] = [];
  static logToConsole = false;
  /** Gets each line of the log instead of the console. */
  static log?: (line: string) => void;
  static readonly VERSION = VERSION;

  readonly channels = new Channels();
  readonly connection: Connection;
  readonly user: User;
  /** @internal */
  readonly _authorizeChannel: CustomHandler;
  /** @internal */
  readonly _authenticateUser: CustomHandler;
  private _gens = 0;

  /** Connects at once. Throws when no key, no host or no WebSocket is to be had. */
  constructor(readonly key: string, readonly options: Options = {}) {
    super();
    if (key == null) throw new Error('a client needs the key of its app');
    this._authorizeChannel = channelAuthorizer(options, (name) => this.channel(name));
    this._authenticateUser = userAuthenticator(options);
    const connection = (this.connection = new Connection(key, options));
    connection.bind('state_change', ({ previous, current }) => {
      this._log('state', previous, '→', current);
      if (previous === 'connected') this._disconnected();
    });
    this.user = new User(this);
    connection.bind('connected', () => this.subscribeAll());
    connection.bind('message', (frame) => this._receive(frame));
    connection.bind('error', (error) => this._log('error', error));
    Pusher.instances.push(this);
    this.connect();
  }

  channel(name: string): Channel | undefined {
    return this.channels.find(name);
  }

  allChannels(): Channel[] {
    return this.channels.all();
  }

  connect(): void {
    this.connection.connect();
  }

  disconnect(): void {
    this.connection.disconnect();
  }

  /** The channel of that name, subscribed now or as soon as there is a connection. */
  subscribe(name: `presence-${string}`): PresenceChannel;
  subscribe(name: string): Channel;
  subscribe(name: string): Channel {
    let channel = this.channel(name);
    if (!channel) {
      if (!name || name[0] === '#') throw new Error(`"${name}" is not the name of a channel to subscribe to`);
      const [, Kind] = KINDS.find(([prefix]) => name.startsWith(prefix))!;
      channel = this.channels.channels[name] = new Kind(name, this);
    }
    channel.subscriptionCancelled = false;
    if (this.connection.state === 'connected') channel.subscribe();
    return channel;
  }

  /** Ends a subscription; one that is being asked for ends as soon as it is answered. */
  unsubscribe(name: string): void {
    const channel = this.channel(name);
    if (channel?.subscriptionPending) channel.subscriptionCancelled = true;
    else if (channel) this._remove(channel);
  }

  subscribeAll(): void {
    for (const { name } of this.allChannels()) this.subscribe(name);
  }

  send_event(event: string, data: any, channel?: string): boolean {
    return this.connection.send_event(event, data, channel);
  }

  signin(): void {
    this.user.signin();
  }

  shouldUseTLS(): boolean {
    return this.connection.isUsingTLS();
  }

  /** @internal */
  _remove(channel: Channel): void {
    if (this.channel(channel.name) === channel) delete this.channels.channels[channel.name];
    channel.unsubscribe();
  }

  /** @internal */
  _nextGen(): number {
    return ++this._gens;
  }

  private _disconnected(): void {
    for (const channel of this.allChannels()) {
      channel.disconnect();
      if (channel.subscriptionCancelled) this._remove(channel);
    }
  }

  private _receive(frame: Frame): void {
    const { event, channel: name, data } = frame;
    this._log('received', event, name ?? '', data);
    this.user.receive(frame);
    if (!name) {
      if (!event.startsWith('pusher_internal:')) this.emit(event, data);
      return;
    }
    const { serverToUserChannel } = this.user;
    (name === serverToUserChannel?.name ? serverToUserChannel : this.channel(name))?.receive(frame);
  }

  private _log(...what: any[]): void {
    const { log, logToConsole } = Pusher;
    if (log) log(['Pusher', ...what.map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))].join(' '));
    else if (logToConsole) console.log('Pusher', ...what);
  }
}
