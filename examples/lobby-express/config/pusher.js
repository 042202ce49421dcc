// SPDX-License-Identifier: MIT OR Apache-2.0
// The connection to the realtime server: the official library. With Oyez in the place of Pusher
// only `host` and `port` are new (and http, as it runs on this machine).
'use strict';

const Pusher = require('pusher');
const oyez = require('./oyez');
const { pusherHost, oyezPort, oyezTimeout } = require('./settings');
const { StartError } = require('../errors');

const app = oyez.credentials();
if (!app) throw new StartError(`There is no ${oyez.file}. \`npm run setup\` writes it.`);

module.exports = new Pusher({
  appId: app.id,
  key: app.key,
  secret: app.secret,
  host: pusherHost,
  port: oyezPort,
  useTLS: false,
  timeout: oyezTimeout,
});
