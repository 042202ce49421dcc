// SPDX-License-Identifier: MIT OR Apache-2.0
// The browser support, with our own script in the place of the official builds.
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support/server.js';
import { NACL, SCRIPT } from './library.js';

export * from '../support/browser.js';

const encrypting = path.join(temporaryFolder(), 'with-encryption.js');
fs.writeFileSync(encrypting, [
  fs.readFileSync(NACL, 'utf8'),
  fs.readFileSync(SCRIPT, 'utf8'),
  'Pusher = class extends Pusher { constructor(key, options) { super(key, { nacl, ...options }); } };',
].join('\n'));

export const BUILDS = { plain: SCRIPT, 'with-encryption': encrypting };
