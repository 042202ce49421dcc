// SPDX-License-Identifier: MIT OR Apache-2.0
// The table `games`. A game is in its lobby until its host starts it, and is played from then on.
'use strict';

const crypto = require('node:crypto');
const { run, get, all } = require('./database');
const { seats, gamesShown, keepDays } = require('../config/settings');

const DAY = 24 * 60 * 60 * 1000;

/** `{id, status}` of a new game without players. Games that nobody has touched for long go. */
function create() {
  const now = Date.now();
  run('DELETE FROM games WHERE changed_at < ?', [now - keepDays * DAY]);
  return get(
    `INSERT INTO games (id, status, created_at, changed_at) VALUES (?, 'lobby', ?, ?)
     RETURNING id, status`,
    [crypto.randomUUID(), now, now],
  );
}

/** `{id, status}`, or null. */
function find(id) {
  return get('SELECT id, status FROM games WHERE id = ?', [id]);
}

/**
 * `[{id, host, players}]`: the newest games that somebody can join. SQLite takes `username` from
 * the row in which it found `min(seat)`, and that player is the host.
 */
function open() {
  return all(
    `SELECT games.id, users.username AS host, count(*) AS players, min(game_users.seat) AS seat
     FROM games
     JOIN game_users ON game_users.game_id = games.id AND NOT game_users.removed
     JOIN users ON users.id = game_users.user_id
     WHERE games.status = 'lobby'
     GROUP BY games.id
     HAVING count(*) < ?
     ORDER BY games.created_at DESC, games.id
     LIMIT ?`,
    [seats, gamesShown],
  ).map(({ id, host, players }) => ({ id, host, players }));
}

function setStatus(id, status) {
  run('UPDATE games SET status = ?, changed_at = ? WHERE id = ?', [status, Date.now(), id]);
}

/** Notes that somebody was here. */
function touch(id) {
  run('UPDATE games SET changed_at = ? WHERE id = ?', [Date.now(), id]);
}

module.exports = { create, find, open, setStatus, touch };
