// SPDX-License-Identifier: MIT OR Apache-2.0
// Sessions: an id in a signed cookie, the rest in the database. Scripts cannot read the cookie, and
// other sites' forms do not send it.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { SessionStore } = require('../database/session');
const { dataDir, behindProxy, sessionDays } = require('./settings');

const DAY = 24 * 60 * 60 * 1000;

const COOKIE = 'lobby-express';

/** Signs the cookies. It is made at the first start, and stays, so that sessions outlive the next. */
function secret() {
  const file = path.join(dataDir, 'session-secret');
  if (!fs.existsSync(file)) fs.writeFileSync(file, crypto.randomBytes(32).toString('base64url'), { mode: 0o600 });
  return fs.readFileSync(file, 'utf8');
}

function options() {
  return {
    name: COOKIE,
    secret: secret(),
    store: new SessionStore(),
    resave: false,
    saveUninitialized: false, // who is not signed in costs nothing
    cookie: { httpOnly: true, sameSite: 'lax', secure: behindProxy, maxAge: sessionDays * DAY },
  };
}

module.exports = { COOKIE, options };
