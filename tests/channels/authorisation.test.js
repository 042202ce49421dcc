// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3, "Authorisation": who may subscribe, and what a wrong signature gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, fresh, member } from '../support/names.js';
import { useServer } from '../support/server.js';
import { channelAuth, hmac, userAuth } from '../support/sign.js';

const server = await useServer({ apps: [{}, { id: '2', key: 'other-key', secret: 'other-secret' }] });
const SIGNED = KINDS.filter(({ signed }) => signed);

const flip = (auth) => auth.slice(0, -1) + (auth.endsWith('0') ? '1' : '0');

/** Signatures that must not open `channel` for `socket`; `good` is the one that would. */
function wrong(socket, other, channel, data, good) {
  const [key, signature] = good.split(':');
  const sign = (id, name, text = data) => channelAuth(server.app, id, name, text);
  return {
    'another socket\'s': sign(other.socketId, channel),
    'another channel\'s': sign(socket.socketId, `${channel}x`),
    'another app\'s': channelAuth(server.apps[1], socket.socketId, channel, data),
    'another app\'s, under this key': `${key}:${channelAuth(server.apps[1], socket.socketId, channel, data).split(':')[1]}`,
    'this one under another key': `other-key:${signature}`,
    'this one under no key': signature,
    'an empty key': `:${signature}`,
    'truncated': good.slice(0, -1),
    'truncated to nothing': `${key}:`,
    'prolonged': `${good}0`,
    'one bit off': flip(good),
    'upper-case': `${key}:${signature.toUpperCase()}`,
    'with spaces': `${key}: ${signature}`,
    'not hex': `${key}:${'zz'.repeat(32)}`,
    'zeros': `${key}:${'00'.repeat(32)}`,
    'an empty string': '',
    'a word': 'please',
    'with a NUL': `${key}:\u0000${signature}`,
    'a user\'s sign-in': userAuth(server.app, socket.socketId, data ?? '{}'),
    ...(data === undefined
      ? { 'signed with channel_data that is not there': sign(socket.socketId, channel, '{}') }
      : { 'signed without its channel_data': channelAuth(server.app, socket.socketId, channel),
          'of other channel_data': sign(socket.socketId, channel, JSON.stringify(member('somebody-else'))),
          'of the same channel_data spaced otherwise': sign(socket.socketId, channel, data.replace(':', ': ')) }),
  };
}

for (const { prefix, presence } of SIGNED) {
  test(`P-024 every wrong signature on ${prefix} is refused by subscription_error, and the connection lives`, async () => {
    const [socket, other] = await server.connectAll(2);
    const channel = fresh(prefix);
    const data = presence ? JSON.stringify(member('me')) : undefined;
    const good = channelAuth(server.app, socket.socketId, channel, data);
    for (const [what, auth] of Object.entries(wrong(socket, other, channel, data, good))) {
      const refusal = await socket.refused(channel, { auth, data });
      assert.equal(refusal.type, 'AuthError', what);
      assert.equal(refusal.status, 401, what);
      assert.equal(typeof refusal.error, 'string');
      assert.ok(!refusal.error.includes(good.split(':')[1]), 'the error tells the signature that was expected');
      assert.ok(!refusal.error.includes(server.app.secret));
    }
    await socket.alive();
    assert.equal((await server.api.get(`/channels/${channel}`)).json.occupied, false);
    await socket.subscribe(channel, { auth: good, data });
  });
}

test('P-024 the refusal says which string had to be signed', async () => {
  const socket = await server.connect();
  const [plain, room] = [fresh('private-'), fresh('presence-')];
  const first = await socket.refused(plain, { auth: 'app-key:00' });
  assert.ok(first.error.includes(`${socket.socketId}:${plain}`), first.error);
  const second = await socket.refused(room, { auth: 'app-key:00', data: '{"user_id":"1"}' });
  assert.ok(second.error.includes(`${socket.socketId}:${room}`), second.error);
});

test('P-025 a private channel whose signature covers channel_data', async () => {
  const socket = await server.connect();
  for (const prefix of ['private-', 'private-cache-', 'private-encrypted-']) {
    const data = JSON.stringify({ user_id: 'x', user_info: { any: ['thing'] } });
    await socket.subscribe(fresh(prefix), { data });
    const channel = fresh(prefix);
    await socket.refused(channel, { data, auth: channelAuth(server.app, socket.socketId, channel) });
    await socket.subscribe(fresh(prefix), { data: 'not even JSON' });
  }
});

test('P-025 the signature covers the bytes of channel_data as they were received', async () => {
  const socket = await server.connect();
  for (const data of ['{"user_id": "spaced" }', '{"user_id":"\\u0065scaped"}', '{"user_id":"grün","user_info":{"n":"é\\"\\\\ 💥"}}']) {
    await socket.subscribe(fresh('presence-'), { data });
  }
});

test('P-028 the worked examples of the authorisation documentation', async () => {
  const app = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' };
  assert.equal(channelAuth(app, '1234.1234', 'private-foobar'),
    '278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4');
  assert.equal(channelAuth(app, '1234.1234', 'presence-foobar', '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'),
    '278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80');
  assert.equal(userAuth(app, '1234.1234', '{"id":"12345"}'),
    '278d425bdf160c739803:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba');
  const socket = await server.connect();
  const text = `${socket.socketId}:private-foobar`;
  await socket.subscribe('private-foobar', { auth: `${server.app.key}:${hmac(server.app.secret, text)}` });
  await socket.subscribe('presence-foobar', { data: '{"user_id":10,"user_info":{"name":"Mr. Channels"}}' });
});

test('P-056 nobody can subscribe to a user\'s channel but that user, signed or not', async () => {
  const socket = await server.connect();
  const channel = '#server-to-user-7';
  for (const auth of ['', channelAuth(server.app, socket.socketId, channel)]) {
    const { event, data } = await (socket.send({ event: 'pusher:subscribe', data: { channel, auth } }), socket.messages.take());
    assert.match(event, /^pusher:(subscription_error|error)$/);
    assert.ok(data.status === undefined || [401, 403].includes(data.status));
  }
  await socket.signin({ id: '77' });
  for (const name of [channel, '#server-to-user-', '#server-to-user-77 ', '#server-to-user-777', '#server-to-user']) {
    await socket.send({ event: 'pusher:subscribe', data: { channel: name, auth: '' } });
    assert.match((await socket.messages.take()).event, /^pusher:(subscription_error|error)$/, name);
  }
  await socket.subscribe('#server-to-user-77');
  await socket.alive();
});
