// SPDX-License-Identifier: MIT OR Apache-2.0
// One case per limit of HTTP and webhooks: its key, a small value, and what happens beyond it.
import assert from 'node:assert/strict';
import { RawConnection, request } from '../support/http.js';
import { eventually } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { Receiver } from '../support/receiver.js';

/** A raw request is refused with that status, or its connection closed. */
async function refused(server, bytes, status) {
  const connection = await RawConnection.open(server.port);
  connection.write(bytes);
  await connection.until((text, closed) => text.startsWith(`HTTP/1.1 ${status}`) || (closed && text === ''), `${status} or the end`);
  connection.destroy();
}

const manyHeaders = (count) => Array.from({ length: count }, (_, n) => `x-${n}: y\r\n`).join('');

export const CALL_LIMITS = {
  http_connections: { value: 3, async check(server) {
    const idle = [];
    for (let n = 0; n < 3; n++) {
      const connection = await RawConnection.open(server.port);
      await connection.write('GET /up HTTP/1.1\r\nhost: x\r\n\r\n');
      await connection.responses(1);
      idle.push(connection);
    }
    const over = await RawConnection.open(server.port);
    await over.write('GET /up HTTP/1.1\r\nhost: x\r\n\r\n');
    await over.until((text, closed) => closed || text.startsWith('HTTP/1.1 503'), 'the end');
    const socket = await server.connect(); // WebSockets have their own limit
    await socket.alive();
    idle.pop().destroy();
    await eventually(() => request(server.port, { path: '/up' }).then(({ status }) => status === 200, () => false), 'a free place');
    idle.forEach((connection) => connection.destroy());
  } },

  event_channels: { value: 2, async check(server, key) {
    await server.api.publish([fresh(), fresh()], 'e', 'x');
    const answer = await server.api.post('/events', { name: 'e', channels: [fresh(), fresh(), fresh()], data: 'x' });
    assert.equal(answer.status, 400);
    assert.ok(answer.json.error.includes(key), answer.text);
  } },

  batch_events: { value: 2, async check(server, key) {
    const batch = Array.from({ length: 3 }, () => ({ channel: fresh(), name: 'e', data: 'x' }));
    assert.equal((await server.api.post('/batch_events', { batch: batch.slice(1) })).status, 200);
    const answer = await server.api.post('/batch_events', { batch });
    assert.equal(answer.status, 400);
    assert.ok(answer.json.error.includes(key), answer.text);
  } },

  header_bytes: { value: 8 * 1024, async check(server) {
    const head = (size) => `GET /up HTTP/1.1\r\nhost: x\r\nx-big: ${'y'.repeat(size)}\r\n\r\n`;
    const fits = await RawConnection.open(server.port);
    await fits.write(head(7_000));
    assert.equal((await fits.responses(1))[0].status, 200);
    fits.destroy();
    await refused(server, head(9_000), 431);
    await refused(server, `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 4);
  } },

  headers: { value: 16, async check(server) {
    const fits = await RawConnection.open(server.port);
    await fits.write(`GET /up HTTP/1.1\r\nhost: x\r\n${manyHeaders(15)}\r\n`);
    assert.equal((await fits.responses(1))[0].status, 200);
    fits.destroy();
    await refused(server, `GET /up HTTP/1.1\r\nhost: x\r\n${manyHeaders(16)}\r\n`, 431);
  } },

  request_seconds: { value: 1, async check(server) {
    for (const bytes of ['GET /up HTTP/1.1\r\nhost: x\r\n', 'POST /apps/4711/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc', 'GET /app/app-key HTTP/1.1\r\nupgrade']) {
      const connection = await RawConnection.open(server.port);
      const start = performance.now();
      await connection.write(bytes);
      await connection.until((text, closed) => closed, 'the end', 5_000);
      assert.ok(performance.now() - start >= 700);
      assert.match(connection.text, /^(HTTP\/1.1 4(08|00|01)|$)/);
    }
  } },

  body_bytes: { value: 1024, async check(server, key) {
    const answer = await server.api.post('/events', JSON.stringify({ name: 'e', channel: 'c', data: 'x' }).padEnd(1024));
    assert.equal(answer.status, 200, answer.text);
    const over = await server.api.post('/events', JSON.stringify({ name: 'e', channel: 'c', data: 'x' }).padEnd(1025));
    assert.equal(over.status, 413);
    assert.ok(over.json.error.includes(key), over.text);
  } },

  requests_per_second: { value: 5, async check(server, key) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.api.get('/channels')));
    const refusals = answers.filter(({ status }) => status === 429);
    assert.ok(refusals.length >= 5 && refusals.length <= 15, `${refusals.length} of 20 were refused`);
    assert.ok(Number(refusals[0].headers['retry-after']) >= 1);
    assert.ok(refusals[0].json.error.includes(key), refusals[0].text);
    await eventually(async () => (await server.api.get('/channels')).status === 200, 'calls are let in again', 5_000);
  } },

  keep_alive_seconds: { value: 1, async check(server) {
    const connection = await RawConnection.open(server.port);
    await connection.write('GET /up HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.responses(1);
    await connection.until((_, closed) => closed, 'the end', 5_000);
    const socket = await server.connect(); // sockets are not meant
    await socket.alive();
  } },

  webhook_queue: { value: 10, prepare: () => Receiver.start(), app: (receiver) => ({ webhooks: [receiver.hook('channel_occupied')] }),
    async check(server, _, receiver) {
      await receiver.stop();
      const socket = await server.connect();
      const channels = Array.from({ length: 60 }, () => fresh());
      for (const channel of channels) await socket.subscribe(channel);
      await receiver.listen();
      const last = fresh(); // a place in the queue is free once the receiver is back
      await receiver.events.until((items) => items.length > 0, 'the first events', 30_000);
      await socket.subscribe(last);
      await receiver.event('channel_occupied', last, 30_000);
      const kept = receiver.events.items.map(({ channel }) => channel);
      assert.ok(kept.length < 40, `${kept.length} of 60 were kept`);
      assert.deepEqual(kept, channels.filter((channel) => kept.includes(channel)), 'in order');
    } },

  webhook_queue_bytes: { value: 64 * 1024, prepare: () => Receiver.start(), app: (receiver) => ({ webhooks: [receiver.hook('client_event')] }),
    async check(server, _, receiver) {
      await receiver.stop();
      const socket = await server.connect();
      const channel = fresh('private-');
      await socket.subscribe(channel);
      const names = Array.from({ length: 10 }, (_, i) => `client-${i}`);
      for (const event of names) await socket.send({ event, channel, data: 'x'.repeat(10_000) });
      await socket.alive();
      await receiver.listen();
      await receiver.events.until((items) => items.some(({ event }) => event === names.at(-1)), 'the newest event', 30_000);
      const kept = receiver.events.items.map(({ event }) => event);
      assert.ok(kept.length < names.length, 'all were kept');
      assert.deepEqual(kept, names.filter((event) => kept.includes(event)), 'in order');
    } },

  webhook_batch_bytes: { value: 4_000, prepare: () => Receiver.start(), app: (receiver) => ({ webhooks: [receiver.hook('client_event')] }),
    async check(server, _, receiver) {
      const socket = await server.connect();
      const channel = fresh('private-');
      await socket.subscribe(channel);
      for (let i = 0; i < 10; i++) await socket.send({ event: `client-${i}`, channel, data: 'x'.repeat(i === 5 ? 9_000 : 1_000) });
      await receiver.events.until((items) => items.length === 10, 'all events');
      for (const { body } of receiver.requests.items) {
        const bytes = JSON.stringify(body.events).length;
        assert.ok(bytes <= 4_100 || body.events.length === 1, `${bytes} bytes in ${body.events.length} events of one request`);
      }
    } },

  webhook_batch: { value: 3, prepare: () => Receiver.start(), app: (receiver) => ({ webhooks: [receiver.hook('channel_occupied')] }),
    async check(server, _, receiver) {
      const socket = await server.connect();
      const channels = Array.from({ length: 20 }, () => fresh());
      await Promise.all(channels.map((channel) => socket.subscribe(channel)));
      for (const channel of channels) await receiver.event('channel_occupied', channel);
      for (const { body } of receiver.requests.items) assert.ok(body.events.length <= 3, `${body.events.length} events in one request`);
    } },
};
