// SPDX-License-Identifier: MIT OR Apache-2.0
// Laravel Echo on top of `pusher-js`: the way most PHP pages use a Pusher server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Echo from 'laravel-echo';
import { backendFor } from '../support/backend.js';
import { Inbox } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';
import { PusherJs, options } from '../support/official.js';
import { useServer } from '../support/server.js';

const server = await useServer({});

function echoFor(t, backend, more = {}) {
  const echo = new Echo({
    broadcaster: 'pusher', Pusher: PusherJs, key: server.app.key, ...options(server, backend),
    authEndpoint: `${backend.url}/auth`, ...more,
  });
  t.after(() => echo.disconnect());
  return echo;
}

/** What a listener is called with: its first argument. */
const listening = (bind) => {
  const inbox = new Inbox('echo');
  bind((first) => inbox.push(first));
  return inbox;
};
const joined = (channel) => new Promise((resolve) => channel.subscribed(resolve));

test('Echo: a public channel, namespaced and plain events', async (t) => {
  const echo = echoFor(t, await backendFor(t, server.library()));
  const name = fresh();
  const channel = echo.channel(name);
  const namespaced = listening((push) => channel.listen('OrderShipped', push));
  const plain = listening((push) => channel.listen('.shipped', push));
  await joined(channel);
  await server.library().trigger(name, 'App\\Events\\OrderShipped', { order: 1 });
  await server.library().trigger(name, 'shipped', { order: 2 });
  assert.deepEqual(await namespaced.take(), { order: 1 });
  assert.deepEqual(await plain.take(), { order: 2 });
});

test('Echo: a private channel and whispers', async (t) => {
  const backend = await backendFor(t, server.library());
  const [one, two] = [echoFor(t, backend), echoFor(t, backend)];
  const name = fresh();
  const [mine, theirs] = [one.private(name), two.private(name)];
  const heard = listening((push) => theirs.listenForWhisper('typing', push));
  await Promise.all([joined(mine), joined(theirs)]);
  mine.whisper('typing', { on: true });
  assert.deepEqual(await heard.take(), { on: true });
});

test('Echo: presence — here, joining, leaving', async (t) => {
  const backend = await backendFor(t, server.library());
  const users = ['anna', 'bo'];
  backend.channelData = () => member(users.shift());
  const name = fresh();
  const [one, two] = [echoFor(t, backend), echoFor(t, backend)];
  const room = one.join(name);
  const [here, joining, leaving] = ['here', 'joining', 'leaving'].map((what) => listening((push) => room[what](push)));
  assert.deepEqual(await here.take(), [{ name: 'anna' }]);
  two.join(name);
  assert.deepEqual(await joining.take(), { name: 'bo' });
  two.leave(name);
  assert.deepEqual(await leaving.take(), { name: 'bo' });
});

test('Echo: toOthers — the socket id excludes', async (t) => {
  const backend = await backendFor(t, server.library());
  const echo = echoFor(t, backend);
  const name = fresh();
  const channel = echo.channel(name);
  const heard = listening((push) => channel.listenToAll(push));
  await joined(channel);
  await server.library().trigger(name, 'App\\Events\\Excluded', {}, { socket_id: echo.socketId() });
  await server.library().trigger(name, 'App\\Events\\Heard', {});
  assert.match(await heard.take(), /Heard/);
});

test('Echo: an encrypted private channel', async (t) => {
  const library = server.library({ encryptionMasterKeyBase64: Buffer.alloc(32, 3).toString('base64') });
  const echo = echoFor(t, await backendFor(t, library));
  const name = fresh();
  const channel = echo.encryptedPrivate(name);
  const heard = listening((push) => channel.listen('.secret', push));
  await joined(channel);
  await library.trigger(`private-encrypted-${name}`, 'secret', { text: 'x' });
  assert.deepEqual(await heard.take(), { text: 'x' });
});

test('Echo: an error of authorisation reaches error()', async (t) => {
  const backend = await backendFor(t, server.library({ secret: 'wrong' }));
  const channel = echoFor(t, backend).private(fresh());
  const errors = listening((push) => channel.error(push));
  assert.equal((await errors.take()).status, 401);
});
