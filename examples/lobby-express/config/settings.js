// SPDX-License-Identifier: MIT OR Apache-2.0
// Every setting and every limit of the app: its variable, its default, its bounds. A value that
// cannot be meant ends the start, with an error that names the variable.
'use strict';

const path = require('node:path');
const { StartError } = require('../errors');

function number(variable, byDefault, least, most) {
  const value = process.env[variable] ? Number(process.env[variable]) : byDefault;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new StartError(`${variable} must be a whole number from ${least} to ${most}, not "${process.env[variable]}".`);
}

function text(variable, byDefault) {
  return process.env[variable] || byDefault;
}

const port = number('PORT', 3000, 1, 65535);
const oyezPort = number('OYEZ_PORT', 6001, 1, 65535);

module.exports = Object.freeze({
  // Where the pages and Oyez are. 0.0.0.0 serves every address of this machine.
  host: text('HOST', '127.0.0.1'),
  port,
  oyezPort,
  /** Credentials, the database, and what Oyez remembers. */
  dataDir: path.resolve(text('DATA_DIR', path.join(__dirname, '..', 'data'))),

  /** Where the app finds Oyez. */
  pusherHost: text('PUSHER_HOST', '127.0.0.1'),
  // Where browsers find Oyez, if that is elsewhere, behind a proxy say. Without a host it is the page's.
  publicHost: text('PUSHER_PUBLIC_HOST', ''),
  publicPort: number('PUSHER_PUBLIC_PORT', oyezPort, 1, 65535),
  /** 1: a proxy with TLS is in front. Cookies are Secure, and its X-Forwarded-For says who calls. */
  behindProxy: number('LOBBY_BEHIND_PROXY', 0, 0, 1) === 1,

  // How often. Beyond it: 429, with when to try again.
  loginsPerMinute: number('LOBBY_LOGINS_PER_MINUTE', 10, 1, 1_000_000),
  registrationsPerMinute: number('LOBBY_REGISTRATIONS_PER_MINUTE', 10, 1, 1_000_000),
  /** Of one user; a quarter of them at once. */
  messagesPerMinute: number('LOBBY_MESSAGES_PER_MINUTE', 40, 4, 1_000_000),
  /** Addresses, names or users that each of these counts; beyond it the oldest begins anew. */
  countedKeys: number('LOBBY_COUNTED_KEYS', 100_000, 1, 10_000_000),
  /** Passwords that may wait to be hashed. */
  waitingPasswords: number('LOBBY_WAITING_PASSWORDS', 64, 1, 10_000),

  // How many and how long.
  /** In a game. Beyond it: 409. */
  seats: 6,
  /** That one user may be in. Beyond it: 409. */
  gamesPerUser: number('LOBBY_GAMES_PER_USER', 20, 1, 1_000_000),
  /** Days after which a game that nobody touched is deleted. */
  keepDays: number('LOBBY_KEEP_DAYS', 30, 1, 36_500),
  /** Open games on the home page: the newest. */
  gamesShown: 50,
  /** Messages in the truth of a chat, and in one answer about earlier ones. */
  messagesShown: 50,
  /** Messages that a chat keeps: the newest. */
  messagesKept: 5_000,
  /** Characters of a message. Beyond it: 422. */
  messageLength: 500,
  /** Days from a log-in to the end of its session. */
  sessionDays: 30,
  /** Bytes of a form, and of a question for a truth. Beyond it: 413. */
  bodyBytes: 16 * 1024,
  /** Milliseconds in which Oyez must have taken a `changed`. */
  oyezTimeout: 2_000,
});
