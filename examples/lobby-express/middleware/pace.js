// SPDX-License-Identifier: MIT OR Apache-2.0
// Who may do what how often.
'use strict';

const { rateLimit } = require('express-rate-limit');
const { Refusal } = require('../errors');
const { BoundedStore } = require('./boundedStore');
const { field } = require('./field');
const { loginsPerMinute, registrationsPerMinute, messagesPerMinute, countedKeys } = require('../config/settings');

const MINUTE = 60_000;

function pace({ limit, windowMs = MINUTE, keyGenerator, text }) {
  return rateLimit({
    limit,
    windowMs,
    keyGenerator, // unsaid: the caller's address, or network of IPv6
    store: new BoundedStore(countedKeys),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler(req, res, next) {
      const seconds = Math.max(1, Math.ceil((req.rateLimit.resetTime - Date.now()) / 1000));
      res.set('Retry-After', String(seconds));
      next(new Refusal(429, `${text} Please try again in ${seconds} second${seconds === 1 ? '' : 's'}.`));
    },
  });
}

const tries = { limit: loginsPerMinute, text: 'These were too many tries.' };

module.exports = {
  /** By address first, so that it uses up no other's tries for a name. Right or wrong counts alike. */
  logins: [
    pace(tries),
    pace({ ...tries, keyGenerator: (req) => field(req, 'username').toLowerCase().slice(0, 20) }),
  ],
  registrations: pace({ limit: registrationsPerMinute, text: 'Many have registered from where you are.' }),
  messages: pace({
    limit: Math.floor(messagesPerMinute / 4),
    windowMs: MINUTE / 4,
    keyGenerator: (req) => String(req.user.id),
    text: 'You write faster than others read.',
  }),
};
