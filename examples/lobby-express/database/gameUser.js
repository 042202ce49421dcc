// SPDX-License-Identifier: MIT OR Apache-2.0
// The table `game_users`: who plays in which game.
'use strict';

const { run, get, all } = require('./database');

/**
 * `[{id, username, ready, host, playing}]`: a game's players in the order of joining, in one query.
 * `playing`: their game has begun, which onlookers learn from this list alone.
 */
function players(gameId) {
  const rows = all(
    `SELECT users.id, users.username, game_users.ready, games.status
     FROM game_users
     JOIN users ON users.id = game_users.user_id
     JOIN games ON games.id = game_users.game_id
     WHERE game_users.game_id = ? AND NOT game_users.removed
     ORDER BY game_users.seat`,
    [gameId],
  );
  return rows.map(({ id, username, ready, status }, place) => (
    { id, username, ready: ready === 1, host: place === 0, playing: status !== 'lobby' }
  ));
}

/** What somebody is in a game: 'player', 'removed' by the host, or 'stranger'. */
function standing(gameId, userId) {
  const row = get('SELECT removed FROM game_users WHERE game_id = ? AND user_id = ?', [gameId, userId]);
  if (!row) return 'stranger';
  return row.removed ? 'removed' : 'player';
}

function isPlayer(gameId, userId) {
  return standing(gameId, userId) === 'player';
}

/** In how many games somebody plays. */
function countOfUser(userId) {
  return get('SELECT count(*) AS games FROM game_users WHERE user_id = ? AND NOT removed', [userId]).games;
}

/** Somebody joins, behind those who are there. */
function join(gameId, userId) {
  run(
    `INSERT INTO game_users (game_id, user_id, seat)
     SELECT ?1, ?2, 1 + coalesce(max(seat), 0) FROM game_users WHERE game_id = ?1`,
    [gameId, userId],
  );
}

function leave(gameId, userId) {
  run('DELETE FROM game_users WHERE game_id = ? AND user_id = ?', [gameId, userId]);
}

function remove(gameId, userId) {
  run('UPDATE game_users SET removed = 1, ready = 0 WHERE game_id = ? AND user_id = ?', [gameId, userId]);
}

function setReady(gameId, userId, ready) {
  run('UPDATE game_users SET ready = ? WHERE game_id = ? AND user_id = ?', [ready ? 1 : 0, gameId, userId]);
}

module.exports = { players, standing, isPlayer, countOfUser, join, leave, remove, setReady };
