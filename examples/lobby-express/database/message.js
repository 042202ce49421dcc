// SPDX-License-Identifier: MIT OR Apache-2.0
// The table `messages`: what was said in each game's chat, numbered 1, 2, 3 … without holes.
'use strict';

const { run, get, all } = require('./database');
const { messagesShown, messagesKept } = require('../config/settings');

/** Somebody says that. Answers the message's number. To be called in a transaction. */
function add(gameId, userId, text) {
  const { number } = get(
    `INSERT INTO messages (game_id, number, user_id, text, time)
     SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3, ?4 FROM messages WHERE game_id = ?1
     RETURNING number`,
    [gameId, userId, text, Date.now()],
  );
  run('DELETE FROM messages WHERE game_id = ? AND number <= ?', [gameId, number - messagesKept]);
  return number;
}

/** `[{number, user_id, username, text, time}]`: the last ones before that number, oldest first. */
function last(gameId, before = Number.MAX_SAFE_INTEGER) {
  return all(
    `SELECT messages.number, messages.user_id, users.username, messages.text, messages.time
     FROM messages JOIN users ON users.id = messages.user_id
     WHERE messages.game_id = ? AND messages.number < ?
     ORDER BY messages.number DESC
     LIMIT ?`,
    [gameId, before, messagesShown],
  ).reverse();
}

module.exports = { add, last };
