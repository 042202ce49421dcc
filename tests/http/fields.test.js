// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 6: what a body must hold, the edges of each limit, all or nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/http.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({});
const event = (change) => ({ name: 'event', channel: 'c', data: 'x', ...change });
const without = (key) => {
  const { [key]: _, ...rest } = event();
  return rest;
};

/** Body of POST /events, and what the error must name. */
const WRONG = {
  'not JSON': ['hello', /JSON/],
  'half of it': ['{"name":"x"', /JSON|line 1/],
  'two values': ['{}{}', /JSON|line 1/],
  'an array': [[], /object/],
  'a string': ['"x"', /object/],
  'null': ['null', /object/],
  'no name': [without('name'), /name/],
  'name null': [event({ name: null }), /name/],
  'name a number': [event({ name: 1 }), /name/],
  'name empty': [event({ name: '' }), /name/],
  'name a list': [event({ name: ['x'] }), /name/],
  'no data': [without('data'), /data/],
  'no channel': [without('channel'), /channel/],
  'channel a number': [event({ channel: 1 }), /channel/],
  'channel a list': [event({ channel: ['c'] }), /channel/],
  'channel empty': [event({ channel: '' }), /channel/],
  'channels a string': [event({ channel: undefined, channels: 'c' }), /channels/],
  'channels empty': [event({ channel: undefined, channels: [] }), /channels/],
  'channels of numbers': [event({ channel: undefined, channels: [1] }), /channels/],
  'channels an object': [event({ channel: undefined, channels: { a: 1 } }), /channels/],
  'a bad name among channels': [event({ channel: undefined, channels: ['fine', 'not fine'] }), /channels/],
  'socket_id a number': [event({ socket_id: 1.5 }), /socket_id/],
  'socket_id a word': [event({ socket_id: 'me' }), /socket_id/],
  'socket_id with more behind it': [event({ socket_id: '1.2\n3' }), /socket_id/],
  'info a number': [event({ info: 1 }), /info/],
  'info unknown': [event({ info: 'weather' }), /info/],
};

for (const [what, [body, names]] of Object.entries(WRONG)) {
  test(`P-066 /events with ${what}: 400 that names it`, async () => {
    const answer = await server.api.post('/events', body);
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.json.error, names);
    assert.match(answer.json.code, /^[a-z0-9_]+$/);
    if (answer.json.field !== undefined) assert.match(answer.json.field, names);
  });
}

const WRONG_BATCH = {
  'no batch': [{}, /batch/],
  'batch a string': [{ batch: 'x' }, /batch/],
  'batch an object': [{ batch: {} }, /batch/],
  'batch of strings': [{ batch: ['x'] }, /batch/],
  'an item without name': [{ batch: [event(), without('name')] }, /batch.*1.*name/],
  'an item without channel': [{ batch: [without('channel')] }, /batch.*0.*channel/],
  'an item without data': [{ batch: [event(), event(), without('data')] }, /batch.*2.*data/],
  'an item with a bad channel': [{ batch: [event({ channel: 'no way' })] }, /batch.*0.*channel/],
  'an item with a bad socket_id': [{ batch: [event({ socket_id: 'x' })] }, /batch.*0.*socket_id/],
};

for (const [what, [body, names]] of Object.entries(WRONG_BATCH)) {
  test(`P-066 /batch_events with ${what}: 400 that names it`, async () => {
    const answer = await server.api.post('/batch_events', body);
    assert.equal(answer.status, 400, answer.text);
    assert.match(`${answer.json.error} ${answer.json.field ?? ''}`, names);
  });
}

test('P-066 data of any JSON type is taken as its compact text', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  for (const [data, text] of [['{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'], ['42', '42'], ['true', 'true'], ['[]', '[]'], ['"s"', 's']]) {
    const answer = await server.api.post('/events', `{"name":"event","channel":"${channel}","data":${data}}`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await socket.event('event', channel)).data, text);
  }
});

test('P-066 channel and channels, and fields that nobody knows', async () => {
  const [a, b] = [fresh(), fresh()];
  const socket = await server.connect();
  await socket.subscribe(a);
  await socket.subscribe(b);
  assert.equal((await server.api.post('/events', { name: 'one', channel: a, data: '', more: { x: 1 } })).status, 200);
  assert.equal((await server.api.post('/events', { name: 'two', channels: [a, b], data: '' })).status, 200);
  await socket.event('one', a);
  await socket.event('two', a);
  await socket.event('two', b);
  const twice = await server.api.post('/events', { name: 'three', channels: [a, a], data: '' });
  if (twice.status === 200) {
    await socket.event('three', a);
    assert.deepEqual(await socket.fence(a), [], 'a channel named twice gets the event once');
  } else assert.equal(twice.status, 400);
});

test('P-067 channels: 100 yes, 101 no', async () => {
  const channels = Array.from({ length: 101 }, () => fresh());
  assert.equal((await server.api.post('/events', { name: 'e', data: '', channels: channels.slice(1) })).status, 200);
  const over = await server.api.post('/events', { name: 'e', data: '', channels });
  assert.equal(over.status, 400);
  assert.match(over.json.error, /channels.*100|100.*channels/);
});

test('P-067 batch: 10 yes, 11 no', async () => {
  const batch = Array.from({ length: 11 }, () => event({ channel: fresh() }));
  assert.equal((await server.api.post('/batch_events', { batch: batch.slice(1) })).status, 200);
  const over = await server.api.post('/batch_events', { batch });
  assert.equal(over.status, 400);
  assert.match(over.json.error, /batch.*10|10.*batch/);
});

test('P-067 event name: 200 characters yes, 201 no', async () => {
  for (const letter of ['n', 'é', '💥']) {
    assert.equal((await server.api.post('/events', event({ name: letter.repeat(200) }))).status, 200, letter);
    const over = await server.api.post('/events', event({ name: letter.repeat(201) }));
    assert.equal(over.status, 400, letter);
    assert.match(over.json.error, /name.*200|200.*name/);
  }
});

test('P-067 data: 10,240 bytes yes, 10,241 no', async () => {
  assert.equal((await server.api.post('/events', event({ data: 'x'.repeat(10_240) }))).status, 200);
  for (const data of ['x'.repeat(10_241), `x${'é'.repeat(5_120)}`]) {
    const over = await server.api.post('/events', event({ data }));
    assert.equal(over.status, 413);
    assert.match(over.json.error, /data/);
    assert.match(over.json.error, /10240|10,240|10 KB/);
  }
  const batch = await server.api.post('/batch_events', { batch: [event(), event({ data: 'x'.repeat(10_241) })] });
  assert.equal(batch.status, 413);
});

test('P-067 the limits are counted after decoding, not on the wire', async () => {
  const data = '\\u0041'.repeat(10_240);
  const answer = await server.api.post('/events', `{"name":"e","channel":"c","data":"${data}"}`);
  assert.equal(answer.status, 200, answer.text);
});

test('P-068 a call that is refused publishes nothing', async () => {
  const [good, other] = [fresh(), fresh()];
  const socket = await server.connect();
  await socket.subscribe(good);
  await socket.subscribe(other);
  const refused = [
    ['/events', { name: 'e', channels: [good, 'not a name'], data: 'x' }],
    ['/events', { name: 'e', channels: [good, other], data: 'x', info: 'user_count' }],
    ['/events', { name: 'e', channels: ['private-encrypted-a', good], data: 'x' }],
    ['/events', { name: 'e', channel: good, data: 'x', socket_id: 'nobody' }],
    ['/batch_events', { batch: [event({ channel: good }), event({ channel: 'not a name' })] }],
    ['/batch_events', { batch: [event({ channel: good }), event({ channel: other, name: 'pusher:x' })] }],
    ['/batch_events', { batch: [event({ channel: good }), event({ channel: other, data: 'x'.repeat(10_241) })] }],
    ['/batch_events', { batch: Array.from({ length: 11 }, () => event({ channel: good })) }],
  ];
  for (const [path, body] of refused) {
    const answer = await server.api.post(path, body);
    assert.ok([400, 413].includes(answer.status), `${answer.status} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await socket.fence(good), []);
  assert.deepEqual(await socket.fence(other), []);
});

test('P-052 two encrypted channels in one publish, or one among others: 400', async () => {
  const encrypted = () => fresh('private-encrypted-');
  for (const channels of [[encrypted(), encrypted()], [encrypted(), fresh('private-encrypted-cache-')]]) {
    const answer = await server.api.post('/events', { name: 'e', channels, data: '{"nonce":"","ciphertext":""}' });
    assert.equal(answer.status, 400, JSON.stringify(channels));
    assert.match(answer.json.error, /encrypted/);
  }
  assert.equal((await server.api.post('/events', { name: 'e', channels: [encrypted()], data: '{}' })).status, 200);
});

test('P-066 unknown paths are 404, wrong methods 405 with Allow', async () => {
  for (const path of ['/nothing', '/events/more', '/channels/c/nothing', '/users', '/']) {
    assert.equal((await server.api.get(path)).status, 404, path);
  }
  for (const [method, path, allow] of [['GET', '/events', 'POST'], ['DELETE', '/events', 'POST'], ['POST', '/channels', 'GET'], ['PUT', '/batch_events', 'POST']]) {
    const answer = await server.api.call(method, path);
    assert.equal(answer.status, 405, `${method} ${path}`);
    assert.match(answer.headers.allow, new RegExp(allow));
  }
  assert.equal((await request(server.port, { path: '/no/such/page' })).status, 404);
});
