// SPDX-License-Identifier: MIT OR Apache-2.0
// One process at a time owns a database. It proves it by listening on a local socket that is named
// after the file: the system closes that with the process, however the process ends. A file with a
// process id in it would survive `kill -9`, and then accuse whoever has that id next.
'use strict';

const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { StartError } = require('../errors');

/** Resolves when this process owns `file`, for as long as it lives. */
async function own(file) {
  const real = path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
  const name = `oyez-lobby-${crypto.createHash('sha256').update(real).digest('hex').slice(0, 32)}`;
  const address = addressOf(name);
  try {
    await listen(address);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    if (!await wasLeftBehind(address)) {
      throw new StartError(`Another process is using ${file}: end it first, or set DATA_DIR to another folder.`);
    }
    fs.unlinkSync(address);
    await listen(address);
  }
}

/** Linux and Windows have names that vanish with the process; elsewhere it is a file that stays. */
function addressOf(name) {
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return path.join(os.tmpdir(), `${name}.sock`);
}

async function listen(address) {
  const server = net.createServer((socket) => socket.destroy());
  server.unref();
  server.listen(address);
  await once(server, 'listening');
}

async function wasLeftBehind(address) {
  if (!path.isAbsolute(address) || process.platform === 'win32') return false;
  const socket = net.connect(address);
  const isAnswered = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  return !isAnswered;
}

module.exports = { own };
