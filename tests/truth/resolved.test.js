// SPDX-License-Identifier: MIT OR Apache-2.0
// Truth that Oyez asks for: one question at a time, the last answer reflects the last `changed`,
// whatever the backend does (T-026, I9).
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { eventually, passing } from '../support/inbox.js';
import { AWARE, subscribeAt } from '../support/log.js';
import { fresh, member, random, seed } from '../support/names.js';
import { clientFor, subscribed } from '../support/official.js';
import { joined, oyezFor } from '../support/oyez.js';
import { Server, useServer } from '../support/server.js';
import { Source } from '../support/source.js';

const source = await Source.start();
after(() => source.stop());
/** A backend of its own kind for each bad answer: the channel's name says which. */
const strange = http.createServer((call, reply) => answerStrangely(call, reply));
strange.listen(0, '127.0.0.1');
await once(strange, 'listening');
after(() => strange.close());
const strangeUrl = `http://127.0.0.1:${strange.address().port}/truth`;

const truth = (more) => ({ url: source.url, event: 'STATE', timeout: '2s', ...more });
const server = await useServer({ app: { channels: [
  { match: 'game-*', truth: truth({ settle: '200ms', wait: '5s' }) },
  { match: 'presence-game-*', truth: truth({ settle: '0s' }) },
  { match: 'once-*', truth: truth({ settle: '0s', wait: '2s' }) },
  { match: 'confirmed-*', truth: truth({ settle: '0s', wait: '5s', confirm: true }) },
  { match: 'impatient-*', truth: truth({ settle: '0s', wait: '100ms', confirm: true }) },
  { match: 'slow-*', truth: truth({ settle: '0s', wait: '100ms' }) },
  { match: 'fresh-*', truth: truth({ settle: '0s', refresh: '200ms' }) },
  { match: 'strange-*', truth: truth({ url: strangeUrl, settle: '0s', timeout: '300ms', wait: '50ms' }) },
] } });
const changed = (channel, body = {}) => server.api.post(`/channels/${channel}/changed`, body);
const truthOf = (channel, query) => server.api.get(`/channels/${channel}/truth`, query);

test('a subscriber’s answer waits for the truth, and comes with it; the question is signed', async () => {
  const channel = fresh('once-');
  source.truths.set(channel, { players: ['anna'] });
  const { cut, replay } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual([cut.offset, replay[0].event, replay[0].data], [1, 'STATE', '{"players":["anna"]}']);
  const question = source.questions.items.find((one) => one.channel === channel);
  assert.deepEqual([question.valid, question.app_id, question.path], [true, server.app.id, '/truth']);
  const second = await subscribeAt(await server.connect(), channel);
  assert.equal(second.replay[0].data, '{"players":["anna"]}');
  assert.equal(source.asked(channel), 1, 'what is known is not asked for again');
});

test('404 is no truth; later ones come live', async () => {
  const channel = fresh('once-');
  const socket = await server.connect();
  const { cut } = await subscribeAt(socket, channel);
  assert.deepEqual([cut.offset, cut.replay], [0, 0]);
  source.truths.set(channel, 1);
  assert.equal((await changed(channel)).status, 202);
  assert.equal((await socket.event('STATE', channel)).data, '1');
  source.truths.delete(channel);
  await changed(channel);
  await eventually(async () => (await truthOf(channel)).status === 404, 'none');
});

test('a resolver that is slower than `wait`: the answer goes first, the truth follows live', async () => {
  const channel = fresh('slow-');
  source.truths.set(channel, 'late');
  let release;
  const held = new Promise((resolve) => (release = resolve));
  source.answer = async ({ channel: of }) => (of === channel ? (await held, { body: '"late"' }) : {});
  const socket = await server.connect();
  const start = performance.now();
  const { cut } = await subscribeAt(socket, channel);
  const took = performance.now() - start;
  assert.ok(took >= 90 && took < 1_500, `${took} ms`);
  assert.deepEqual([cut.offset, cut.replay], [0, 0]);
  release();
  const live = await socket.event('STATE', channel);
  assert.deepEqual([live.data, live.offset, live.replayed], ['"late"', 1, undefined]);
  source.answer = () => ({});
});

test('a thousand subscribers at once cost one call, and a thousand `changed` at most two and one to settle', async () => {
  const channel = fresh('game-');
  source.truths.set(channel, { n: 0 });
  source.answer = () => ({ delay: 50 });
  const sockets = await server.connectAll(1000);
  const cuts = await Promise.all(sockets.map((socket) => subscribeAt(socket, channel)));
  for (const { replay } of cuts) assert.equal(replay[0].data, '{"n":0}');
  assert.equal(source.asked(channel), 1);
  source.truths.set(channel, { n: 1 });
  const batch = Array.from({ length: 10 }, () => ({ channel, name: 'oyez:changed', data: '{}' }));
  const answers = await Promise.all(Array.from({ length: 100 }, () => server.api.post('/batch_events', { batch })));
  assert.deepEqual([...new Set(answers.map(({ status, text }) => `${status} ${text}`))], ['200 {}']);
  for (const socket of sockets) assert.equal((await socket.event('STATE', channel)).data, '{"n":1}');
  await eventually(() => source.asked(channel) >= 3, 'the one that makes sure');
  await passing(500);
  // The burst itself may take longer than one answer: then it is several bursts.
  assert.ok(source.asked(channel) <= 6, `${source.asked(channel) - 1} calls`);
  for (const socket of sockets) assert.equal(socket.messages.items.length, 0, 'something was sent twice');
  source.answer = () => ({});
  sockets.forEach((socket) => socket.vanish());
});

test('T-026 the source changes 300 times, the resolver takes up to 500 ms and fails one time in five', async (t) => {
  const { below, chance } = random(seed(t));
  const channel = fresh('game-');
  source.mostAtOnce = 0;
  source.truths.set(channel, { n: 0 });
  source.answer = ({ channel: of }) => (of !== channel ? {} : chance(0.2) ? { status: 500, delay: below(300) } : { delay: below(500) });
  const socket = await server.connect();
  await subscribeAt(socket, channel);
  const own = await joined(oyezFor(t, server), channel);
  const plain = await subscribed(clientFor(t, server), channel);
  for (let n = 1; n <= 300; n++) {
    source.truths.set(channel, { n });
    assert.equal((await changed(channel)).status, 202);
    if (n % 10 === 0) await passing(below(100));
  }
  await eventually(() => own.truth?.n === 300, 'the final value', 20_000);
  await plain.events.until((items) => items.at(-1)?.data?.n === 300, 'the final value', 20_000);
  assert.equal(source.mostAtOnce, 1);
  const seen = socket.messages.items.filter(({ event }) => event === 'STATE').map(({ data }) => JSON.parse(data).n);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'a value went back');
  // `changed` that runs ahead of its commit: still final within `settle`.
  source.answer = () => ({});
  await eventually(async () => (await truthOf(channel)).json.stale === false, 'fresh');
  const before = performance.now();
  await changed(channel);
  await source.questions.until((items) => items.some((one) => one.channel === channel && one.at > before), 'the early question');
  source.truths.set(channel, { n: 301 }); // the commit, after the backend was asked
  await eventually(() => own.truth?.n === 301, 'the final value', 2_000);
  source.answer = () => ({});
});

test('min_version: an answer older than that is asked for again', async () => {
  const channel = fresh('once-');
  let lag = 3;
  source.answer = ({ channel: of }) => {
    if (of !== channel) return {};
    const isOld = lag-- > 0;
    return { body: JSON.stringify(isOld ? 'old' : 'new'), headers: { 'oyez-version': isOld ? '6' : '7' } };
  };
  await changed(channel, { min_version: 7 });
  const socket = await server.connect();
  await subscribeAt(socket, channel);
  await eventually(async () => (await truthOf(channel)).json?.data === 'new', 'the new one');
  const all = await server.api.get(`/channels/${channel}/history`);
  assert.deepEqual(all.json.events.map(({ data }) => data), ['"new"'], 'an old answer was taken');
  source.answer = () => ({});
});

test('confirm: no page is shown less than it was rendered from, though nobody has said `changed` yet', async (t) => {
  const channel = fresh('confirmed-');
  source.truths.set(channel, ['anna']);
  const first = await server.connect();
  await subscribeAt(first, channel);
  // Committed, and rendered into a page: `changed` is still on its way.
  source.truths.set(channel, ['anna', 'ben']);
  const page = await subscribed(clientFor(t, server), channel);
  await page.events.until((items) => items.length > 0, 'the truth');
  assert.deepEqual(page.events.items.map(({ data }) => data), [['anna', 'ben']]);
  const live = await first.event('STATE', channel);
  assert.equal(live.data, '["anna","ben"]', 'and whoever was there hears of it');
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual([replay.length, replay[0].offset], [1, live.offset], 'what is the same is sent to nobody');
  assert.equal(source.asked(channel), 3);
});

test('confirm: a question that began before a page came does not do for it, and a crowd costs two', async () => {
  const channel = fresh('confirmed-');
  source.truths.set(channel, 'old');
  const gates = [];
  source.answer = ({ channel: of }) => (of === channel ? new Promise((go) => gates.push(() => go({}))) : {});
  const [first, ...crowd] = await server.connectAll(200);
  const early = subscribeAt(first, channel);
  await eventually(() => gates.length === 1, 'the first question');
  source.truths.set(channel, 'new');
  const cuts = Promise.all(crowd.map((socket) => subscribeAt(socket, channel)));
  await Promise.all(crowd.map((socket) => socket.alive()));
  gates[0]();
  assert.equal((await early).replay[0].data, '"old"', 'what was true when it came');
  await eventually(() => gates.length === 2, 'the second question');
  gates[1]();
  for (const { replay } of await cuts) assert.equal(replay[0].data, '"new"');
  assert.equal((await first.event('STATE', channel)).data, '"new"');
  assert.equal(source.asked(channel), 2);
  source.answer = () => ({});
  [first, ...crowd].forEach((socket) => socket.vanish());
});

test('confirm: when nobody answers, the last truth is shown after `wait`', async () => {
  const channel = fresh('impatient-');
  source.truths.set(channel, 'known');
  await subscribeAt(await server.connect(), channel);
  source.answer = ({ channel: of }) => (of === channel ? { hang: true } : {});
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.equal(replay[0].data, '"known"');
  source.answer = () => ({});
});

test('a failing resolver: the truth stays, marked stale, and is repaired as soon as it can be', async () => {
  const channel = fresh('once-');
  source.truths.set(channel, 'good');
  const socket = await server.connect();
  await subscribeAt(socket, channel);
  source.answer = ({ channel: of }) => (of === channel ? { status: 503 } : {});
  source.truths.set(channel, 'better');
  await changed(channel);
  await eventually(async () => (await truthOf(channel)).json.stale === true, 'stale');
  assert.equal((await truthOf(channel)).json.data, 'good');
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.equal(replay[0].data, '"good"', 'never cleared by an error');
  source.answer = () => ({});
  assert.equal((await socket.event('STATE', channel)).data, '"better"');
  assert.equal((await truthOf(channel)).json.stale, false);
});

test('refresh asks again while somebody is subscribed, and not when nobody is', async () => {
  const channel = fresh('fresh-');
  source.truths.set(channel, 1);
  const socket = await server.connect();
  await subscribeAt(socket, channel);
  source.truths.set(channel, 2); // nobody says `changed`
  assert.equal((await socket.event('STATE', channel)).data, '2');
  await socket.close();
  await passing(300);
  const asked = source.asked(channel);
  await passing(800);
  assert.ok(source.asked(channel) <= asked + 1, 'it is asked for nobody');
});

test('with presence: members, truth, and a member that is refused costs nothing', async () => {
  const channel = fresh('presence-game-');
  source.truths.set(channel, { round: 1 });
  const socket = await server.connect();
  const { data, replay } = await subscribeAt(socket, channel, { data: member('anna'), oyez: AWARE });
  assert.deepEqual([data.presence.ids, replay[0].data, data.oyez.version], [['anna'], '{"round":1}', 1]);
});

test('T-021 whoever leaves while its answer waits for the resolver is not subscribed by it', async () => {
  const channel = fresh('once-');
  let release;
  const held = new Promise((resolve) => (release = resolve));
  source.answer = async ({ channel: of }) => (of === channel ? (await held, { body: '1' }) : {});
  const [leaver, returner, goner] = await server.connectAll(3);
  for (const socket of [leaver, returner, goner]) await socket.send(socket.subscription(channel));
  await eventually(() => source.asked(channel) === 1, 'the question');
  await leaver.unsubscribe(channel);
  await returner.unsubscribe(channel);
  await returner.send(returner.subscription(channel));
  goner.vanish();
  await Promise.all([leaver.alive(), returner.alive()]);
  release();
  await returner.subscribed(channel);
  assert.equal((await returner.event('STATE', channel)).data, '1');
  await returner.fence(channel);
  await leaver.alive();
  assert.ok(!leaver.messages.items.some(({ channel: of, event }) => of === channel && event === 'STATE'));
  const { json } = await server.api.get(`/channels/${channel}`, { info: 'subscription_count' });
  assert.equal(json.subscription_count, 1);
  source.answer = () => ({});
});

test('a restart asks again: what was true before is not taken for what is', async (t) => {
  const other = await Source.start();
  const one = await Server.start({ app: { channels: [{ match: '*', truth: { url: other.url, event: 'STATE', settle: '0s', wait: '3s' } }] } });
  t.after(async () => { await one.stop(); await other.stop(); });
  const channel = fresh();
  other.truths.set(channel, 'before');
  await subscribeAt(await one.connect(), channel);
  await one.kill();
  other.truths.set(channel, 'changed while it was down');
  await one.again();
  const { replay } = await subscribeAt(await one.connect(), channel);
  assert.deepEqual([replay.at(-1).data, replay.length, replay[0].offset], ['"changed while it was down"', 1, 2]);
});

// What a backend can do wrong; the channel's name says what.
const WRONG = {
  garbage: (reply) => reply.writeHead(200).end('<html>sorry</html>'),
  empty: (reply) => reply.writeHead(200).end(),
  huge: (reply) => reply.writeHead(200).end(`"${'x'.repeat(10 * 1024 * 1024)}"`),
  endless: (reply) => {
    reply.writeHead(200);
    reply.on('error', () => {});
    const more = () => { while (!reply.destroyed && reply.write('[1,'.repeat(10_000))); };
    reply.on('drain', more);
    more();
  },
  redirect: (reply) => reply.writeHead(302, { location: source.url }).end(),
  hang: () => {},
  deep: (reply) => reply.writeHead(200).end('['.repeat(5_000) + ']'.repeat(5_000)),
  latin: (reply) => reply.writeHead(200).end(Buffer.from([0x22, 0xe4, 0x22])),
  reset: (reply) => reply.socket.resetAndDestroy(),
  short: (reply) => { reply.writeHead(200, { 'content-length': '1000' }); reply.write('{"a":'); setTimeout(() => reply.destroy(), 20); },
  created: (reply) => reply.writeHead(201).end('1'),
  nothing: (reply) => reply.writeHead(204).end(),
};
const repaired = new Set();
async function answerStrangely(call, reply) {
  const parts = [];
  for await (const part of call) parts.push(part);
  const { channel } = JSON.parse(Buffer.concat(parts).toString());
  if (repaired.has(channel)) return reply.writeHead(200).end('"repaired"');
  WRONG[channel.split('-')[1]](reply);
}

for (const kind of Object.keys(WRONG)) {
  test(`a resolver that answers wrongly (${kind}) delays nobody and is asked again`, async () => {
    const channel = fresh(`strange-${kind}-`);
    const socket = await server.connect();
    const asked = source.questions.items.length;
    const start = performance.now();
    const { cut } = await subscribeAt(socket, channel);
    assert.ok(performance.now() - start < 2_000);
    assert.deepEqual([cut.offset, cut.replay], [0, 0]);
    await server.api.publish(channel, 'other', 'x');
    await socket.event('other', channel);
    assert.equal((await truthOf(channel)).status, 404);
    repaired.add(channel);
    assert.equal((await socket.event('STATE', channel)).data, '"repaired"');
    assert.equal(source.questions.items.length, asked, 'the redirect was followed');
  });
}

test('bad input of `changed`', async () => {
  const channel = fresh('game-');
  for (const body of [{ min_version: -1 }, { min_version: 'x' }, { min_version: 1.5 }, 'x', '[]']) {
    const { status, json } = await changed(channel, body);
    assert.equal(status, 400, `${JSON.stringify(body)}: ${JSON.stringify(json)}`);
  }
  assert.equal((await changed(channel, '')).status, 202);
  assert.equal((await changed(fresh())).status, 400);
});
