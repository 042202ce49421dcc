// SPDX-License-Identifier: MIT OR Apache-2.0
// Passwords are known as long as a request lasts, and then only what they come to in scrypt. It
// works beside the thread that serves, on Node's own pool.
'use strict';

const crypto = require('node:crypto');
const { promisify } = require('node:util');
const { Refusal } = require('./errors');
const { waitingPasswords } = require('./config/settings');

const scrypt = promisify(crypto.scrypt);

/** 32 MiB for each hash, three times over: as OWASP recommends. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const BYTES = 32;

let waiting = 0;

async function derive(password, salt) {
  if (waiting >= waitingPasswords) throw new Refusal(429, 'Too many log in just now. Please try again.');
  waiting += 1;
  try {
    return await scrypt(password.normalize('NFC'), salt, BYTES, COST);
  } finally {
    waiting -= 1;
  }
}

/** What to keep of a password: `salt:hash`, with a new salt each time. */
async function hash(password) {
  const salt = crypto.randomBytes(16);
  const derived = await derive(password, salt);
  return `${salt.toString('base64')}:${derived.toString('base64')}`;
}

const NOBODY = `${Buffer.alloc(16).toString('base64')}:${Buffer.alloc(BYTES).toString('base64')}`;

/**
 * Whether it is the password of which that was kept. Without one it is not, and that takes as
 * long: the time does not tell which names there are.
 */
async function isRight(password, kept) {
  const [salt, hashed] = (kept ?? NOBODY).split(':').map((part) => Buffer.from(part, 'base64'));
  const isSame = crypto.timingSafeEqual(await derive(password, salt), hashed);
  return kept !== undefined && isSame;
}

module.exports = { hash, isRight };
