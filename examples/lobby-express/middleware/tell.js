// SPDX-License-Identifier: MIT OR Apache-2.0
// Says what went wrong in the form that was asked for: `{"error": text}` to a script, a page to a
// person. What is not meant for them is logged, and they are told that something broke.
'use strict';

const { Refusal } = require('../errors');
const { wantsJson } = require('./wantsJson');

const TITLES = { 401: 'Who are you?', 403: 'Not for you', 404: 'Nothing here', 409: 'Not now', 429: 'Too fast' };

function notFound() {
  throw new Refusal(404, 'There is no such page.');
}

// Express knows an error handler by its four arguments.
function tell(error, req, res, next) {
  if (res.headersSent) return next(error);
  const status = statusOf(error);
  if (status === 500) console.error(`${req.method} ${req.path} failed:`, error);
  const text = error instanceof Refusal ? error.message : textOf(status);
  res.status(status);
  if (wantsJson(req)) return res.json({ error: text });
  const title = TITLES[status] ?? (status < 500 ? 'That did not work' : 'Something broke');
  // From what could not be done in a lobby, back to the lobby.
  const [back] = status !== 404 && req.path.match(/^\/lobby\/[\w-]+/) || ['/'];
  return res.render('error', { title, status, text, back, user: req.user });
}

/** Express and its parsers give their errors a status when they are the caller's fault. */
function statusOf({ status }) {
  return status >= 400 && status < 500 ? status : 500;
}

function textOf(status) {
  if (status === 413) return 'That is too long.';
  if (status < 500) return 'Something is missing in what was sent, or wrong.';
  return 'Something went wrong here. Please try again.';
}

module.exports = { notFound, tell };
