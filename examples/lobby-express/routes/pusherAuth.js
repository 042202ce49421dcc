// SPDX-License-Identifier: MIT OR Apache-2.0
// Who may subscribe to what, by their session. The signature is for that socket and that channel.
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

router.post('/pusher/auth', isAuthed, (req, res) => {
  const socketId = field(req, 'socket_id');
  const channel = field(req, 'channel_name');
  if (!SOCKET_ID.test(socketId)) throw new Refusal(403, 'That is no socket id.');
  if (!mayHear(req.user, channel)) throw new Refusal(403, 'This channel is not yours.');
  const member = channel.startsWith('presence-')
    ? { user_id: String(req.user.id), user_info: { username: req.user.username } }
    : undefined;
  res.json(pusher.authorizeChannel(socketId, channel, member));
});

function mayHear(user, channel) {
  if (channel === 'private-GAMES') return true;
  const [, gameId] = channel.match(OF_PLAYERS) ?? [];
  return gameId !== undefined && GameUser.isPlayer(gameId, user.id);
}

module.exports = router;
