// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3: names, kinds, subscribing and unsubscribing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { KINDS, fresh, member } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';

const server = await useServer({});
const dataFor = ({ presence }) => (presence ? member('me') : undefined);

for (const kind of KINDS) {
  test(`P-017 ${kind.prefix || 'public'} channels answer a subscribe with the success frame`, async () => {
    const channel = fresh(kind.prefix);
    const socket = await server.connect();
    await socket.send(socket.subscription(channel, { data: dataFor(kind) }));
    const answer = await socket.event('pusher_internal:subscription_succeeded');
    assert.equal(answer.channel, channel);
    assert.equal(typeof answer.data, 'string');
    const data = JSON.parse(answer.data);
    assert.equal('presence' in data, kind.presence);
    if (!kind.presence && !kind.cache) assert.equal(answer.data, '{}');
    if (kind.cache) assert.equal((await socket.event('pusher:cache_miss')).channel, channel);
    await server.api.publish(channel, 'event', 'x');
    assert.equal((await socket.event('event', channel)).data, 'x');
  });
}

test('P-017 public channels take an empty auth, none, and whatever else stands there', async () => {
  const socket = await server.connect();
  for (const more of [{ auth: '' }, {}, { auth: 'app-key:nonsense' }, { auth: null }]) {
    const channel = fresh();
    await socket.send({ event: 'pusher:subscribe', data: { channel, ...more } });
    await socket.subscribed(channel);
  }
});

const BAD = [
  '', ' ', 'with space', 'slash/y', 'back\\slash', 'hash#', '#', '#private', '#server-to-user', 'ümlaut', '频道', '💥', 'a:b', 'a+b', 'a*b',
  'a?b', 'a\u0000b', 'a\nb', '"quoted"', "it's", '<b>', '{}', 'a%20b', 'a!b', '~', '|', '^', '`', '(x)', '[x]', 'a&b', '$',
];
for (const name of BAD) {
  test(`P-018 ${JSON.stringify(name)} is no channel name, and the error lists what is allowed`, async () => {
    const socket = await server.connect();
    await socket.send({ event: 'pusher:subscribe', data: { channel: name, auth: '' } });
    const { event, data } = await socket.messages.take();
    assert.match(event, /^pusher:(error|subscription_error)$/);
    const text = data.message ?? data.error;
    if (name !== '' && !name.startsWith('#')) assert.match(text, /_ ?- ?= ?@ ?, ?\. ?;/);
    await socket.alive();
    if (name === '') return;
    const answer = await server.api.post('/events', { name: 'e', channel: name, data: 'x' });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.json.error, /channel/);
  });
}

test('P-018 every allowed character may stand in a name, over WebSocket and HTTP', async () => {
  const channel = 'ABCXYZabcxyz0189_-=@,.;';
  const socket = await server.connect();
  await socket.subscribe(channel);
  await server.api.publish(channel, 'event', 'x');
  await socket.event('event', channel);
  assert.equal((await server.api.get(`/channels/${channel}`)).json.occupied, true);
  assert.equal((await server.api.get(`/channels/${encodeURIComponent(channel)}`)).json.occupied, true);
});

test('P-019 a name has 1 to 164 characters', async () => {
  const socket = await server.connect();
  for (const length of [1, 163, 164]) await socket.subscribe('n'.repeat(length));
  const { code } = await (async () => {
    await socket.send({ event: 'pusher:subscribe', data: { channel: 'n'.repeat(165), auth: '' } });
    const { event, data } = await socket.messages.take();
    assert.match(event, /^pusher:(error|subscription_error)$/);
    assert.match(data.message ?? data.error, /164/);
    return data;
  })();
  assert.ok(code === undefined || code === null || Number.isInteger(code));
  const answer = await server.api.post('/events', { name: 'e', channel: 'n'.repeat(165), data: 'x' });
  assert.equal(answer.status, 400);
  assert.match(answer.json.error, /164/);
});

test('P-019 the limit of names is configurable', async (t) => {
  const own = await serverFor(t, { limits: { channel_name: 200 } });
  const socket = await own.connect();
  const channel = `private-${'n'.repeat(192)}`;
  await socket.subscribe(channel);
  await own.library().trigger(channel, 'event', 'x');
  await socket.event('event', channel);
  await socket.send({ event: 'pusher:subscribe', data: { channel: 'n'.repeat(201), auth: '' } });
  assert.match((await socket.messages.take()).event, /error$/);
});

for (const kind of KINDS) {
  test(`P-020 a duplicate subscribe of a ${kind.prefix || 'public'} channel changes nothing`, async () => {
    const channel = fresh(kind.prefix);
    const [socket, other] = await server.connectAll(2);
    if (kind.presence) await other.subscribe(channel, { data: member('other') });
    await socket.subscribe(channel, { data: dataFor(kind) });
    if (kind.presence) await other.event('pusher_internal:member_added', channel);
    if (kind.presence && kind.cache) await other.event('pusher:cache_miss', channel);
    await socket.send(socket.subscription(channel, { data: dataFor(kind) }));
    const again = await socket.messages.take(({ event }) => /^pusher:error$|subscription_succeeded$|^pusher:subscription_error$/.test(event));
    if (again.event === 'pusher:error') assert.match(again.data.message, /subscribed/i);
    await server.api.publish(channel, 'once', 'x');
    const seen = (await socket.fence(channel)).filter(({ event }) => event === 'once');
    assert.equal(seen.length, 1);
    if (kind.presence) assert.deepEqual((await other.fence(channel)).map(({ event }) => event), ['once']);
    await socket.unsubscribe(channel); // one subscription: one unsubscribe ends it
    await socket.alive();
    const { json } = await server.api.get(`/channels/${channel}`);
    assert.equal(json.occupied, kind.presence);
  });
}

test('P-021 after unsubscribe nothing comes; unsubscribing what was not joined is harmless', async () => {
  const [channel, fence] = [fresh(), fresh()];
  const socket = await server.connect();
  await socket.subscribe(channel);
  await socket.subscribe(fence);
  for (const name of [fresh(), 'not valid!', '', channel, channel]) await socket.unsubscribe(name);
  await socket.alive();
  await server.api.publish(channel, 'unheard', 'x');
  await socket.fence(fence);
  await socket.alive();
  assert.ok(!socket.messages.items.some(({ event }) => event === 'unheard'));
});

test('P-022 subscribe, unsubscribe, subscribe in one packet: two answers, one subscription', async () => {
  for (const { prefix, presence } of KINDS) {
    const channel = fresh(prefix);
    const socket = await server.connect();
    const subscribe = frames.json(socket.subscription(channel, { data: presence ? member('me') : undefined }));
    const unsubscribe = frames.json({ event: 'pusher:unsubscribe', data: { channel } });
    await socket.write(Buffer.concat([subscribe, unsubscribe, subscribe]));
    for (const _ of ['first', 'second']) await socket.subscribed(channel);
    await server.api.publish(channel, 'once', 'x');
    const seen = await socket.fence(channel);
    assert.equal(seen.filter(({ event }) => event === 'once').length, 1, channel);
    assert.ok(!seen.some(({ event }) => /error|member/.test(event)), channel);
    await socket.write(Buffer.concat([unsubscribe, subscribe, unsubscribe]));
    await socket.alive();
    assert.equal((await server.api.get(`/channels/${channel}`)).json.occupied, false, channel);
    await socket.close();
  }
});

test('P-023 10,000 subscriptions on one socket, when the limits allow it', async (t) => {
  const own = await serverFor(t, { limits: { subscriptions: 10_000 } });
  const [socket, bystander] = await own.connectAll(2);
  const start = performance.now();
  const all = Array.from({ length: 10_000 }, (_, n) => `room-${n}`);
  await socket.write(Buffer.concat(all.map((channel) => frames.json({ event: 'pusher:subscribe', data: { channel, auth: '' } }))));
  await bystander.alive();
  await socket.messages.until((items) => items.length >= 10_000, '10,000 answers', 30_000);
  t.diagnostic(`${Math.round(performance.now() - start)} ms`);
  assert.ok(socket.messages.drain().every(({ event }) => event === 'pusher_internal:subscription_succeeded'));
  await own.api.publish(['room-0', 'room-9999'], 'event', 'x');
  await socket.event('event', 'room-0');
  await socket.event('event', 'room-9999');
  await socket.send({ event: 'pusher:subscribe', data: { channel: 'one-too-many', auth: '' } });
  const { event, data } = await socket.messages.take();
  assert.match(event, /^pusher:(error|subscription_error)$/);
  assert.match(data.message ?? data.error, /subscriptions/);
  await socket.alive();
});

test('P-023 10,000 subscribes in one packet under the default limit: the rest is refused by name, nobody waits', async () => {
  const [socket, bystander] = await server.connectAll(2);
  const packet = Array.from({ length: 10_000 }, () => frames.json({ event: 'pusher:subscribe', data: { channel: fresh(), auth: '' } }));
  await socket.write(Buffer.concat(packet));
  const start = performance.now();
  await bystander.alive();
  assert.ok(performance.now() - start < 1_000);
  await socket.messages.until((items) => items.length >= 10_000, '10,000 answers', 30_000);
  const answers = socket.messages.drain();
  assert.equal(answers.filter(({ event }) => event === 'pusher_internal:subscription_succeeded').length, 1_000);
  assert.ok(answers.slice(-1)[0].raw.includes('subscriptions'));
  await socket.alive();
  socket.vanish();
});

test('P-027 channel and event names are case-sensitive', async () => {
  const channel = fresh('Case');
  const socket = await server.connect();
  await socket.subscribe(channel);
  await server.api.publish(channel.toLowerCase(), 'event', 'wrong channel');
  await server.api.publish(channel, 'Event', 'right');
  const seen = await socket.fence(channel);
  assert.deepEqual(seen.map(({ event, data }) => [event, data]), [['Event', 'right']]);
  for (const prefix of ['Private-', 'PRESENCE-', 'Cache-']) await socket.subscribe(fresh(prefix)); // public ones
});
