// SPDX-License-Identifier: MIT OR Apache-2.0
// The credentials of our app at Oyez, out of the file from which Oyez itself reads them: they stand
// in one place. `npm run setup` writes it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parse } = require('smol-toml');
const { dataDir } = require('./settings');
const { StartError } = require('../errors');

const file = path.join(dataDir, 'oyez.toml');

/** `{id, key, secret}` of the first app in that file; undefined while there is no file. */
function credentials() {
  if (!fs.existsSync(file)) return undefined;
  const { id, key, secret } = parse(fs.readFileSync(file, 'utf8')).apps?.[0] ?? {};
  if (id && key && secret) return { id, key, secret };
  throw new StartError(`${file} has no app with id, key and secret. Delete it to get a fresh one.`);
}

module.exports = { file, credentials };
