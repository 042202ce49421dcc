// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 5: signing in, user channels, terminating.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';
import { channelAuth, userAuth } from '../support/sign.js';

const server = await useServer({ apps: [{}, { id: '2', key: 'other-key', secret: 'other-secret' }] });

let last = 0;
const userId = () => `user-${++last}`;

test('P-054 sign-in is answered by the user_data as it was sent', async () => {
  const socket = await server.connect();
  for (const extra of [{}, { user_info: { name: 'Ünal 💥' } }, { watchlist: ['a', 'b'] }]) {
    const user_data = JSON.stringify({ id: 'me', ...extra });
    const answer = await socket.signin(user_data);
    assert.deepEqual(answer.data, { user_data });
  }
});

test('P-054 signing in again as the same user is harmless', async () => {
  const socket = await server.connect();
  const id = userId();
  for (let n = 0; n < 3; n++) await socket.signin({ id });
  await socket.subscribe(`#server-to-user-${id}`);
  await server.library().sendToUser(id, 'event', { x: 1 });
  await socket.event('event');
  await socket.fence(`#server-to-user-${id}`);
  assert.ok(!socket.messages.items.some(({ event }) => event === 'event'), 'delivered twice');
});

test('P-055 as another user: an error, and the first sign-in holds', async () => {
  const socket = await server.connect();
  const [first, second] = [userId(), userId()];
  await socket.signin({ id: first });
  await socket.signin({ id: second }, { wait: false });
  await socket.error();
  await socket.alive();
  await socket.subscribe(`#server-to-user-${first}`);
  await socket.send({ event: 'pusher:subscribe', data: { channel: `#server-to-user-${second}`, auth: '' } });
  assert.match((await socket.messages.take()).event, /error$/);
});

test('P-055 wrong signatures and wrong user_data are refused with 4009 and the reason, and nobody is signed in', async () => {
  const [socket, other] = await server.connectAll(2);
  const good = JSON.stringify({ id: 'me' });
  const sign = (user_data, app = server.app, id = socket.socketId) => userAuth(app, id, user_data);
  const cases = {
    'of another socket': [good, sign(good, server.app, other.socketId)],
    'of another app': [good, sign(good, server.apps[1])],
    'of other user_data': [good, sign('{"id":"you"}')],
    'of a channel': [good, channelAuth(server.app, socket.socketId, ':user', good)],
    'truncated': [good, sign(good).slice(0, -1)],
    'upper-case': [good, sign(good).toUpperCase()],
    'empty': [good, ''],
    'no id': ['{}', sign('{}')],
    'an empty id': ['{"id":""}', sign('{"id":""}')],
    'id a number': ['{"id":7}', sign('{"id":7}')],
    'id null': ['{"id":null}', sign('{"id":null}')],
    'not an object': ['"me"', sign('"me"')],
    'not JSON': ['me', sign('me')],
    'watchlist not a list': ['{"id":"me","watchlist":"x"}', sign('{"id":"me","watchlist":"x"}')],
    'watchlist of numbers': ['{"id":"me","watchlist":[1]}', sign('{"id":"me","watchlist":[1]}')],
    'an id too long': [JSON.stringify({ id: 'u'.repeat(129) }), sign(JSON.stringify({ id: 'u'.repeat(129) }))],
  };
  for (const [what, [user_data, auth]] of Object.entries(cases)) {
    await socket.signin(user_data, { auth, wait: false });
    const { code, message } = await socket.error();
    assert.equal(code, 4009, `${what}: ${message}`);
    assert.ok(!message.includes(server.app.secret) && !message.includes(sign(good).split(':')[1]), what);
    await socket.alive();
  }
  assert.ok(!socket.messages.items.some(({ event }) => event === 'pusher:signin_success'));
  await socket.send({ event: 'pusher:subscribe', data: { channel: '#server-to-user-me', auth: '' } });
  assert.match((await socket.messages.take()).event, /error$/);
});

test('P-056 sendToUser reaches all connections of a user and nobody else', async () => {
  const [me, you] = [userId(), userId()];
  const sockets = await server.connectAll(3);
  for (const [n, socket] of sockets.entries()) {
    const id = n < 2 ? me : you;
    await socket.signin({ id });
    await socket.subscribe(`#server-to-user-${id}`);
  }
  await server.library().sendToUser(me, 'letter', { text: 'hello' });
  for (const socket of sockets.slice(0, 2)) {
    const message = await socket.event('letter');
    assert.equal(message.channel, `#server-to-user-${me}`);
    assert.equal(message.data, '{"text":"hello"}');
  }
  await sockets[2].fence(`#server-to-user-${you}`);
  assert.ok(!sockets[2].messages.items.some(({ event }) => event === 'letter'));
});

test('P-056 ids of every form that server libraries allow', async () => {
  for (const id of ['1', 'a.b;c,d=e@f_g-h', 'u'.repeat(128)]) {
    const socket = await server.connect();
    await socket.signin({ id });
    await socket.subscribe(`#server-to-user-${id}`);
    await server.library().sendToUser(id, 'letter', 'x');
    await socket.event('letter');
  }
});

test('P-057 terminate closes all of a user\'s connections with 4009, and no others', async () => {
  const [me, you] = [userId(), userId()];
  const sockets = await server.connectAll(4);
  const channel = fresh();
  for (const [n, socket] of sockets.entries()) {
    if (n < 3) await socket.signin({ id: n < 2 ? me : you });
    await socket.subscribe(channel);
  }
  const answer = await server.library().terminateUserConnections(me);
  assert.deepEqual(await answer.json(), {});
  for (const socket of sockets.slice(0, 2)) assert.equal((await socket.closed()).code, 4009);
  for (const socket of sockets.slice(2)) await socket.alive();
  const again = await server.api.post(`/users/${me}/terminate_connections`, {});
  assert.equal(again.status, 200, 'nobody to terminate is no mistake');
  const back = await server.connect();
  await back.signin({ id: me });
  await back.alive();
});
