// SPDX-License-Identifier: MIT OR Apache-2.0
// Users, watchlists and encryption through `pusher-js` and the official server library.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendFor } from '../support/backend.js';
import { fresh } from '../support/names.js';
import { clientFor, connectedFor, recorded, subscribed } from '../support/official.js';
import { Proxy } from '../support/proxy.js';
import { useServer } from '../support/server.js';
import { channelAuth, userAuth } from '../support/sign.js';

const server = await useServer({});

let last = 0;
const person = (more = {}) => ({ id: `person-${++last}`, ...more });

/** A client that signs in as that user through an endpoint, with all that its user hears. */
async function signedIn(t, user, more = {}) {
  const backend = await backendFor(t, server.library());
  backend.user = () => user;
  const client = await connectedFor(t, server, { backend, ...more });
  client.backend = backend;
  client.heard = recorded(client.user, 'user events');
  client.online = recorded(client.user.watchlist, 'watchlist events');
  client.signin();
  await client.user.signinDonePromise;
  return client;
}

/** Waits until the server lists that user's channel as occupied: the client subscribed to it. */
const reachable = async (client) => {
  await new Promise((resolve) => {
    if (client.user.serverToUserChannel.subscribed) resolve();
    else client.user.serverToUserChannel.bind('pusher:subscription_succeeded', resolve);
  });
};

test('P-054 sign-in through an endpoint', async (t) => {
  const user = person({ user_info: { name: 'Anna' } });
  const client = await signedIn(t, user);
  assert.deepEqual(client.user.user_data, user);
  assert.deepEqual(client.backend.calls.map(({ path }) => path), ['/user-auth']);
});

test('P-054 sign-in through a custom handler', async (t) => {
  const user = person();
  const client = clientFor(t, server, {
    userAuthentication: {
      customHandler: ({ socketId }, callback) => {
        const user_data = JSON.stringify(user);
        callback(null, { auth: userAuth(server.app, socketId, user_data), user_data });
      },
    },
  });
  client.signin();
  await client.states.take((state) => state === 'connected', 'connected');
  await client.user.signinDonePromise;
  assert.equal(client.user.user_data.id, user.id);
});

test('P-055 a wrong signature is an error of the connection, and nobody is signed in', async (t) => {
  const backend = await backendFor(t, server.library({ secret: 'wrong' }));
  const client = await connectedFor(t, server, { backend });
  client.signin();
  const error = await client.errors.take();
  assert.equal(error.error?.data?.code ?? error.data?.code, 4009);
  assert.equal(client.user.user_data, null);
  assert.equal(client.connection.state, 'connected');
});

test('P-056 sendToUser reaches each of a user\'s pages', async (t) => {
  const user = person();
  const pages = [await signedIn(t, user), await signedIn(t, user)];
  const stranger = await signedIn(t, person());
  for (const page of [...pages, stranger]) await reachable(page);
  await server.library().sendToUser(user.id, 'letter', { text: 'hello' });
  for (const page of pages) assert.deepEqual((await page.heard.event('letter')).data, { text: 'hello' });
  await server.library().sendToUser(stranger.user.user_data.id, 'fence', 'x');
  await stranger.heard.event('fence');
  assert.ok(!stranger.heard.items.some(({ name }) => name === 'letter'));
});

test('P-057 terminateUserConnections: the pages are closed with 4009 and do not come back', async (t) => {
  const user = person();
  const page = await signedIn(t, user);
  await server.library().terminateUserConnections(user.id);
  const error = await page.errors.take();
  assert.equal(error.error?.data?.code ?? error.data?.code, 4009);
  await page.states.take((state) => ['disconnected', 'failed'].includes(state), 'disconnected');
});

test('P-058 a page hears who of its watchlist comes and goes', async (t) => {
  const friend = person();
  const page = await signedIn(t, person({ watchlist: [friend.id] }));
  assert.deepEqual((await page.online.event('offline')).data.user_ids, [friend.id]);
  const other = await signedIn(t, friend);
  assert.deepEqual((await page.online.event('online')).data.user_ids, [friend.id]);
  other.disconnect();
  assert.deepEqual((await page.online.event('offline')).data.user_ids, [friend.id]);
});

test('P-060 after a reconnect the page signs in again, and is reachable again', async (t) => {
  const proxy = await Proxy.start(server.port);
  t.after(() => proxy.stop());
  const user = person();
  const page = await signedIn(t, user, { wsPort: proxy.port });
  await reachable(page);
  proxy.cut();
  await page.states.take((state) => state === 'connected', 'connected again');
  await page.user.signinDonePromise;
  await reachable(page);
  await server.library().sendToUser(user.id, 'letter', 'again');
  assert.equal((await page.heard.event('letter')).data, 'again');
  assert.equal(page.backend.calls.filter(({ path }) => path === '/user-auth').length, 2);
});

test('P-036 a signed-in page joins a presence channel without channel_data', async (t) => {
  const user = person({ user_info: { name: 'Anna' } });
  const page = await signedIn(t, user, {
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        callback(null, { auth: channelAuth(server.app, socketId, channelName) }),
    },
  });
  const room = await subscribed(page, fresh('presence-'));
  assert.equal(room.members.me.id, user.id);
  assert.deepEqual(room.members.me.info, { name: 'Anna' });
});

const master = (byte) => ({ encryptionMasterKeyBase64: Buffer.alloc(32, byte).toString('base64') });

for (const prefix of ['private-encrypted-', 'private-encrypted-cache-']) {
  test(`P-051 an event on ${prefix} is encrypted by the server library, carried unread, decrypted by the page`, async (t) => {
    const library = server.library(master(1));
    const backend = await backendFor(t, library);
    const channel = await subscribed(await connectedFor(t, server, { backend }), fresh(prefix));
    const spy = await server.connect();
    await spy.subscribe(channel.name);
    await library.trigger(channel.name, 'secret', { text: 'for you only' });
    assert.deepEqual((await channel.events.event('secret')).data, { text: 'for you only' });
    const onTheWire = await spy.event('secret', channel.name);
    assert.ok(!onTheWire.raw.includes('for you only'));
    assert.deepEqual(Object.keys(JSON.parse(onTheWire.data)).sort(), ['ciphertext', 'nonce']);
  });
}

test('P-051 after a key rotation the page asks for the new key and goes on', async (t) => {
  const backend = await backendFor(t, server.library(master(1)));
  const channel = await subscribed(await connectedFor(t, server, { backend }), fresh('private-encrypted-'));
  backend.library = server.library(master(2));
  await backend.library.trigger(channel.name, 'secret', { key: 'new' });
  assert.deepEqual((await channel.events.event('secret')).data, { key: 'new' });
  assert.equal(backend.calls.length, 2);
});

test('P-052 the official library refuses several encrypted channels itself', async () => {
  const library = server.library(master(1));
  assert.throws(() => library.trigger([fresh('private-encrypted-'), fresh()], 'e', 'x'), /encrypted/);
});
