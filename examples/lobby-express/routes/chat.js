// SPDX-License-Identifier: MIT OR Apache-2.0
// A game's chat: saying something, and what was said before.
'use strict';

const express = require('express');
const chat = require('../controllers/chatController');
const { mustPlay } = require('../controllers/lobbyController');
const Message = require('../database/message');
const { Refusal } = require('../errors');
const { field } = require('../middleware/field');
const { isAuthed } = require('../middleware/isAuthed');
const { messages } = require('../middleware/pace');
const { wantsJson } = require('../middleware/wantsJson');

const router = express.Router();

router.post('/lobby/:uuid/messages', isAuthed, messages, async (req, res) => {
  const number = await chat.say(req.params.uuid, req.user, field(req, 'text'));
  if (wantsJson(req)) res.status(201).json({ number });
  else res.redirect(303, `/lobby/${req.params.uuid}`);
});

router.get('/lobby/:uuid/messages', isAuthed, (req, res) => {
  const { before } = req.query;
  if (before !== undefined && !/^\d{1,15}$/.test(before)) throw new Refusal(422, 'Before is the number of a message.');
  mustPlay(req.params.uuid, req.user);
  res.json(Message.last(req.params.uuid, before && Number(before)));
});

module.exports = router;
