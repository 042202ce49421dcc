// SPDX-License-Identifier: MIT OR Apache-2.0
// A reader that stops reading on a truth channel: it costs its bound and nobody else anything, and
// when it reads again it has the newest value within a turn (T-028, I6, I12).
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/inbox.js';
import { AWARE, listen, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({ limits: { event_data_bytes: 20_000 }, app: { channels: [
  { match: 'game-*', truth: { event: 'STATE' }, durable: false, history: { events: 20 } },
] } });

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

test('T-028 readers that stop on a truth channel with large updates: bounded, newest first, nobody else delayed', async (t) => {
  const SECONDS = Number(process.env.OYEZ_TEST_SLOW_SECONDS ?? 6);
  const channel = fresh('game-');
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const filler = 'x'.repeat(10_000);
  let version = 0;
  const update = async () => {
    const answer = await server.api.call('PUT', `/channels/${channel}/truth`, { data: { at: performance.now(), filler: `${++version} ${filler}` } }, { agent });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.version;
  };
  // Neighbours measure how old a value is when it comes.
  const neighbours = await server.connectAll(20);
  let ages = [];
  for (const socket of neighbours) {
    let last = 0;
    listen(socket, ({ event, data, offset }) => {
      if (event !== 'STATE') return;
      assert.ok(offset > last, 'a neighbour’s version went back');
      last = offset;
      ages.push(performance.now() - JSON.parse(data).at);
    });
    socket.send(socket.subscription(channel));
  }
  const run = async (seconds) => {
    ages = [];
    const end = performance.now() + seconds * 1000;
    let count = 0;
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (performance.now() < end) {
        await update();
        count += 1;
      }
    }));
    return { age: median(ages), count };
  };
  await run(1);
  const alone = await run(2);
  const slow = await server.connectAll(50);
  for (const [n, socket] of slow.entries()) {
    await subscribeAt(socket, channel, n % 2 ? { oyez: AWARE } : {});
    socket.tcp.pause();
  }
  const before = server.memory();
  const beside = await run(SECONDS);
  const grown = server.memory() - before;
  t.diagnostic(`${alone.count / 2}/s alone at ${alone.age.toFixed(1)} ms, ${beside.count / SECONDS}/s beside 50 stopped readers at ${beside.age.toFixed(1)} ms; the server grew by ${grown} KB`);
  assert.ok(beside.count > 20 * SECONDS, `${beside.count} updates`);
  // Each stopped reader may hold a quarter of limits.output_bytes (1 MiB) encoded and unsent.
  assert.ok(grown < 50 * 300 + 10_000, `the server grew by ${grown} KB`);
  assert.ok(beside.age < alone.age * 3 + 20, `neighbours waited ${beside.age} ms, ${alone.age} ms without the stopped readers`);
  const last = await update();
  for (const socket of slow) {
    let newest = 0;
    const arrived = new Promise((resolve, reject) => listen(socket, ({ event, offset }) => {
      if (event === 'pusher:error') reject(new Error('closed'));
      if (event !== 'STATE') return;
      if (offset <= newest) reject(new Error(`a version went back: ${newest}, ${offset}`));
      newest = offset;
      if (offset === last) resolve();
    }));
    socket.tcp.resume();
    await arrived;
  }
  assert.equal(await update(), last + 1);
  agent.destroy();
  await eventually(() => ages.length > 0, 'neighbours go on');
  for (const socket of [...slow, ...neighbours]) socket.vanish();
});
