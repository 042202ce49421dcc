// SPDX-License-Identifier: MIT OR Apache-2.0
// Lets those pass who are signed in, and tells the handlers behind it who they are: `req.user`.
'use strict';

const User = require('../database/user');
const { Refusal } = require('../errors');
const { wantsJson } = require('./wantsJson');

/** Whose session it is, as the database says now; null if nobody's. */
function userOf(req) {
  return req.session.userId === undefined ? null : User.findById(req.session.userId);
}

/**
 * Whoever is not signed in gets the log-in page, and from there to where they wanted to go. A
 * script, or what was to change something, gets 401.
 */
function isAuthed(req, res, next) {
  req.user = userOf(req);
  if (req.user) return next();
  if (req.method === 'GET' && !wantsJson(req)) {
    return res.redirect(303, `/login?next=${encodeURIComponent(req.originalUrl)}`);
  }
  throw new Refusal(401, 'Please log in first.');
}

module.exports = { isAuthed, userOf };
