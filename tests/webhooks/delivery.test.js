// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 7: receivers that are down, refuse, hang, or come back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { passing } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { Receiver, receiverFor } from '../support/receiver.js';
import { freePort, serverFor } from '../support/server.js';

/** How long the receiver of P-079 is down, in ms; OYEZ_TEST_OUTAGE=60000 for the full statement. */
const OUTAGE = Number(process.env.OYEZ_TEST_OUTAGE ?? 8_000);

const hooked = (t, receiver, more = []) =>
  serverFor(t, { app: { webhooks: [receiver.hook('channel_occupied'), ...more] } });

/** Occupies that many channels, one after the other; resolves to their names. */
async function occupy(server, socket, count) {
  const channels = Array.from({ length: count }, () => fresh());
  for (const channel of channels) await socket.subscribe(channel);
  return channels;
}

const names = (receiver, count) =>
  receiver.events.until((items) => items.length >= count, `${count} events`, 60_000).then(() =>
    receiver.events.items.map(({ channel }) => channel));

describe('webhook delivery', { concurrency: true }, () => {
  test('P-079 a receiver that was down gets everything once it is back, in order', async (t) => {
    const receiver = await Receiver.start();
    await receiver.stop();
    const server = await hooked(t, receiver);
    const socket = await server.connect();
    const sent = await occupy(server, socket, 20);
    await passing(OUTAGE / 2);
    sent.push(...await occupy(server, socket, 20));
    await passing(OUTAGE / 2);
    await receiver.listen();
    t.after(() => receiver.stop());
    assert.deepEqual(await names(receiver, 40), sent);
    assert.equal(receiver.mostInFlight, 1);
  });

  test('P-079 a receiver that answers 500 is asked again, with pauses that grow, and nothing is lost', async (t) => {
    const receiver = await receiverFor(t);
    receiver.answer = (n) => (n < 3 ? 500 : 200);
    const server = await hooked(t, receiver);
    const sent = await occupy(server, await server.connect(), 5);
    assert.deepEqual(await names(receiver, 5), sent);
    const times = receiver.requests.items.map(({ at }) => at);
    const pauses = times.slice(1).map((at, i) => Math.round(at - times[i]));
    assert.ok(times[3] - times[0] > 300, `pauses of ${pauses} ms hammer a receiver in trouble`);
  });

  test('P-079 every answer that is not 2xx is a failure, every 2xx is none', async (t) => {
    for (const [status, again] of [[201, false], [204, false], [302, true], [404, true], [503, true]]) {
      const receiver = await receiverFor(t);
      receiver.answer = (n) => (n === 0 ? status : 200);
      const server = await hooked(t, receiver);
      const socket = await server.connect();
      const [first] = await occupy(server, socket, 1);
      await receiver.requests.until((items) => items.length >= 1, 'a request');
      const [second] = await occupy(server, socket, 1);
      await names(receiver, 2);
      const heard = receiver.requests.items.flatMap(({ body }) => body.events.map(({ channel }) => channel));
      assert.equal(heard.filter((channel) => channel === first).length, again ? 2 : 1, `status ${status}`);
      assert.ok(heard.includes(second));
    }
  });

  test('P-080 a receiver that hangs delays nobody else, and is asked again after ten seconds', async (t) => {
    const [hanging, healthy] = [await receiverFor(t), await receiverFor(t)];
    hanging.answer = (n) => (n === 0 ? 'hang' : 200);
    const server = await hooked(t, hanging, [healthy.hook('channel_occupied')]);
    const socket = await server.connect();
    const sent = await occupy(server, socket, 10);
    const start = performance.now();
    assert.deepEqual(await names(healthy, 10), sent);
    assert.ok(performance.now() - start < 2_000, 'the healthy receiver waited');
    await socket.alive();
    assert.deepEqual(await names(hanging, 10), sent);
    const [first, second] = hanging.requests.items.map(({ at }) => at);
    assert.ok(second - first > 9_000 && second - first < 20_000, `asked again after ${Math.round(second - first)} ms`);
  });

  test('P-080 a receiver that nobody listens on costs publishes and sockets nothing', async (t) => {
    const port = await freePort();
    const server = await serverFor(t, { app: { webhooks: [{ url: `http://127.0.0.1:${port}/`, events: ['channel_occupied', 'channel_vacated'] }] } });
    const socket = await server.connect();
    const channels = await occupy(server, socket, 100);
    const start = performance.now();
    await server.api.publish(channels, 'event', 'x');
    for (const channel of channels) await socket.event('event', channel);
    assert.ok(performance.now() - start < 2_000);
    assert.match((await server.api.get('/channels')).text, /channel/);
  });
});
