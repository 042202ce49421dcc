// SPDX-License-Identifier: MIT OR Apache-2.0
// The module `oyez-js`: a client for Oyez, and for pages that were written for `pusher-js`.
export { Channel, PrivateChannel, type BindOptions } from './channel.js';
export { Connection, type State } from './connection.js';
export { EncryptedChannel } from './encrypted.js';
export { Emitter, type GlobalHandler, type Handler } from './emitter.js';
export type { Gap } from './memory.js';
export type { AuthAnswer, AuthCallback, AuthOptions, CustomHandler, Nacl, Options } from './options.js';
export { Members, PresenceChannel, type Member } from './presence.js';
export type { Position } from './protocol.js';
export { Channels, Pusher, Pusher as Oyez, Pusher as default } from './pusher.js';
export { User, Watchlist } from './user.js';
