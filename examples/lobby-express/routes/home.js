// SPDX-License-Identifier: MIT OR Apache-2.0
// The home page: the open games, which home.js keeps true; making one; joining by link.
'use strict';

const express = require('express');
const { openGames } = require('../controllers/gamePusherController');
const lobby = require('../controllers/lobbyController');
const { isAuthed } = require('../middleware/isAuthed');
const { wantsJson } = require('../middleware/wantsJson');

const router = express.Router();

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

// `link` comes from the form of a page whose scripts do not run.
router.get('/', isAuthed, (req, res) => {
  const { link } = req.query;
  const [gameId] = (typeof link === 'string' && link.match(UUID)) || [];
  if (gameId) return res.redirect(303, `/lobby/${gameId.toLowerCase()}`);
  const joinError = link === undefined ? '' : 'This does not look like a link to a table.';
  return res.render('home', { title: 'Open games', user: req.user, games: openGames(), joinError });
});

router.post('/games', isAuthed, async (req, res) => {
  const gameId = await lobby.create(req.user);
  res.location(`/lobby/${gameId}`).status(wantsJson(req) ? 201 : 303).end();
});

module.exports = router;
