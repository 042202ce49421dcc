// SPDX-License-Identifier: MIT OR Apache-2.0
// Oyez asks: what is true of this channel? It signs the question like a webhook, so the official
// library can tell that it is Oyez who asks. Nobody else gets an answer.
'use strict';

const express = require('express');
const pusher = require('../config/pusher');
const { startOfApp } = require('../controllers/appPusherController');
const { messagesOf } = require('../controllers/chatPusherController');
const { openGames, playersOf, stateOf } = require('../controllers/gamePusherController');
const { bodyBytes } = require('../config/settings');

/** Which function knows which channels; what the pattern captures is its argument. */
const TRUTHS = [
  [/^LOBBY_(.+)$/, playersOf],
  [/^private-GAME_(.+)$/, stateOf],
  [/^private-CHAT_(.+)$/, messagesOf],
  [/^private-GAMES$/, openGames],
  [/^APP$/, startOfApp],
];

function truthOf(channel) {
  for (const [pattern, truth] of TRUTHS) {
    const found = channel.match(pattern);
    if (found) return truth(found[1]);
  }
  return null;
}

const router = express.Router();

// The signature is over the bytes as they came, so they are kept.
router.post('/truth', express.text({ type: 'application/json', limit: bodyBytes }), (req, res) => {
  const question = pusher.webhook({ headers: req.headers, rawBody: req.body ?? '' });
  if (!question.isValid()) return res.status(401).json({ error: 'The question is not signed by Oyez.' });
  const truth = truthOf(question.getData().channel);
  if (truth === null) return res.status(404).json({ error: 'There is no such channel.' });
  return res.json(truth);
});

module.exports = router;
