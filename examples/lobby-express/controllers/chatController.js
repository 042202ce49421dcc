// SPDX-License-Identifier: MIT OR Apache-2.0
// Talking.
'use strict';

const { transaction } = require('../database/database');
const Game = require('../database/game');
const Message = require('../database/message');
const { Refusal } = require('../errors');
const { messageLength } = require('../config/settings');
const { ChatPusherController } = require('./chatPusherController');
const { mustPlay } = require('./lobbyController');

/** A player says something. Answers the message's number. */
async function say(gameId, user, said) {
  const text = said.replace(/\p{Cc}+/gu, ' ').trim();
  const length = [...text].length;
  if (length === 0) throw new Refusal(422, 'A message needs some text.');
  if (length > messageLength) {
    throw new Refusal(422, `A message has at most ${messageLength} characters; this one has ${length}.`);
  }
  const number = transaction(() => {
    mustPlay(gameId, user);
    Game.touch(gameId);
    return Message.add(gameId, user.id, text);
  });
  await ChatPusherController.TRIGGER_CHAT_MESSAGES(gameId);
  return number;
}

module.exports = { say };
