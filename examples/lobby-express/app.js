// SPDX-License-Identifier: MIT OR Apache-2.0
// The web app: what a request meets, in this order.
'use strict';

const path = require('node:path');
const express = require('express');
const session = require('express-session');
const pusher = require('./config/pusher');
const { options } = require('./config/session');
const settings = require('./config/settings');
const { sameOrigin } = require('./middleware/sameOrigin');
const { securityHeaders } = require('./middleware/securityHeaders');
const { notFound, tell } = require('./middleware/tell');

const app = express();
app.disable('x-powered-by');
app.set('trust proxy', settings.behindProxy ? 1 : false);
app.set('view engine', 'ejs');
app.set('views', path.join(__dirname, 'views'));
Object.assign(app.locals, {
  pusherKey: pusher.config.token.key,
  pusherHost: settings.publicHost,
  pusherPort: settings.publicPort,
});

app.use(securityHeaders);

// Files. The look is that of the Rust version of this app.
const files = { cacheControl: false, setHeaders: (res) => res.set('Cache-Control', 'no-cache'), index: false };
const pusherJs = require.resolve('pusher-js/dist/web/pusher.min.js');
const shared = path.join(__dirname, '..', 'lobby', 'public');
app.use('/javascripts/pusher.js', express.static(pusherJs, files));
app.use('/javascripts', express.static(path.join(__dirname, 'public', 'javascripts'), files));
app.use('/stylesheets', express.static(path.join(shared, 'stylesheets'), files));
app.use('/images', express.static(path.join(shared, 'images'), files));

// Oyez, which proves by its signature that it is Oyez.
app.use(require('./routes/truth'));

// People.
app.use(sameOrigin);
app.use(express.urlencoded({ extended: false, limit: settings.bodyBytes, parameterLimit: 20 }));
app.use(session(options()));
app.use(require('./routes/login'));
app.use(require('./routes/home'));
app.use(require('./routes/lobby'));
app.use(require('./routes/chat'));
app.use(require('./routes/pusherAuth'));

app.use(notFound);
app.use(tell);

module.exports = app;
