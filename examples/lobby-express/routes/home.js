// SPDX-License-Identifier: MIT OR Apache-2.0
// The home page: the open games, which home.js draws; making one; joining by link.
'use strict';

const express = require('express');
const lobby = require('../controllers/lobbyController');
const { isAuthed } = require('../middleware/isAuthed');
const { done } = require('../middleware/wantsJson');

const router = express.Router();

router.get('/', isAuthed, (req, res) => {
  res.render('home', { title: 'Open games', user: req.user });
});

router.post('/games', isAuthed, async (req, res) => {
  const gameId = await lobby.create(req.user);
  done(req, res, `/lobby/${gameId}`);
});

module.exports = router;
