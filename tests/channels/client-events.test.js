// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3, "Client events".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { eventually } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';

const server = await useServer({});

/** Sockets subscribed to a fresh channel of that prefix. */
async function room(prefix, count, on = server) {
  const channel = fresh(prefix);
  const sockets = await on.connectAll(count);
  for (const [n, socket] of sockets.entries()) {
    await socket.subscribe(channel, { data: prefix.startsWith('presence') ? member(`u${n}`) : undefined });
  }
  return { channel, sockets };
}

const clientEvents = (messages) => messages.filter(({ event }) => event.startsWith('client-'));

for (const prefix of ['private-', 'presence-', 'private-cache-', 'presence-cache-']) {
  test(`P-039 a client event on ${prefix} goes to all others, not to the sender`, async () => {
    const { channel, sockets } = await room(prefix, 3);
    const [sender, ...others] = sockets;
    await sender.trigger(channel, 'client-moved', { x: 1 });
    for (const other of others) {
      const message = await other.event('client-moved', channel);
      assert.equal(message.data, '{"x":1}');
      assert.deepEqual(Object.keys(message).filter((key) => !['raw', 'seq', 'user_id'].includes(key)), ['event', 'channel', 'data']);
    }
    assert.deepEqual(clientEvents(await sender.fence(channel)), []);
  });
}

test('P-040 on presence channels user_id is the sender\'s, whatever the message says; elsewhere there is none', async () => {
  const { channel, sockets: [sender, other] } = await room('presence-', 2);
  await sender.send({ event: 'client-x', channel, data: { user_id: 'u1' }, user_id: 'u1' });
  const message = await other.event('client-x', channel);
  assert.strictEqual(message.user_id, 'u0');
  const plain = await room('private-', 2);
  await plain.sockets[0].send({ event: 'client-x', channel: plain.channel, data: 'x', user_id: 'somebody' });
  assert.ok(!('user_id' in await plain.sockets[1].event('client-x')));
});

test('P-041 refused without a subscription, and after unsubscribing', async () => {
  const { channel, sockets: [sender, listener] } = await room('private-', 2);
  const stranger = await server.connect();
  await stranger.trigger(channel, 'client-x', 'x');
  assert.match((await stranger.error()).message, /subscri/i);
  await sender.unsubscribe(channel);
  await sender.trigger(channel, 'client-x', 'x');
  await sender.error();
  assert.deepEqual(clientEvents(await listener.fence(channel)), []);
});

for (const prefix of ['', 'cache-', 'private-encrypted-', 'private-encrypted-cache-']) {
  test(`P-041 refused on ${prefix || 'public'} channels`, async () => {
    const { channel, sockets: [sender, listener] } = await room(prefix, 2);
    await sender.trigger(channel, 'client-x', 'x');
    const { message } = await sender.error();
    assert.match(message, /private|presence/);
    assert.deepEqual(clientEvents(await listener.fence(channel)), []);
    await sender.alive();
  });
}

test('P-041 refused on a channel whose name is wrong, and on the user\'s own channel', async () => {
  const socket = await server.connect();
  await socket.signin({ id: '9' });
  await socket.subscribe('#server-to-user-9');
  for (const channel of ['private-no way', '#server-to-user-9', '', 'private-']) {
    await socket.trigger(channel, 'client-x', 'x');
    await socket.error();
  }
  await socket.alive();
});

test('P-042 an app without client events refuses them, naming the setting', async (t) => {
  const own = await serverFor(t, { app: { client_events: false } });
  const { channel, sockets: [sender, listener] } = await room('private-', 2, own);
  await sender.trigger(channel, 'client-x', 'x');
  assert.match((await sender.error()).message, /client_events/);
  assert.deepEqual(clientEvents(await listener.fence(channel)), []);
  await sender.alive();
});

test('P-043 beyond ten at once: 4301, the first ten in order, the connection lives and may send again', async () => {
  const { channel, sockets: [sender, listener] } = await room('private-', 2);
  const burst = Array.from({ length: 15 }, (_, n) => frames.json({ event: 'client-n', channel, data: String(n) }));
  await sender.write(Buffer.concat(burst));
  await sender.alive();
  const errors = sender.messages.drain();
  assert.ok(errors.length >= 4 && errors.length <= 5, `${errors.length} errors`);
  for (const { event, data } of errors) assert.deepEqual([event, data.code], ['pusher:error', 4301]);
  assert.match(errors[0].data.message, /10/);
  const seen = clientEvents(await listener.fence(channel)).map(({ data }) => Number(data));
  assert.deepEqual(seen, Array.from({ length: 15 - errors.length }, (_, n) => n));
  await eventually(async () => {
    await sender.trigger(channel, 'client-again', 'x');
    await sender.alive();
    return !sender.messages.drain().some(({ event }) => event === 'pusher:error');
  }, 'a place for another client event', 3_000);
  await listener.event('client-again', channel);
});

test('P-043 the rate is each connection\'s own', async () => {
  const { channel, sockets } = await room('private-', 4);
  for (const socket of sockets.slice(0, 3)) {
    await socket.write(Buffer.concat(Array.from({ length: 10 }, () => frames.json({ event: 'client-n', channel, data: '' }))));
  }
  await sockets[3].messages.until((all) => clientEvents(all).length === 30, 'thirty events');
  await sockets[0].alive();
  assert.ok(!sockets[0].messages.items.some(({ event }) => event === 'pusher:error'));
});

test('P-044 data of 10 KB is delivered, one byte more is refused by name', async () => {
  const { channel, sockets: [sender, listener] } = await room('private-', 2);
  const fits = 'x'.repeat(10_240);
  await sender.trigger(channel, 'client-big', fits);
  assert.equal((await listener.event('client-big', channel)).data, fits);
  await sender.trigger(channel, 'client-big', `${fits}x`);
  const { message } = await sender.error();
  assert.match(message, /10240|10 KB|event_data_bytes/);
  await sender.trigger(channel, `client-${'n'.repeat(194)}`, 'x'); // a name of 201 characters
  assert.match((await sender.error()).message, /200|event_name/);
  assert.deepEqual(clientEvents(await listener.fence(channel)), []);
});

test('P-045 a string arrives as that string, anything else as its compact JSON', async () => {
  const { channel, sockets: [sender, listener] } = await room('private-', 2);
  const cases = [
    ['"a \\"quoted\\" string"', 'a "quoted" string'],
    ['""', ''],
    ['"{ \\"a\\" : 1 }"', '{ "a" : 1 }'],
    ['{ "b" : 1 ,\n "a" : [ true , null ] }', '{"b":1,"a":[true,null]}'],
    ['[ ]', '[]'],
    [' 42 ', '42'],
    ['"é💥"', 'é💥'],
    ['{"é": "💥 with  spaces"}', '{"é":"💥 with  spaces"}'],
  ];
  for (const [sent, expected] of cases) {
    await sender.sendText(`{"event":"client-x","channel":"${channel}","data":${sent}}`);
    assert.equal((await listener.event('client-x', channel)).data, expected);
  }
  await sender.sendText(`{"event":"client-x","channel":"${channel}","data":{"n":12345678901234567890,"f":1.50,"e":1E3}}`);
  assert.equal((await listener.event('client-x', channel)).data, '{"n":12345678901234567890,"f":1.50,"e":1E3}', 'numbers are not re-encoded');
});
