// SPDX-License-Identifier: MIT OR Apache-2.0
// Writes the data folder's oyez.toml from oyez.toml.example: ports and addresses follow the
// environment, credentials are made once and kept.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const oyez = require('./config/oyez');
const { host, port, oyezPort, dataDir } = require('./config/settings');
const { StartError } = require('./errors');

const EXAMPLE = path.join(__dirname, 'oyez.toml.example');

function fresh() {
  return {
    id: String(crypto.randomInt(1_000_000, 10_000_000)),
    key: crypto.randomBytes(10).toString('hex'),
    secret: crypto.randomBytes(16).toString('base64url'),
  };
}

/** Answers the path of the written file. */
function setup() {
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const app = oyez.credentials() ?? fresh();
  const values = {
    HOST: host,
    PORT: port,
    OYEZ_PORT: oyezPort,
    // Where Oyez asks: an app that serves every address is also at the loopback one.
    APP_HOST: host === '0.0.0.0' ? '127.0.0.1' : host,
    // Inside the quotes of a TOML string.
    DATA_DIR: JSON.stringify(dataDir).slice(1, -1),
    APP_ID: app.id,
    APP_KEY: app.key,
    APP_SECRET: app.secret,
  };
  const text = fs.readFileSync(EXAMPLE, 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (name in values) return values[name];
    throw new StartError(`${EXAMPLE}: nobody knows {{${name}}}; there are ${Object.keys(values).join(', ')}.`);
  });
  // In one step: Oyez and the app never read half of it.
  fs.writeFileSync(`${oyez.file}.new`, text, { mode: 0o600 });
  fs.renameSync(`${oyez.file}.new`, oyez.file);
  return oyez.file;
}

module.exports = setup;

if (require.main === module) console.log(setup());
