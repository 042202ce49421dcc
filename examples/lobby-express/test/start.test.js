// SPDX-License-Identifier: MIT OR Apache-2.0
// Starting and ending.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { BoundedStore } = require('../middleware/boundedStore');
const { Lobby, eventually, oyezBinary } = require('./support');

const startOf = (lobby, settings = {}) => lobby.run(process.execPath, ['start.js'], { ...lobby.env, OYEZ_BIN: oyezBinary(), ...settings });
const isOpen = (child) => eventually(() => child.output.includes('The lobby is open: http://'), 'the address');

test('npm start starts both and prints the address; SIGTERM ends both', async (t) => {
  const lobby = await Lobby.prepare(t);
  const credentials = fs.readFileSync(lobby.config, 'utf8');
  const start = startOf(lobby);
  await isOpen(start);
  assert.equal((await fetch(`${lobby.url}/login`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${lobby.oyezPort}/up`)).status, 200);
  for (const file of fs.readdirSync(lobby.data, { recursive: true })) {
    assert.equal(fs.statSync(path.join(lobby.data, file)).mode & 0o077, 0, `nobody else reads ${file}`);
  }
  assert.deepEqual(await lobby.kill(start, 'SIGTERM'), [0, null]);
  await assert.rejects(fetch(`${lobby.url}/login`));
  await assert.rejects(fetch(`http://127.0.0.1:${lobby.oyezPort}/up`));
  assert.equal(fs.readFileSync(lobby.config, 'utf8'), credentials, 'credentials are made once');
});

test('the web app ends at once, also while a browser holds a connection on which it never asked', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const socket = net.connect(new URL(lobby.url).port, '127.0.0.1').resume();
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  assert.equal((await fetch(`${lobby.url}/login`)).status, 200); // by then the app knows of it
  const begun = Date.now();
  assert.deepEqual(await lobby.kill(lobby.web, 'SIGTERM'), [0, null]);
  assert.ok(Date.now() - begun < 5_000, `it took ${Date.now() - begun} ms`);
});

test('if one of them dies, the other ends, with a word', async (t) => {
  const lobby = await Lobby.prepare(t);
  const start = startOf(lobby);
  await isOpen(start);
  const children = fs.readFileSync(`/proc/${start.pid}/task/${start.pid}/children`, 'utf8').trim().split(' ').map(Number);
  const oyez = children.find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(oyezBinary()));
  process.kill(oyez, 'SIGKILL');
  assert.deepEqual(await start.ended, [1, null]);
  assert.match(start.output, /Oyez has ended \(SIGKILL\), so the rest ends, too\./);
  await assert.rejects(fetch(`${lobby.url}/login`));
});

test('a port that is taken, a setting that cannot be meant, a server that is not there', async (t) => {
  const lobby = await Lobby.prepare(t);
  const taken = net.createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  for (const [settings, words] of [
    [{ PORT: String(taken.address().port) }, /^\nPort \d+ is taken, maybe by an earlier start: end that, or set PORT to another\.\n$/],
    [{ OYEZ_PORT: String(taken.address().port) }, /^\nPort \d+ is taken.* set OYEZ_PORT to another\.\n$/],
    [{ PORT: 'http' }, /^\nPORT must be a whole number from 1 to 65535, not "http"\.\n$/],
    [{ OYEZ_BIN: '/nowhere/oyez' }, /Oyez cannot be started: spawn \/nowhere\/oyez ENOENT\n$/],
  ]) {
    const start = startOf(lobby, settings);
    assert.deepEqual(await start.ended, [1, null]);
    assert.match(start.output, words);
  }
});

test('a data folder has one app at a time, and kill -9 leaves none behind', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  await lobby.user('ann');
  const second = lobby.run(process.execPath, ['server.js'], { ...lobby.env, PORT: String(lobby.oyezPort) });
  assert.deepEqual(await second.ended, [1, null]);
  assert.match(second.output, /^Another process is using .*lobby\.db: end it first, or set DATA_DIR to another folder\.\n$/);
  await lobby.kill(lobby.web);
  assert.ok(fs.existsSync(path.join(lobby.data, 'lobby.db.lock')), 'the library leaves its lock');
  await lobby.startWeb();
  await assert.rejects(lobby.user('ann'), /taken/);
});

test('counts are bounded: the oldest goes', () => {
  const store = new BoundedStore(3);
  store.init({ windowMs: 60_000 });
  for (const key of ['a', 'b', 'c', 'a']) store.increment(key);
  assert.equal(store.increment('a').totalHits, 3);
  assert.equal(store.increment('d').totalHits, 1);
  assert.equal(store.increment('a').totalHits, 1, 'it was the oldest');
  assert.equal(store.increment('d').totalHits, 2);
});
