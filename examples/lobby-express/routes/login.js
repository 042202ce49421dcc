// SPDX-License-Identifier: MIT OR Apache-2.0
// Logging in, registering, logging out.
'use strict';

const express = require('express');
const { promisify } = require('node:util');
const { COOKIE } = require('../config/session');
const { letGo } = require('../controllers/letGo');
const User = require('../database/user');
const { Refusal } = require('../errors');
const password = require('../password');
const { field } = require('../middleware/field');
const { userOf } = require('../middleware/isAuthed');
const pace = require('../middleware/pace');
const { wantsJson, done } = require('../middleware/wantsJson');

const NAME = /^[A-Za-z0-9_-]{3,20}$/; // all ASCII, so that no name looks like another
const WRONG = 'This name and this password do not go together.';

const router = express.Router();

for (const view of ['login', 'register']) {
  router.get(`/${view}`, (req, res) => {
    const next = localPath(req.query.next);
    if (userOf(req)) return res.redirect(303, next);
    return res.render(view, { next, username: '', error: null });
  });
}

router.post('/login', pace.logins, async (req, res) => {
  const user = User.findByName(field(req, 'username'));
  const isRight = await password.isRight(readPassword(req, 401, WRONG), user?.password_hash);
  if (!isRight) throw new Refusal(401, WRONG);
  await signIn(req, user);
  done(req, res, localPath(req.body.next));
}, again('login'));

router.post('/register', pace.registrations, async (req, res) => {
  const username = field(req, 'username');
  if (!NAME.test(username)) throw new Refusal(422, 'A name is 3 to 20 letters, digits, _ or -.');
  const hash = await password.hash(readPassword(req, 422, 'A password is 8 to 128 characters.'));
  const user = User.create(username, hash);
  if (!user) throw new Refusal(409, 'This name is taken. Please choose another.');
  await signIn(req, user);
  done(req, res, localPath(req.body.next));
}, again('register'));

router.post('/logout', async (req, res) => {
  const { userId } = req.session;
  await promisify(req.session.destroy).call(req.session);
  if (userId) await letGo(userId); // their other browsers come back by themselves
  res.clearCookie(COOKIE);
  done(req, res, '/login');
});

function readPassword(req, status, text) {
  const said = field(req, 'password');
  const length = [...said].length;
  if (length < 8 || length > 128) throw new Refusal(status, text);
  return said;
}

/** In a new session: a cookie that somebody else knew before is worth nothing after. */
async function signIn(req, user) {
  await promisify(req.session.regenerate).call(req.session);
  req.session.userId = user.id;
}

/** Shows the form again, with what was wrong. */
function again(view) {
  return (error, req, res, next) => {
    if (!(error instanceof Refusal) || wantsJson(req)) return next(error);
    const values = { next: localPath(req.body?.next), username: field(req, 'username'), error: error.message };
    return res.status(error.status).render(view, values);
  };
}

/**
 * Where to go afterwards: whatever a link says, to one of our own pages. Browsers take `//host` and
 * `/\host` for another server, and drop control characters before they look.
 */
function localPath(text) {
  const isLocal = typeof text === 'string' && text.length <= 1024 && /^\/(?![/\\])\P{Cc}*$/u.test(text);
  return isLocal ? text : '/';
}

module.exports = router;
