// SPDX-License-Identifier: MIT OR Apache-2.0
// One case per limit of a WebSocket connection: its key, a small value, and what happens beyond it.
import assert from 'node:assert/strict';
import net from 'node:net';
import * as frames from '../support/frames.js';
import { eventually } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';

/** Sends a subscribe and takes its refusal, as `{status?, code?, text}`. */
async function refusal(socket, channel, options) {
  await socket.send(socket.subscription(channel, options));
  const { event, data } = await socket.messages.take();
  assert.match(event, /^pusher:(error|subscription_error)$/);
  return { ...data, text: data.message ?? data.error };
}

export const SOCKET_LIMITS = {
  max_connections: { value: 2, async check(server, key) {
    const [first] = await server.connectAll(2);
    const third = await server.open();
    const { code, message } = await third.error();
    assert.equal(code, 4100);
    assert.ok(message.length > 0, key);
    assert.equal((await third.closed()).code, 4100);
    await first.alive();
  } },

  handshakes: { value: 16, async check(server) {
    const silent = Array.from({ length: 60 }, () => net.connect(server.port, '127.0.0.1'));
    let closed = 0;
    for (const socket of silent) socket.on('error', () => {}).on('close', () => closed++);
    // Each worker has its share of the limit.
    await eventually(() => closed >= 60 - 2 * 16, 'those beyond the limit are closed');
    assert.ok(closed <= 60 - 16, `${closed} of 60 were closed`);
    for (const socket of silent) socket.destroy();
    await eventually(async () => (await server.connect().catch(() => undefined))?.alive().then(() => true), 'a place for another one');
  } },

  message_bytes: { value: 2_000, async check(server) {
    const socket = await server.connect();
    await socket.sendText('x'.repeat(2_000));
    await socket.error();
    await socket.sendText('x'.repeat(2_001));
    assert.equal((await socket.closed()).code, 1009);
  } },

  messages_per_second: { value: 5, async check(server) {
    const [loud, other] = await server.connectAll(2);
    const ping = frames.json({ event: 'pusher:ping', data: {} });
    await loud.write(Buffer.concat(Array.from({ length: 40 }, () => ping))); // within ten seconds' worth
    await loud.alive();
    loud.write(Buffer.concat(Array.from({ length: 100 }, () => ping)));
    assert.equal((await loud.closed()).code, 4100);
    await other.alive();
  } },

  subscriptions: { value: 3, async check(server, key) {
    const socket = await server.connect();
    const channels = [fresh(), fresh('private-'), fresh('presence-')];
    for (const channel of channels) await socket.subscribe(channel, { data: /presence/.test(channel) ? member('1') : undefined });
    const { text } = await refusal(socket, fresh());
    assert.ok(text.includes(key) && text.includes('3'), text);
    await socket.unsubscribe(channels[0]);
    await socket.subscribe(fresh());
  } },

  output_bytes: { value: 64 * 1024, async check(server) {
    const [slow, fast] = await server.connectAll(2);
    const channel = fresh();
    await slow.subscribe(channel);
    await fast.subscribe(channel);
    slow.tcp.pause();
    const before = server.memory();
    let sent = 0;
    await eventually(async () => {
      for (let n = 0; n < 50; n++, sent++) await server.api.publish(channel, 'e', 'x'.repeat(10_000));
      const { json } = await server.api.get(`/channels/${channel}`, { info: 'subscription_count' });
      return json.subscription_count === 1;
    }, 'the slow reader is closed', 60_000);
    assert.equal((await fast.fence(channel)).length, sent, 'the fast reader missed nothing');
    assert.ok(server.memory() - before < 30_000, `the server grew by ${server.memory() - before} KB`);
    slow.tcp.resume();
    assert.equal((await slow.frame(frames.CLOSE)).payload.readUInt16BE(0), 4100);
  } },

  backlog_bytes: { value: 1024 * 1024, async check(server) {
    const channel = fresh();
    const sockets = await server.connectAll(20);
    for (const socket of sockets) await socket.subscribe(channel);
    const before = server.memory();
    await Promise.all(Array.from({ length: 500 }, (_, n) => server.api.publish(channel, 'e', `${n} ${'x'.repeat(9_000)}`)));
    for (const socket of sockets) assert.equal((await socket.fence(channel)).length, 500);
    assert.ok(server.memory() - before < 100_000, `the server grew by ${server.memory() - before} KB`);
  } },

  channel_name: { value: 20, async check(server, key) {
    const socket = await server.connect();
    await socket.subscribe('n'.repeat(20));
    assert.ok((await refusal(socket, 'n'.repeat(21))).text.includes(key));
    const answer = await server.api.post('/events', { name: 'e', channel: 'n'.repeat(21), data: 'x' });
    assert.equal(answer.status, 400);
    assert.ok(answer.json.error.includes(key), answer.text);
  } },

  event_name: { value: 12, async check(server, key) {
    const socket = await server.connect();
    const channel = fresh('private-');
    await socket.subscribe(channel);
    await server.api.publish(channel, 'n'.repeat(12), 'x');
    await socket.trigger(channel, 'client-12345', 'x');
    await socket.trigger(channel, 'client-123456', 'x');
    assert.ok((await socket.error()).message.includes(key));
    const answer = await server.api.post('/events', { name: 'n'.repeat(13), channel, data: 'x' });
    assert.equal(answer.status, 400);
    assert.ok(answer.json.error.includes(key), answer.text);
  } },

  event_data_bytes: { value: 50, async check(server, key) {
    const socket = await server.connect();
    const channel = fresh('private-');
    await socket.subscribe(channel);
    await server.api.publish(channel, 'e', 'x'.repeat(50));
    await socket.trigger(channel, 'client-e', 'x'.repeat(51));
    assert.ok((await socket.error()).message.includes(key));
    const answer = await server.api.post('/events', { name: 'e', channel, data: 'x'.repeat(51) });
    assert.equal(answer.status, 413);
    assert.ok(answer.json.error.includes(key), answer.text);
  } },

  presence_members: { value: 2, async check(server, key) {
    const channel = fresh('presence-');
    const sockets = await server.connectAll(3);
    for (const n of [0, 1]) await sockets[n].subscribe(channel, { data: member(`${n}`) });
    const { status, text } = await refusal(sockets[2], channel, { data: member('2') });
    assert.equal(status, 403);
    assert.ok(text.includes(key) && text.includes('2'), text);
    await sockets[2].subscribe(channel, { data: member('1') });
  } },

  user_id: { value: 5, async check(server, key) {
    const socket = await server.connect();
    await socket.subscribe(fresh('presence-'), { data: { user_id: '12345' } });
    assert.ok((await refusal(socket, fresh('presence-'), { data: { user_id: '123456' } })).text.includes(key));
    await socket.signin({ id: '123456' }, { wait: false });
    assert.ok((await socket.error()).message.includes(key));
    await socket.signin({ id: '12345' });
  } },

  user_info_bytes: { value: 14, async check(server, key) {
    const socket = await server.connect();
    await socket.subscribe(fresh('presence-'), { data: { user_id: '1', user_info: { n: '123456' } } });
    assert.ok((await refusal(socket, fresh('presence-'), { data: { user_id: '1', user_info: { n: '1234567' } } })).text.includes(key));
  } },

  client_events_per_second: { value: 2, async check(server, key) {
    const [sender, listener] = await server.connectAll(2);
    const channel = fresh('private-');
    for (const socket of [sender, listener]) await socket.subscribe(channel);
    await sender.write(Buffer.concat([1, 2, 3].map((n) => frames.json({ event: 'client-n', channel, data: `${n}` }))));
    const { code, message } = await sender.error();
    assert.equal(code, 4301);
    assert.ok(message.includes(key), message);
    assert.deepEqual((await listener.fence(channel)).map(({ data }) => data), ['1', '2']);
  } },

  watchlist: { value: 2, async check(server, key) {
    const socket = await server.connect();
    await socket.signin({ id: 'me', watchlist: ['a', 'b', 'c'] });
    const { code, message } = await socket.error();
    assert.equal(code, 4302);
    assert.ok(message.includes(key), message);
    const { data } = await socket.event('pusher_internal:watchlist_events');
    const [{ name, user_ids }] = JSON.parse(data).events;
    assert.deepEqual([name, ...user_ids.sort()], ['offline', 'a', 'b']);
  } },

  channels: { value: 3, async check(server, key) {
    const socket = await server.connect();
    const mine = [fresh(), fresh(), fresh()];
    for (const channel of mine) await socket.subscribe(channel);
    const other = await server.connect();
    const { status, text } = await refusal(other, fresh());
    assert.ok(status === undefined || status === 503, text);
    assert.ok(text.includes(key), text);
    await other.subscribe(mine[0]);
    await socket.unsubscribe(mine[1]);
    await socket.alive();
    await eventually(async () => {
      await other.send(other.subscription(mine[2] + 'x'));
      return /succeeded/.test((await other.messages.take()).event);
    }, 'a place for another channel');
  } },
};
