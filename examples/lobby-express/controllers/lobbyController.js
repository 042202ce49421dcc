// SPDX-License-Identifier: MIT OR Apache-2.0
// What happens in a lobby: making a game, joining it, getting ready, leaving, starting. Each is one
// transaction, and then the word that something has changed. None of them knows who is looking.
'use strict';

const { transaction } = require('../database/database');
const Game = require('../database/game');
const GameUser = require('../database/gameUser');
const { Refusal } = require('../errors');
const { seats, gamesPerUser } = require('../config/settings');
const { GamePusherController } = require('./gamePusherController');
const { letGo } = require('./letGo');

const HAS_STARTED = 'This game has already started.';
const WAS_REMOVED = 'The host has removed you from this game.';

/** Somebody makes a game and is its first player, and so its host. Answers its id. */
async function create(user) {
  const gameId = transaction(() => {
    mustHaveTimeFor(user);
    const { id } = Game.create();
    GameUser.join(id, user.id);
    return id;
  });
  await GamePusherController.TRIGGER_PLAYER_JOINED_LOBBY(gameId);
  return gameId;
}

/** Somebody joins. Whoever plays already stays. */
async function join(gameId, user) {
  const isNew = transaction(() => {
    const game = mustExist(gameId);
    if (GameUser.isPlayer(gameId, user.id)) return false;
    if (isRemoved(gameId, user)) throw new Refusal(409, WAS_REMOVED);
    mustBeInLobby(game);
    const isFull = GameUser.players(gameId).length >= seats;
    if (isFull) throw new Refusal(409, `This game is full: ${seats} players are in it.`);
    mustHaveTimeFor(user);
    GameUser.join(gameId, user.id);
    Game.touch(gameId);
    return true;
  });
  if (isNew) await GamePusherController.TRIGGER_PLAYER_JOINED_LOBBY(gameId);
}

/** Whether the host has removed somebody: they cannot join again, whatever becomes of the game. */
function isRemoved(gameId, user) {
  return GameUser.standing(gameId, user.id) === 'removed';
}

/** A player is ready to play, or not any more. */
async function ready(gameId, user, isReady) {
  transaction(() => {
    mustBeInLobby(mustPlay(gameId, user));
    GameUser.setReady(gameId, user.id, isReady);
  });
  await GamePusherController.TRIGGER_PLAYER_JOINED_LOBBY(gameId);
}

/** A player leaves, also after the start. When nobody is left, the game is a lobby again. */
async function leave(gameId, user) {
  transaction(() => {
    mustPlay(gameId, user);
    GameUser.leave(gameId, user.id);
    Game.touch(gameId);
    if (GameUser.players(gameId).length === 0) Game.setStatus(gameId, 'lobby');
  });
  await letGo(user.id);
  await GamePusherController.TRIGGER_GAME_STATE(gameId);
}

/** The host removes a player, for good. */
async function remove(gameId, user, whom) {
  transaction(() => {
    mustBeInLobby(mustHost(gameId, user));
    if (whom === user.id) throw new Refusal(409, 'You cannot remove yourself: leave the game instead.');
    if (!GameUser.isPlayer(gameId, whom)) throw new Refusal(409, 'They are not in this game any more.');
    GameUser.remove(gameId, whom);
    Game.touch(gameId);
  });
  await letGo(whom);
  await GamePusherController.TRIGGER_PLAYER_JOINED_LOBBY(gameId);
}

/** The host starts. */
async function start(gameId, user) {
  transaction(() => {
    mustBeInLobby(mustHost(gameId, user));
    const players = GameUser.players(gameId);
    if (players.length < 2) throw new Refusal(409, 'It takes two players at least.');
    const waiting = players.find((player) => !player.ready && !player.host);
    if (waiting) throw new Refusal(409, `${waiting.username} is not ready yet.`);
    Game.setStatus(gameId, 'playing');
  });
  await GamePusherController.TRIGGER_GAME_STATE(gameId);
}

function mustExist(gameId) {
  const game = Game.find(gameId);
  if (!game) throw new Refusal(404, 'There is no such game. Perhaps it was deleted.');
  return game;
}

/** The game, if that user plays in it. */
function mustPlay(gameId, user) {
  const game = mustExist(gameId);
  if (!GameUser.isPlayer(gameId, user.id)) throw new Refusal(403, 'You are not in this game.');
  return game;
}

function mustHost(gameId, user) {
  const game = mustPlay(gameId, user);
  if (GameUser.players(gameId)[0].id !== user.id) throw new Refusal(403, 'Only the host can do that.');
  return game;
}

function mustBeInLobby(game) {
  if (game.status !== 'lobby') throw new Refusal(409, HAS_STARTED);
}

function mustHaveTimeFor(user) {
  if (GameUser.countOfUser(user.id) >= gamesPerUser) {
    throw new Refusal(409, `You are in ${gamesPerUser} games: leave one of them first.`);
  }
}

module.exports = { HAS_STARTED, WAS_REMOVED, create, join, isRemoved, ready, leave, remove, start, mustExist, mustPlay };
