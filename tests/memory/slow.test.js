// SPDX-License-Identifier: MIT OR Apache-2.0
// Readers that stop on channels whose every event counts: they hold a cursor, not a queue. What is
// still held comes without a hole when they read again; beyond it an aware client is re-cut in-band
// and a plain one closed with 4100, so that it comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, within } from '../support/inbox.js';
import { AWARE, Transcript, listen, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { joined, oyezFor } from '../support/oyez.js';
import { linkFor } from '../support/link.js';
import { useServer } from '../support/server.js';

const EVENTS = 2_000;
const server = await useServer({
  limits: { output_bytes: 256 * 1024, history_bytes: 64 * 1024 * 1024 },
  app: { channels: [
    { match: 'long-*', replay: 'all', history: { events: 5_000 }, durable: false },
    { match: 'presence-long-*', replay: 'latest', history: { events: 5_000 }, durable: false },
    { match: 'brief-*', replay: 'all', history: { events: 50 }, durable: false },
  ] },
});

/** More than the kernel's buffers hold. */
async function flood(channel, count = EVENTS) {
  const data = 'x'.repeat(8_000);
  for (let n = 0; n < count; n += 10) {
    const batch = Array.from({ length: 10 }, () => ({ channel, name: 'e', data }));
    const { status, text } = await server.api.post('/batch_events', { batch });
    assert.equal(status, 200, text);
  }
}

function transcriptOf(socket, channel) {
  const transcript = new Transcript();
  transcript.others = [];
  transcript.until = (offset) => new Promise((resolve, reject) => {
    const check = () => transcript.offset >= offset && transcript.isWhole && resolve();
    listen(socket, (message) => {
      try {
        if (message.offset === undefined) transcript.others.push(message.event);
        if (message.event === 'oyez:skip') transcript.offset = JSON.parse(message.data).offset;
        else if (message.channel === channel) transcript.take(message);
        check();
      } catch (error) {
        reject(error);
      }
    });
    check();
  });
  return transcript;
}

for (const [kind, options] of [['plain', {}], ['aware', { oyez: AWARE }]]) {
  test(`${kind}: what is still held comes without a hole, however long a reader has stopped`, async () => {
    const channel = fresh('long-');
    const socket = await server.connect();
    const transcript = transcriptOf(socket, channel);
    const end = transcript.until(EVENTS + 1);
    const before = server.memory();
    await socket.send(socket.subscription(channel, options));
    await eventually(() => transcript.cuts.length === 1, 'the answer');
    socket.tcp.pause();
    await flood(channel);
    await server.api.publish(channel, 'e', 'last');
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    assert.ok(/fallen_behind_total(\{[^}]*\})? [1-9]/.test(metrics), 'nobody fell behind');
    assert.ok(server.memory() - before < 60_000, `the server grew by ${server.memory() - before} KB`);
    socket.tcp.resume();
    await end;
    assert.equal(transcript.shown.length, EVENTS + 1);
    socket.vanish();
  });

  test(`${kind}: beyond what is held`, async () => {
    const channel = fresh('brief-');
    const socket = await server.connect();
    await subscribeAt(socket, channel, options);
    socket.tcp.pause();
    await flood(channel);
    const transcript = transcriptOf(socket, channel);
    if (kind === 'plain') {
      socket.tcp.resume();
      const { code } = await socket.closed();
      assert.equal(code, 4100);
      const back = await server.connect();
      const { cut, replay } = await subscribeAt(back, channel);
      assert.deepEqual([cut.offset, replay.length], [EVENTS, 50]);
      return;
    }
    transcript.take({ event: 'oyez:reset', data: JSON.stringify({ offset: 0, replay: 0, resumed: false }) });
    const end = transcript.until(EVENTS + 1);
    socket.tcp.resume();
    await eventually(() => transcript.offset >= EVENTS, 'the end of the log');
    await server.api.publish(channel, 'e', 'live');
    await end;
    const cut = transcript.cuts.at(-1);
    assert.deepEqual([transcript.cuts.length, cut.reason, cut.resumed], [2, 'slow', false]);
    assert.equal(transcript.shown.at(-1), EVENTS + 1);
    socket.vanish();
  });
}

for (const how of ['stops after its answers', 'comes with much to be shown']) {
  test(`a reader of thirty channels that ${how} gets all of them whole`, async () => {
    const channels = Array.from({ length: 30 }, () => fresh('long-'));
    const socket = await server.connect();
    const transcripts = new Map(channels.map((channel) => [channel, new Transcript()]));
    const whole = new Promise((resolve, reject) => listen(socket, (message) => {
      try {
        if (message.event === 'pusher:error') throw new Error(message.raw);
        transcripts.get(message.channel)?.take(message);
        if ([...transcripts.values()].every(({ offset, isWhole }) => isWhole && offset === 100)) resolve();
      } catch (error) {
        reject(error);
      }
    }));
    const subscribe = () => Promise.all(channels.map((channel) => socket.send(socket.subscription(channel))));
    if (how.startsWith('stops')) {
      await subscribe();
      await eventually(() => [...transcripts.values()].every(({ cuts }) => cuts.length === 1), 'all answers');
      socket.tcp.pause();
      for (const channel of channels) await flood(channel, 100);
    } else {
      for (const channel of channels) await flood(channel, 100);
      socket.tcp.pause();
      await subscribe();
    }
    await (await server.connect()).alive();
    socket.tcp.resume();
    await whole;
    socket.vanish();
  });
}

test('oyez.js through a stalled wire: a gap is told, then all is contiguous', async (t) => {
  const channel = fresh('brief-');
  const link = await linkFor(t, server);
  const own = await joined(oyezFor(t, server, { port: link.port }), channel);
  link.stall();
  await flood(channel);
  link.flow();
  const gap = await own.events.event('oyez:gap');
  assert.ok(['slow', 'trimmed'].includes(gap.data.reason), gap.data.reason);
  await eventually(() => own.position?.offset === EVENTS, 'the end');
  await server.api.publish(channel, 'e', '"live"');
  await own.events.until((items) => items.some(({ data }) => data === 'live'), 'the live one');
  assert.equal(own.position.offset, EVENTS + 1);
});

test('a stopped reader that leaves, or comes again, or vanishes costs nothing and gets an exact view', async () => {
  const channel = fresh('long-');
  for (const oyez of [undefined, AWARE]) {
    const [again, goner, closer] = await server.connectAll(3);
    const transcript = transcriptOf(again, channel);
    const heads = (await server.api.get(`/channels/${channel}/history`, { limit: 1 })).json.offset;
    const end = transcript.until(heads + EVENTS + 2);
    for (const socket of [again, goner, closer]) await socket.send(socket.subscription(channel, { oyez }));
    await eventually(() => transcript.cuts.length === 1, 'the answer');
    for (const socket of [again, goner, closer]) socket.tcp.pause();
    await flood(channel);
    await again.unsubscribe(channel);
    await again.send(again.subscription(channel, { oyez }));
    goner.vanish();
    await closer.unsubscribe(channel);
    await server.api.publish(channel, 'e', 'between');
    again.tcp.resume();
    closer.tcp.resume();
    await server.api.publish(channel, 'e', 'last');
    await within(20_000, 'the end of the second view', end);
    await closer.alive();
    closer.vanish();
    again.vanish();
  }
});

test('presence is never lost to a stopped reader', async () => {
  const channel = fresh('presence-long-');
  const socket = await server.connect();
  await subscribeAt(socket, channel, { data: { user_id: 'me' } });
  socket.tcp.pause();
  await flood(channel, 1_500);
  const others = await server.connectAll(5);
  for (const [n, other] of others.entries()) await subscribeAt(other, channel, { data: { user_id: `u${n}` } });
  for (const other of others.slice(1)) await other.close();
  await server.api.publish(channel, 'e', 'last');
  const set = new Set(['me']);
  const done = new Promise((resolve) => listen(socket, ({ event, data }) => {
    if (event === 'pusher_internal:member_added') set.add(JSON.parse(data).user_id);
    if (event === 'pusher_internal:member_removed') set.delete(JSON.parse(data).user_id);
    if (data === 'last') resolve();
  }));
  socket.tcp.resume();
  await done;
  await eventually(() => JSON.stringify([...set].sort()) === '["me","u0"]', 'the members');
});
