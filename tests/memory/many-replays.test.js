// SPDX-License-Identifier: MIT OR Apache-2.0
// A page that subscribes to many channels at once whose replays together are far more than may
// wait for one connection (`limits.output_bytes`), over a link that is slow to take them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transcript, listen } from '../support/log.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const CHANNELS = 40;

const server = await useServer({
  app: {
    channels: [
      { match: 'all-*', replay: 'all', history: { events: 200 }, durable: false },
      { match: 'truth-*', truth: { event: 'STATE' }, durable: false },
    ],
  },
});

const event = (channel) => ({ channel, name: 'e', data: 'x'.repeat(4000) });

const fill = {
  'all-': async (channel) => {
    for (let call = 0; call < 10; call += 1) {
      await server.api.post('/batch_events', { batch: Array(10).fill(event(channel)) });
    }
  },
  'truth-': (channel) =>
    server.api.call('PUT', `/channels/${channel}/truth`, { data: 'x'.repeat(200_000) }),
};

/** Resolves when every channel's replay is whole; a close is a failure. */
function everything(socket, channels) {
  const transcripts = new Map(channels.map((channel) => [channel, new Transcript()]));
  return new Promise((resolve, reject) => {
    listen(socket, (message) => {
      if (message.event === 'pusher:error') reject(new Error(message.raw));
      transcripts.get(message.channel)?.take(message);
      if ([...transcripts.values()].every((transcript) => transcript.isWhole)) resolve();
    });
  });
}

for (const prefix of ['all-', 'truth-']) {
  test(`T-003 ${CHANNELS} long replays of ${prefix}* at once reach a reader who was not ready`, async () => {
    const channels = Array.from({ length: CHANNELS }, () => fresh(prefix));
    await Promise.all(channels.map(fill[prefix]));
    const socket = await server.connect();
    socket.tcp.pause();
    const whole = everything(socket, channels);
    await Promise.all(channels.map((channel) => socket.send(socket.subscription(channel))));
    // Another connection's turn comes after what this one could be sent without reading.
    await (await server.connect()).alive();
    socket.tcp.resume();
    await whole;
  });
}

test('T-021 whoever leaves a channel before its home was asked hears nothing of it', async () => {
  const channels = Array.from({ length: CHANNELS }, () => fresh('all-'));
  await Promise.all(channels.map(fill['all-']));
  const socket = await server.connect();
  const left = channels.at(-1);
  const heard = [];
  const pong = new Promise((resolve) => {
    listen(socket, (message) => {
      if (message.channel === left) heard.push(message.event);
      if (message.event === 'pusher:pong') resolve();
    });
  });
  for (const channel of channels) await socket.send(socket.subscription(channel));
  await socket.send({ event: 'pusher:unsubscribe', data: { channel: left } });
  await socket.send({ event: 'pusher:ping', data: {} });
  await pong;
  assert.deepEqual(heard, []);
});
