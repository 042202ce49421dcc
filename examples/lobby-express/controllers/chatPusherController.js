// SPDX-License-Identifier: MIT OR Apache-2.0
// What pages know of a chat.
'use strict';

const Game = require('../database/game');
const Message = require('../database/message');
const { changed } = require('./changed');

/**
 * The truth of private-CHAT_<id>, which pages get as CHAT_MESSAGES: the last messages, oldest first.
 * A page that has missed more sees it by their numbers, and asks for the rest. Null: no such game.
 */
function messagesOf(gameId) {
  return Game.find(gameId) && Message.last(gameId);
}

class ChatPusherController {
  /** Somebody has said something. To be called after the commit. */
  static TRIGGER_CHAT_MESSAGES(gameId) {
    return changed(`private-CHAT_${gameId}`);
  }
}

module.exports = { ChatPusherController, messagesOf };
