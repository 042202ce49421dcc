// SPDX-License-Identifier: MIT OR Apache-2.0
// The cut: a subscriber gets what is remembered and then all that follows, in order and once,
// whatever is published at that moment (G1 to G4).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Inbox } from '../support/inbox.js';
import { Transcript, listen, subscribeAt } from '../support/log.js';
import { fresh, random, seed } from '../support/names.js';
import { clientFor } from '../support/official.js';
import { receiverFor } from '../support/receiver.js';
import { PYTHON, serverFor, useServer } from '../support/server.js';

const channels = [
  { match: 'LOBBY_*', replay: 'latest', history: { events: 256, age: '10m' } },
  { match: 'all-*', replay: 'all', history: { events: 300 } },
  { match: 'kept-*', history: { events: 20 } },
];
const server = await useServer({ app: { channels } });
const SLOW_READER = fileURLToPath(new URL('slow_reader.py', import.meta.url));

test('T-001 an event that nobody heard is the first frame of whoever subscribes', async (t) => {
  await server.library().trigger('LOBBY_1', 'PLAYER_JOIN', ['anna']);
  const client = clientFor(t, server);
  const frames = new Inbox('frames');
  client.bind_global((event, data) => frames.push({ event, data }));
  const channel = client.subscribe('LOBBY_1');
  channel.bind_global((event, data) => frames.push({ event, data }));
  await frames.take(({ event }) => event === 'pusher:subscription_succeeded');
  const next = await frames.take();
  assert.deepEqual(next, { event: 'PLAYER_JOIN', data: ['anna'] });

  const socket = await server.connect();
  const { cut, replay } = await subscribeAt(socket, 'LOBBY_1');
  assert.deepEqual({ ...cut, epoch: '', term: '' }, { epoch: '', term: '', offset: 1, resumed: false, replay: 1 });
  assert.match(cut.epoch, /^[0-9A-Za-z]{8}$/);
  assert.match(cut.term, /^[0-9A-Za-z]{8}$/);
  assert.deepEqual(JSON.parse(replay[0].raw), {
    event: 'PLAYER_JOIN', channel: 'LOBBY_1', data: '["anna"]', offset: 1, replayed: true,
  });
});

/** Runs publishers until `total` events are on the channel; calls `at` after each answer. */
async function publishAll(channel, { writers, each, at = () => {}, text = (n) => String(n) }) {
  const agent = new Agent({ keepAlive: true, maxSockets: writers });
  let answered = 0;
  let next = 0;
  const BATCH = 10;
  const writer = async () => {
    for (let n = 0; n < each; n += BATCH) {
      const size = Math.min(BATCH, each - n);
      const batch = Array.from({ length: size }, () => ({ channel, name: 'e', data: text(++next) }));
      const { status, text: why } = await server.api.post('/batch_events', { batch }, { agent });
      assert.equal(status, 200, why);
      await at(answered += size);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  agent.destroy();
}

/** A raw reader with a tiny receive buffer that takes one byte at a time. */
function slowReader(channel, count, pause) {
  return new Promise((resolve, reject) => {
    const args = [SLOW_READER, String(server.port), server.app.key, channel, String(count), String(pause)];
    const child = execFile(PYTHON, args, { maxBuffer: 1 << 28, timeout: 120_000 }, (error, out) => {
      if (error) reject(error);
      else resolve(out.trim().split('\n').map((line) => JSON.parse(line)));
    });
    child.stderr.on('data', (text) => process.stderr.write(text));
  });
}

test('T-002 200 clients that come while 4 publishers write each see a cut and all that follows', async (t) => {
  const TOTAL = 10_000, CLIENTS = 200;
  const channel = fresh('all-');
  const { below } = random(seed(t));
  const moments = Array.from({ length: CLIENTS }, () => below(TOTAL - 100)).sort((a, b) => a - b);
  const sockets = await server.connectAll(CLIENTS);
  const done = [];
  const transcripts = [];
  await publishAll(channel, { writers: 4, each: TOTAL / 4, at: (answered) => {
    while (moments.length && moments[0] <= answered) {
      moments.shift();
      const socket = sockets[transcripts.length];
      const transcript = new Transcript();
      transcripts.push(transcript);
      done.push(new Promise((resolve, reject) => listen(socket, (message) => {
        try {
          transcript.take(message);
          if (message.event === 'pusher:error') throw new Error(message.raw);
          if (message.offset === TOTAL) resolve();
        } catch (error) {
          reject(error);
        }
      })));
      done.at(-1).catch(() => {});
      socket.send(socket.subscription(channel));
    }
  } });
  await Promise.all(done);
  assert.equal(transcripts.length, CLIENTS);
  const cuts = transcripts.map(({ cuts }) => cuts[0].offset);
  assert.ok(new Set(cuts).size > CLIENTS / 8, `the cuts lay at ${new Set(cuts).size} places only`);
  for (const { cuts: [cut], shown } of transcripts) {
    // The ring also holds what the journal has not confirmed yet: at most one batch of each writer.
    const most = Math.min(300, cut.offset);
    assert.ok(cut.replay <= most && cut.replay >= most - 40, `${cut.replay} frames of ${most}`);
    assert.equal(shown.length, cut.replay + TOTAL - cut.offset);
  }
  // Which event has which offset is the same for all: the history says it, too.
  const { json } = await server.api.get(`/channels/${channel}/history`, { since: TOTAL - 200 });
  assert.deepEqual(json.events.map(({ offset }) => offset), Array.from({ length: 200 }, (_, n) => TOTAL - 199 + n));
  for (const socket of sockets) socket.vanish();
});

test('T-003 no live frame precedes the last replayed one, also for a socket that takes one byte at a time', async () => {
  const TOTAL = 4_000;
  const channel = fresh('all-');
  const text = (n) => `${n} ${'x'.repeat(200)}`;
  await publishAll(channel, { writers: 4, each: 75, text });
  const slow = [0, 20, 60].map((pause) => slowReader(channel, TOTAL, pause));
  await publishAll(channel, { writers: 4, each: TOTAL / 4 - 75, text });
  for (const messages of await Promise.all(slow)) {
    const transcript = new Transcript();
    for (const message of messages) transcript.take(message);
    assert.equal(transcript.offset, TOTAL);
    assert.ok(transcript.cuts[0].replay >= 260);
  }
});

test('T-006 what is replayed later is what everybody heard last, however publishers race', async () => {
  const channel = fresh('cache-');
  const sockets = await server.connectAll(20);
  for (const socket of sockets) await subscribeAt(socket, channel);
  for (let round = 0; round < 50; round++) {
    await Promise.all(['A', 'B', 'C'].map((name) => server.api.publish(channel, 'e', `${name}${round}`)));
    const { replay } = await subscribeAt(await server.connect(), channel);
    const heard = [];
    for (const socket of sockets) {
      const three = [];
      while (three.length < 3) three.push(await socket.event('e', channel));
      heard.push(three.at(-1));
    }
    for (const { data, offset } of heard) assert.deepEqual([data, offset], [replay[0].data, replay[0].offset]);
  }
});

test('T-007 an event right after an empty cut comes after the cache_miss, live', async () => {
  for (let round = 0; round < 50; round++) {
    const channel = fresh('cache-');
    const socket = await server.connect();
    const published = server.api.publish(channel, 'e', 'now');
    await socket.send(socket.subscription(channel));
    await published;
    await socket.event('e', channel);
    socket.vanish();
    const other = fresh('cache-');
    const second = await server.connect();
    await second.send(second.subscription(other));
    await second.event('pusher_internal:subscription_succeeded', other);
    await server.api.publish(other, 'e', 'now');
    const miss = await second.messages.take();
    assert.deepEqual([miss.event, miss.data], ['pusher:cache_miss', '{}']);
    const live = await second.messages.take();
    assert.deepEqual([live.event, live.offset, live.replayed], ['e', 1, undefined]);
    second.vanish();
  }
});

test('T-007 a thousand simultaneous first subscribers cause one webhook', async (t) => {
  const receiver = await receiverFor(t);
  const one = await serverFor(t, { app: { webhooks: [receiver.hook('cache_miss')] } });
  const channel = fresh('cache-');
  const sockets = await one.connectAll(1000);
  for (const socket of sockets) socket.send(socket.subscription(channel));
  for (const socket of sockets) await socket.event('pusher:cache_miss', channel);
  await receiver.event('cache_miss', channel);
  const other = fresh('cache-'); // a fence: the webhooks of one home keep their order
  await sockets[0].subscribe(other);
  await receiver.event('cache_miss', other);
  await one.api.publish(channel, 'e', 'x');
  await sockets[999].event('e', channel);
  assert.equal(receiver.events.items.length, 0, 'a second webhook');
  for (const socket of sockets) socket.vanish();
});

test('T-021 unsubscribing and subscribing in one packet while events flow gives an exact second view', async () => {
  const channel = fresh('all-');
  const socket = await server.connect();
  await subscribeAt(socket, channel);
  const seen = [];
  let cuts = 0;
  const finished = new Promise((resolve) => listen(socket, (message) => {
    seen.push(message);
    if (message.event === 'pusher_internal:subscription_succeeded') cuts += 1;
    if (message.data === 'last') resolve();
  }));
  await publishAll(channel, { writers: 2, each: 500, at: async () => {
    socket.send({ event: 'pusher:unsubscribe', data: { channel } });
    socket.send(socket.subscription(channel));
  } });
  await socket.send({ event: 'pusher:unsubscribe', data: { channel } });
  await socket.send(socket.subscription(channel));
  await server.api.publish(channel, 'e', 'last');
  await finished;
  assert.ok(cuts > 1);
  // Between a SubAck and the next one everything is a cut and what follows it.
  const first = seen.findIndex(({ event }) => event === 'pusher_internal:subscription_succeeded');
  const transcript = new Transcript();
  for (const message of seen.slice(first)) {
    assert.notEqual(message.event, 'pusher:error', message.raw);
    transcript.take(message);
  }
  assert.equal(transcript.offset, 1001);
});
