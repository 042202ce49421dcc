// SPDX-License-Identifier: MIT OR Apache-2.0
// Who somebody is, and who may subscribe to what, by their session. Each signature is for one socket,
// and that of a subscription for one channel.
'use strict';

const express = require('express');
const pusher = require('../config/pusher');
const GameUser = require('../database/gameUser');
const { Refusal } = require('../errors');
const { field } = require('../middleware/field');
const { isAuthed } = require('../middleware/isAuthed');

const OF_PLAYERS = /^(?:private-CHAT|private-GAME|presence-LOBBY)_([0-9a-f-]{36})$/;
const SOCKET_ID = /^\d+\.\d+$/;

const router = express.Router();

/** Whose connection it is: so it can be ended when they are in a game no more (letGo.js). */
router.post('/pusher/user-auth', isAuthed, (req, res) => {
  const { id, username } = req.user;
  res.json(pusher.authenticateUser(socketIdOf(req), { id: String(id), user_info: { username } }));
});

router.post('/pusher/auth', isAuthed, (req, res) => {
  const socketId = socketIdOf(req);
  const channel = field(req, 'channel_name');
  if (!mayHear(req.user, channel)) throw new Refusal(403, 'This channel is not yours.');
  const member = channel.startsWith('presence-')
    ? { user_id: String(req.user.id), user_info: { username: req.user.username } }
    : undefined;
  res.json(pusher.authorizeChannel(socketId, channel, member));
});

/** Nothing else: what is signed is a text in which the socket id comes first. */
function socketIdOf(req) {
  const socketId = field(req, 'socket_id');
  if (!SOCKET_ID.test(socketId)) throw new Refusal(403, 'That is no socket id.');
  return socketId;
}

function mayHear(user, channel) {
  if (channel === 'private-GAMES') return true;
  const [, gameId] = channel.match(OF_PLAYERS) ?? [];
  return gameId !== undefined && GameUser.isPlayer(gameId, user.id);
}

module.exports = router;
