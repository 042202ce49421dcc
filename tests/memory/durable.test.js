// SPDX-License-Identifier: MIT OR Apache-2.0
// What survives: kill -9, a start on an old data folder, and what each `durable` promises (G6, G7).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/inbox.js';
import { linkFor } from '../support/link.js';
import { AWARE, positionOf, subscribeAt } from '../support/log.js';
import { fresh, random, seed } from '../support/names.js';
import { clientFor, subscribed } from '../support/official.js';
import { joined, oyezFor } from '../support/oyez.js';
import { run, serverFor, temporaryFolder } from '../support/server.js';

const app = { channels: [
  { match: 'kept-*', replay: 'latest', history: { events: 200 } },
  { match: 'relaxed-*', replay: 'latest', durable: 'relaxed' },
  { match: 'passing-*', replay: 'latest', durable: false },
  { match: 'truth-*', truth: { event: 'STATE' } },
] };

test('T-008 kill -9 after 200: the event is replayed, the epoch the same, the next offset one more', async (t) => {
  const server = await serverFor(t, { app });
  const channels = [fresh('kept-'), fresh('cache-'), fresh('truth-')];
  let last;
  for (let n = 1; n <= 20; n++) {
    const answers = await Promise.all(channels.map((channel) => channel.startsWith('truth-')
      ? server.api.call('PUT', `/channels/${channel}/truth`, { data: { n } })
      : server.api.publish(channel, 'STATE', { n }, { info: 'position' })));
    last = answers;
  }
  const epochs = [last[0].channels[channels[0]].position, last[1].channels[channels[1]].position, last[2].json];
  await server.crash();
  for (const [nth, channel] of channels.entries()) {
    const socket = await server.connect();
    const { cut, replay } = await subscribeAt(socket, channel);
    assert.deepEqual([cut.epoch, cut.offset, cut.replay], [epochs[nth].epoch, 20, 1], channel);
    assert.notEqual(cut.term, epochs[nth].term ?? '');
    assert.deepEqual([replay[0].event, replay[0].data, replay[0].offset], ['STATE', '{"n":20}', 20]);
    await server.api.publish(channel, 'other', 'x');
    assert.equal((await socket.event('other', channel)).offset, 21);
  }
});

test('T-008 kill -9 in a loop under load: what was answered is there, what was shown is there, each once', async (t) => {
  const { below } = random(seed(t));
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  const link = await linkFor(t, server);
  const client = oyezFor(t, server, { port: link.port });
  const own = await joined(client, channel);
  const acked = new Set();
  let next = 0;
  let over = false;
  const writer = async () => {
    while (!over) {
      const id = `id-${++next}`;
      for (;;) {
        const body = { name: 'e', channel, data: JSON.stringify(id), idempotency_key: id };
        const answer = await server.api.post('/events', body).catch(() => undefined);
        if (answer?.status === 200) break;
        if (over) return;
        await eventually(() => server.api.get('/channels').then(({ status }) => status === 200, () => false), 'the server');
      }
      acked.add(id);
    }
  };
  const writers = [1, 2, 3, 4].map(writer);
  for (let crash = 0; crash < 6; crash++) {
    const goal = acked.size + 5 + below(40);
    await eventually(() => acked.size >= goal, 'some events');
    await server.crash();
  }
  await eventually(() => acked.size > 200, 'the rest');
  over = true;
  await Promise.all(writers);
  const { json } = await server.api.get(`/channels/${channel}/history`);
  await eventually(() => own.position?.offset === json.offset, 'the client is at the end');
  const shown = own.events.items.filter(({ name }) => name === 'e').map(({ data }) => data);
  assert.equal(new Set(shown).size, shown.length, 'something was shown twice');
  assert.deepEqual(own.events.items.filter(({ name }) => name === 'oyez:gap'), []);
  for (const id of acked) assert.ok(shown.includes(id), `${id} was answered and never shown`);
  const tail = json.events.map(({ data }) => JSON.parse(data));
  assert.deepEqual(shown.slice(-tail.length), tail, 'the log and what was shown are one');
});

test('durable = false: a new epoch after a restart, and an aware client is told', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('passing-');
  await server.api.publish(channel, 'e', '1');
  const { cut: before } = await subscribeAt(await server.connect(), channel);
  const client = oyezFor(t, server);
  const own = await joined(client, channel);
  await own.events.event('e');
  await server.crash();
  const gap = await own.events.event('oyez:gap');
  assert.deepEqual([gap.data.reason, gap.data.to.offset], ['epoch', 0]);
  const { cut, replay } = await subscribeAt(await server.connect(), channel, { oyez: AWARE, resume: positionOf(before) });
  assert.notEqual(cut.epoch, before.epoch);
  assert.deepEqual([cut.resumed, cut.reason, cut.offset, replay.length], [false, 'epoch', 0, 0]);
});

test('durable = "relaxed": kept within moments, and after a clean stop entirely', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('relaxed-');
  for (let n = 1; n <= 50; n++) await server.api.publish(channel, 'e', String(n));
  const { cut: before } = await subscribeAt(await server.connect(), channel);
  await server.end();
  await server.again();
  const { cut, replay } = await subscribeAt(await server.connect(), channel, { oyez: AWARE, resume: positionOf(before) });
  assert.deepEqual([cut.epoch, cut.offset, cut.resumed, replay.length], [before.epoch, 50, true, 0]);
  // A crash may lose the last moments; then whoever saw them is told.
  const client = oyezFor(t, server);
  const own = await joined(client, channel);
  for (let n = 51; n <= 60; n++) await server.api.publish(channel, 'e', String(n));
  await eventually(() => own.position?.offset === 60, 'all ten');
  own.events.drain();
  await server.crash();
  await own.events.event('pusher:subscription_succeeded');
  const { json } = await server.api.get(`/channels/${channel}/history`);
  await eventually(() => own.position?.offset === json.offset, 'the end of what is left');
  const gaps = own.events.items.filter(({ name }) => name === 'oyez:gap');
  assert.equal(gaps.length, json.offset === 60 ? 0 : 1, `the log ends at ${json.offset}`);
  assert.ok(json.offset >= 50);
});

test('T-017 a restored data folder: whoever has seen the lost events is re-cut when offsets overlap', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  for (let n = 1; n <= 5; n++) await server.api.publish(channel, 'e', `"old ${n}"`);
  await server.end();
  const backup = temporaryFolder();
  fs.cpSync(server.data, backup, { recursive: true });
  await server.again();
  const link = await linkFor(t, server);
  const clients = await Promise.all([1, 2, 3].map(() => oyezFor(t, server, { port: link.port })));
  const channels = await Promise.all(clients.map((client) => joined(client, channel)));
  const saw = clients.map(() => 0);
  for (let n = 6; n <= 10; n++) await server.api.publish(channel, 'e', `"lost ${n}"`);
  await eventually(() => channels.every((own) => own.position?.offset === 10), 'all have seen the ten');
  const positions = channels.map((own) => own.position);
  const { cut: middle } = await subscribeAt(await server.connect(), channel);
  link.down();
  await server.end();
  fs.rmSync(server.data, { recursive: true });
  fs.cpSync(backup, server.data, { recursive: true });
  await server.again();
  for (const [round, upTo] of [7, 10, 12].entries()) { // fewer, as many and more than were lost
    const { json } = await server.api.get(`/channels/${channel}/history`);
    for (let n = json.offset + 1; n <= upTo; n++) await server.api.publish(channel, 'e', `"new ${n}"`);
    for (const offset of [6, 7, 10]) {
      const resume = { ...positionOf(middle), offset };
      const { cut, replay } = await subscribeAt(await server.connect(), channel, { oyez: AWARE, resume });
      assert.equal(cut.resumed, false, `at ${offset} of the lost term, the log is at ${upTo}`);
      assert.ok(['diverged', 'ahead'].includes(cut.reason), cut.reason);
      assert.equal(replay[0].data, `"new ${upTo}"`);
    }
    // The fifth was in the backup: but only under its own term. Who has not seen more may go on.
    saw[round] = positions[round].offset;
  }
  link.up();
  for (const own of channels) {
    const gap = await own.events.event('oyez:gap');
    assert.equal(gap.data.from.offset, 10);
    await own.events.until((items) => items.some(({ data }) => data === 'new 12'), 'the newest');
  }
  fs.rmSync(backup, { recursive: true });
});

test('a data folder opened twice is refused with a clear message', async (t) => {
  const server = await serverFor(t, { app });
  const other = fs.readFileSync(server.config, 'utf8').replace(/listen = .*/, 'listen = "127.0.0.1:0"');
  const config = `${server.folder}/second.toml`;
  fs.writeFileSync(config, other);
  const { code, log } = await run(['serve', '--config', config]).exited;
  assert.notEqual(code, 0);
  assert.match(log, /data/);
  assert.match(log, /(in use|another|already|locked|opened)/);
  await server.api.publish(fresh('kept-'), 'e', 'x');
});

test('P the official client ends on the current truth through a kill -9', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  const client = clientFor(t, server);
  const own = await subscribed(client, channel);
  await server.api.publish(channel, 'state', { round: 1 });
  assert.deepEqual((await own.events.event('state')).data, { round: 1 });
  await server.kill();
  await server.again();
  await server.api.publish(channel, 'state', { round: 2 });
  await own.events.event('pusher:subscription_succeeded');
  assert.deepEqual((await own.events.event('state')).data, { round: 2 });
});
