// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 2: wrong messages are answered by an error and the connection lives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { fresh, member } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({});

const channel = 'some-channel';
const WRONG = {
  'nothing': '',
  'a space': ' ',
  'not JSON': 'hello',
  'half of an object': '{"event":"pusher:ping"',
  'two objects': '{"event":"pusher:ping"}{"event":"pusher:ping"}',
  'single quotes': "{'event':'pusher:ping'}",
  'a raw control character in a string': '{"event":"pusher:\u0001ping"}',
  'a lone surrogate': '{"event":"\\ud800"}',
  'a number with a leading zero': '{"event":"pusher:ping","data":01}',
  'NaN': '{"event":"pusher:ping","data":NaN}',
  ...Object.fromEntries(Object.entries({
    'null': null, 'a number': 42, 'a string': 'pusher:ping', 'true': true, 'an array': [1, 2],
    'an array of messages': [{ event: 'pusher:ping' }],
    'an empty object': {},
    'no event': { data: {}, channel },
    'event null': { event: null }, 'event a number': { event: 1 }, 'event an array': { event: ['pusher:ping'] },
    'event an object': { event: {} }, 'event empty': { event: '' },
    'an unknown pusher: event': { event: 'pusher:nothing' },
    'an internal event': { event: 'pusher_internal:member_added', channel, data: '{}' },
    'an event without the client- prefix': { event: 'hello', channel, data: 'x' },
    'subscribe without data': { event: 'pusher:subscribe' },
    'subscribe with data null': { event: 'pusher:subscribe', data: null },
    'subscribe with data a string': { event: 'pusher:subscribe', data: JSON.stringify({ channel }) },
    'subscribe with data an array': { event: 'pusher:subscribe', data: [channel] },
    'subscribe with data a number': { event: 'pusher:subscribe', data: 7 },
    'subscribe without a channel': { event: 'pusher:subscribe', data: {} },
    'subscribe with channel a number': { event: 'pusher:subscribe', data: { channel: 5 } },
    'subscribe with channel an object': { event: 'pusher:subscribe', data: { channel: { name: channel } } },
    'subscribe with channel null': { event: 'pusher:subscribe', data: { channel: null } },
    'unsubscribe without data': { event: 'pusher:unsubscribe' },
    'unsubscribe with channel an array': { event: 'pusher:unsubscribe', data: { channel: [channel] } },
    'signin without data': { event: 'pusher:signin' },
    'signin with data a string': { event: 'pusher:signin', data: 'me' },
    'signin with user_data an object': { event: 'pusher:signin', data: { auth: 'x:y', user_data: {} } },
    'signin without auth': { event: 'pusher:signin', data: { user_data: '{"id":"1"}' } },
    'a client event without a channel': { event: 'client-x', data: 'x' },
    'a client event with channel a number': { event: 'client-x', channel: 1, data: 'x' },
  }).map(([what, message]) => [what, JSON.stringify(message)])),
};

for (const [what, text] of Object.entries(WRONG)) {
  test(`P-012 ${what}: an error that says what to do, and the connection lives`, async () => {
    const socket = await server.connect();
    await socket.sendText(text);
    const error = await socket.error();
    assert.ok(error.code === null || error.code === undefined || Number.isInteger(error.code), `code ${error.code}`);
    assert.equal(typeof error.message, 'string');
    assert.ok(error.message.length >= 10 && error.message.length < 500, error.message);
    await socket.alive();
    assert.deepEqual(socket.messages.items, [], 'one error per mistake');
    await socket.close();
  });
}

test('P-012 auth and channel_data of wrong types are refused on that channel or by an error', async () => {
  const socket = await server.connect();
  for (const wrong of [{ auth: 1 }, { auth: null }, { auth: {} }, { auth: [] }, { auth: true }]) {
    const name = fresh('private-');
    await socket.send({ event: 'pusher:subscribe', data: { channel: name, ...wrong } });
    const refusal = await socket.messages.take();
    assert.match(refusal.event, /^pusher:(subscription_error|error)$/);
    await socket.alive();
  }
  for (const channel_data of [1, {}, [], true]) {
    const name = fresh('presence-');
    await socket.send({ event: 'pusher:subscribe', data: { channel: name, auth: 'x:y', channel_data } });
    assert.match((await socket.messages.take()).event, /^pusher:(subscription_error|error)$/);
    await socket.alive();
  }
});

test('P-012 keys that nobody knows are ignored', async () => {
  const name = fresh();
  const socket = await server.connect();
  await socket.send({ extra: [1], event: 'pusher:subscribe', data: { more: {}, channel: name, auth: '' }, id: 7 });
  await socket.subscribed(name);
});

test('P-012 a binary frame is answered by an error and dropped', async () => {
  const socket = await server.connect();
  const name = fresh();
  await socket.write(frames.frame(frames.BINARY, JSON.stringify(socket.subscription(name))));
  await socket.error();
  await socket.alive();
  const { json } = await server.api.get(`/channels/${name}`);
  assert.equal(json.occupied, false);
});

const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const DEEP = {
  'the message itself': deep(30_000),
  'objects in the message': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'half of it': '['.repeat(60_000),
  'data of a ping': `{"event":"pusher:ping","data":${deep(30_000)}}`,
  'data of a subscribe': `{"event":"pusher:subscribe","data":${deep(30_000)}}`,
  'an ignored key': `{"event":"pusher:ping","x":${deep(30_000)}}`,
  'data of a client event': `{"event":"client-x","channel":"private-x","data":${deep(30_000)}}`,
};

for (const [where, text] of Object.entries(DEEP)) {
  test(`P-013 JSON nested 30,000 deep neither kills nor stalls: ${where}`, async () => {
    const [socket, bystander] = await server.connectAll(2);
    const start = performance.now();
    await socket.sendText(text);
    await socket.messages.take(({ event }) => /^pusher:(error|pong)$/.test(event));
    await bystander.alive();
    assert.ok(performance.now() - start < 1_000, 'it took longer than a second');
    await socket.alive();
  });
}

test('P-013 deep channel_data and user_data are refused like any other wrong ones', async () => {
  const socket = await server.connect();
  const data = `{"user_id":"1","user_info":${deep(20_000)}}`;
  await socket.send(socket.subscription(fresh('presence-'), { data }));
  assert.match((await socket.messages.take()).event, /^pusher:(subscription_error|error)$/);
  await socket.signin(`{"id":"1","user_info":${deep(20_000)}}`, { wait: false });
  await socket.messages.take(({ event }) => /^pusher:(error|signin_success)$/.test(event));
  await socket.alive();
});

test('P-013 deep JSON in an HTTP body is answered, and quickly', async () => {
  for (const body of [deep(400_000), `{"name":"x","channel":"c","data":${deep(5_000)}}`, '['.repeat(800_000)]) {
    const start = performance.now();
    const answer = await server.api.post('/events', body);
    assert.ok(answer.status === 200 || (answer.status >= 400 && answer.status < 500), String(answer.status));
    assert.ok(performance.now() - start < 2_000);
  }
});

for (const name of ['pusher:anything', 'pusher_internal:subscription_succeeded', 'pusher_internal:x', 'oyez:anything', 'pusher:']) {
  test(`P-015 nobody can publish ${name}, over WebSocket or HTTP`, async () => {
    const [sender, listener] = await server.connectAll(2);
    const room = fresh('presence-');
    await listener.subscribe(room, { data: member('l') });
    await sender.subscribe(room, { data: member('s') });
    await sender.trigger(room, name, 'x');
    await sender.error();
    for (const [path, body] of [
      ['/events', { name, channel: room, data: 'x' }],
      ['/batch_events', { batch: [{ name: 'fine', channel: room, data: 'x' }, { name, channel: room, data: 'x' }] }],
    ]) {
      const answer = await server.api.post(path, body);
      assert.equal(answer.status, 400, answer.text);
      assert.match(answer.json.error, /name/);
    }
    const seen = await listener.fence(room);
    assert.deepEqual(seen.map(({ event }) => event).filter((event) => !/member/.test(event)), []);
  });
}
