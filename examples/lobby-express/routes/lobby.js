// SPDX-License-Identifier: MIT OR Apache-2.0
// A game's lobby. The page is rendered with what is true now. What becomes true while it is on its way
// comes with its subscriptions, however late those are: nothing here waits, and nothing is triggered.
'use strict';

const express = require('express');
const { messagesOf } = require('../controllers/chatPusherController');
const lobby = require('../controllers/lobbyController');
const { playersOf } = require('../controllers/gamePusherController');
const { seats } = require('../config/settings');
const { Refusal } = require('../errors');
const { field } = require('../middleware/field');
const { isAuthed } = require('../middleware/isAuthed');
const { done } = require('../middleware/wantsJson');

const router = express.Router();

router.get('/lobby/:uuid', isAuthed, (req, res) => {
  const { id: gameId, status } = lobby.mustExist(req.params.uuid);
  const players = playersOf(gameId);
  const me = players.find((player) => player.id === req.user.id);
  res.render('lobby', {
    title: players.length > 0 ? `${players[0].username}’s game` : 'An empty game',
    user: req.user,
    gameId,
    status,
    seats,
    players,
    me,
    joined: me !== undefined,
    removed: !me && lobby.isRemoved(gameId, req.user) ? lobby.WAS_REMOVED : null,
    hasStarted: lobby.HAS_STARTED,
    messages: me ? messagesOf(gameId) : [],
    link: `${req.protocol}://${req.get('host')}/lobby/${gameId}`,
  });
});

router.post('/lobby/:uuid/join', isAuthed, async (req, res) => {
  await lobby.join(req.params.uuid, req.user);
  done(req, res, `/lobby/${req.params.uuid}`);
});

router.post('/lobby/:uuid/leave', isAuthed, async (req, res) => {
  await lobby.leave(req.params.uuid, req.user);
  done(req, res, '/');
});

router.post('/lobby/:uuid/ready', isAuthed, async (req, res) => {
  const ready = field(req, 'ready');
  if (ready !== 'true' && ready !== 'false') throw new Refusal(422, 'Ready is true or false.');
  await lobby.ready(req.params.uuid, req.user, ready === 'true');
  done(req, res, `/lobby/${req.params.uuid}`);
});

router.post('/lobby/:uuid/remove', isAuthed, async (req, res) => {
  const whom = field(req, 'user_id');
  if (!/^\d{1,15}$/.test(whom)) throw new Refusal(422, 'Who is to be removed is a number.');
  await lobby.remove(req.params.uuid, req.user, Number(whom));
  done(req, res, `/lobby/${req.params.uuid}`);
});

router.post('/lobby/:uuid/start', isAuthed, async (req, res) => {
  await lobby.start(req.params.uuid, req.user);
  done(req, res, `/lobby/${req.params.uuid}`);
});

module.exports = router;
