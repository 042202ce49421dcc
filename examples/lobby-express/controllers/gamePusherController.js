// SPDX-License-Identifier: MIT OR Apache-2.0
// What pages know of games: functions from a game to what is true of it, and the word that this has
// changed. The two are apart on purpose. Whoever changes a game reads nothing and sends no list, so
// no list can be old: Oyez asks these functions itself, one question at a time, and once more when a
// change came during one.
'use strict';

const Game = require('../database/game');
const GameUser = require('../database/gameUser');
const { changed } = require('./changed');

/** The truth of LOBBY_<id>, which pages get as PLAYER_JOIN: its players. Null: no such game. */
function playersOf(gameId) {
  const players = GameUser.players(gameId);
  return players.length > 0 || Game.find(gameId) ? players : null;
}

/** The truth of private-GAME_<id>, which its players get as GAME_STATE. Null: no such game. */
function stateOf(gameId) {
  const game = Game.find(gameId);
  return game && { status: game.status };
}

/** The truth of private-GAMES, which home pages get as GAMES. */
function openGames() {
  return Game.open();
}

class GamePusherController {
  /** Who plays in the game has changed, or how. To be called after the commit. */
  static TRIGGER_PLAYER_JOINED_LOBBY(gameId) {
    return changed(`LOBBY_${gameId}`, 'private-GAMES');
  }

  /** The game has begun, or is back in its lobby. To be called after the commit. */
  static TRIGGER_GAME_STATE(gameId) {
    return changed(`private-GAME_${gameId}`, `LOBBY_${gameId}`, 'private-GAMES');
  }
}

module.exports = { GamePusherController, playersOf, stateOf, openGames };
