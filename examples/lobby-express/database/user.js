// SPDX-License-Identifier: MIT OR Apache-2.0
// The table `users`: who has registered.
'use strict';

const { get } = require('./database');

/** The new user; null if the name is taken, in whichever spelling. */
function create(username, passwordHash) {
  return get(
    `INSERT INTO users (username, password_hash, created_at) VALUES (?, ?, ?)
     ON CONFLICT (username) DO NOTHING RETURNING id, username`,
    [username, passwordHash, Date.now()],
  );
}

/** `{id, username, password_hash}`, or null. The column compares without case. */
function findByName(username) {
  return get('SELECT id, username, password_hash FROM users WHERE username = ?', [username]);
}

/** `{id, username}`, or null. */
function findById(id) {
  return get('SELECT id, username FROM users WHERE id = ?', [id]);
}

module.exports = { create, findByName, findById };
