// SPDX-License-Identifier: MIT OR Apache-2.0
// Resume: whoever comes back with its position gets exactly what it missed, or is told that it
// cannot (G5). There is no third outcome.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/inbox.js';
import { linkFor } from '../support/link.js';
import { AWARE, Transcript, listen, positionOf, subscribeAt } from '../support/log.js';
import { fresh, member } from '../support/names.js';
import { recorded } from '../support/official.js';
import { joined, oyezFor } from '../support/oyez.js';
import { useServer } from '../support/server.js';

const server = await useServer({ app: { channels: [
  { match: 'ring-*', replay: 'all', history: { events: 20, age: '10m' } },
  { match: 'cache-long-*', replay: 'latest', history: { events: 100 } },
  { match: 'private-*', replay: 'latest', history: { events: 100 } },
  { match: 'presence-*', replay: 'latest', history: { events: 100 } },
  { match: 'per-*', replay: 'latest-per-event', history: { events: 50 } },
  { match: 'burst-*', history: { events: 8 } },
  { match: 'latest-*', replay: 'latest', history: { events: 100 } },
] } });

async function publishNumbers(channel, from, to, extra) {
  for (let n = from; n <= to; n++) await server.api.publish(channel, 'n', String(n), extra);
}

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const shown = (events) => events.items.filter(({ name }) => name === 'n').map(({ data }) => data);

test('T-012 a channel that was left before anything happened begins where it was', async () => {
  const channel = fresh('burst-');
  const seen = (await server.api.get(`/channels/${channel}/history`)).json;
  assert.deepEqual([seen.offset, seen.events], [0, []]);
  const first = await server.connect();
  const { epoch, term, offset } = (await first.subscribe(channel, { oyez: AWARE })).oyez;
  assert.deepEqual([epoch, term, offset], [seen.epoch, seen.term, 0]);
  await first.close();
  // The only subscriber is gone for longer than `webhook_delay`: nothing is kept of the channel.
  await new Promise((resolve) => setTimeout(resolve, 600));
  await publishNumbers(channel, 1, 3);
  const missed = await server.api.get(`/channels/${channel}/history`, { since: 0, epoch, term });
  assert.deepEqual([missed.status, missed.json.events?.map(({ data }) => data)], [200, ['1', '2', '3']]);
  const back = await server.connect();
  const again = (await back.subscribe(channel, { oyez: AWARE, resume: { epoch, term, offset } })).oyez;
  assert.deepEqual([again.resumed, again.replay], [true, 3]);
});

test('T-012 oyez.js without a link during 50 events gets exactly those, in order, without a gap', async (t) => {
  const channel = fresh('latest-');
  const link = await linkFor(t, server);
  const client = oyezFor(t, server, { port: link.port });
  await publishNumbers(channel, 1, 3);
  const own = await joined(client, channel);
  await own.events.until((items) => items.some(({ data }) => data === 3), 'the replay');
  link.down();
  await client.states.take((state) => state === 'connecting');
  await publishNumbers(channel, 4, 53);
  link.up();
  await own.events.event('pusher:subscription_succeeded');
  await own.events.until((items) => items.some(({ data }) => data === 53), 'the last');
  assert.deepEqual(shown(own.events), numbers(3, 53));
  await publishNumbers(channel, 54, 54);
  await own.events.until((items) => items.some(({ data }) => data === 54), 'the next live one');
  assert.ok(!own.events.items.some(({ name }) => name === 'oyez:gap'));
  assert.equal(own.position.offset, 54);
  // Late binding: a second component is shown the newest value, however late it comes.
  const late = [];
  own.bind('n', (data) => late.push(data), { replay: true });
  assert.deepEqual(late, [54]);
});

test('T-013 oyez.js that returns after the ring has passed it hears one gap, then contiguous events', async (t) => {
  const channel = fresh('ring-');
  const link = await linkFor(t, server);
  const client = oyezFor(t, server, { port: link.port });
  const own = await joined(client, channel);
  await publishNumbers(channel, 1, 5);
  await eventually(() => own.position?.offset === 5, 'five events');
  link.down();
  await client.states.take((state) => state === 'connecting');
  await publishNumbers(channel, 6, 40);
  link.up();
  const gap = await own.events.event('oyez:gap');
  await own.events.until((items) => items.some(({ data }) => data === 40), 'the last');
  await publishNumbers(channel, 41, 50);
  await own.events.until((items) => items.some(({ data }) => data === 50), 'live ones');
  assert.deepEqual([gap.data.reason, gap.data.from.offset, gap.data.to.offset], ['trimmed', 5, 40]);
  assert.deepEqual(shown(own.events), [...numbers(1, 5), ...numbers(21, 50)]);
  assert.equal(own.events.items.filter(({ name }) => name === 'oyez:gap').length, 0, 'a second gap');
});

for (const prefix of ['ring-', 'latest-', 'per-']) {
  test(`T-014 ${prefix} a link that dies after the answer, or after any replayed frame, costs nothing`, async (t) => {
    const channel = fresh(prefix);
    const names = ['a', 'b', 'n', 'c'];
    for (let n = 1; n <= 10; n++) await server.api.publish(channel, names[n % 4], String(n));
    for (let frames = 0; frames <= 11; frames++) {
      const link = await linkFor(t, server);
      let left = frames;
      link.cutsAfter = (text) => {
        if (link.count > 1) return false;
        const { event, channel: of } = JSON.parse(text || '{}');
        if (of !== channel) return false;
        return event === 'pusher_internal:subscription_succeeded' ? left === 0 : --left === 0;
      };
      const client = oyezFor(t, server, { port: link.port });
      const own = client.subscribe(channel);
      const held = new Map();
      const all = [];
      own.bind_global((event, data) => {
        if (event.includes(':')) return;
        held.set(event, data);
        all.push(data);
      });
      await eventually(() => own.position?.offset === 10, 'the end of the log');
      if (prefix === 'latest-') assert.equal(held.get('b') ?? held.get('n'), 10);
      else assert.deepEqual(Object.fromEntries(held), { b: 9, n: 10, c: 7, a: 8 }, `cut after ${frames} frames`);
      if (prefix === 'ring-') assert.deepEqual([...new Set(all)].sort((a, b) => a - b), numbers(1, 10));
      client.disconnect();
      await link.stop();
    }
  });
}

test('T-014 a link that dies within the frames of a resume costs nothing and repeats nothing', async (t) => {
  const channel = fresh('latest-');
  for (let frames = 0; frames <= 5; frames++) {
    const link = await linkFor(t, server);
    const client = oyezFor(t, server, { port: link.port });
    const own = await joined(client, channel);
    await server.api.publish(channel, 'n', '0');
    await own.events.until((items) => items.some(({ data }) => data === 0), 'the first');
    own.events.drain();
    let left = frames;
    const second = link.count + 1;
    link.cutsAfter = (text) => {
      const { event, channel: of } = JSON.parse(text || '{}');
      if (link.count !== second || of !== channel) return false;
      return event === 'pusher_internal:subscription_succeeded' ? left === 0 : --left === 0;
    };
    link.down();
    await client.states.take((state) => state === 'connecting');
    await publishNumbers(channel, 1, 5);
    link.up();
    await own.events.until((items) => items.some(({ data }) => data === 5), 'the last');
    assert.deepEqual(shown(own.events), numbers(1, 5), `cut after ${frames} frames`);
    assert.ok(!own.events.items.some(({ name }) => name === 'oyez:gap'));
    client.disconnect();
    await link.stop();
  }
});

test('T-015 every position has its answer, and what cannot be one a clear error', async () => {
  const channel = fresh('ring-');
  await publishNumbers(channel, 1, 50); // the ring holds 31 to 50
  const { cut: now } = await subscribeAt(await server.connect(), channel);
  const low = 31;
  const at = (offset, more = {}) => ({ epoch: now.epoch, term: now.term, offset, ...more });
  const table = [
    [at(low - 1), true, numbers(low, 50)],
    [at(low), true, numbers(low + 1, 50)],
    [at(49), true, [50]],
    [at(50), true, []],
    [at(low - 2), 'trimmed'],
    [at(0), 'trimmed'],
    [at(51), 'ahead'],
    [at(2 ** 53 - 1), 'ahead'],
    [at(50, { epoch: 'AAAAAAAA' }), 'epoch'],
    [at(50, { epoch: 'not one of ours' }), 'epoch'],
    [at(50, { term: 'AAAAAAAA' }), 'diverged'],
    [at(50, { term: '' }), 'diverged'],
    [at(51, { term: 'AAAAAAAA' }), 'diverged'],
  ];
  for (const oyez of [AWARE, undefined]) {
    for (const [resume, outcome, missed] of table) {
      const socket = await server.connect();
      const { cut, replay } = await subscribeAt(socket, channel, { oyez, resume });
      const what = JSON.stringify(resume);
      if (outcome === true) {
        assert.deepEqual([cut.resumed, cut.replay, cut.reason], [true, missed.length, undefined], what);
        assert.deepEqual(replay.map(({ offset }) => offset), missed, what);
      } else {
        assert.deepEqual([cut.resumed, cut.reason, cut.replay], [false, outcome, 20], what);
        assert.deepEqual(replay.map(({ offset }) => offset), numbers(31, 50), what);
      }
      assert.equal(cut.offset, 50);
      socket.vanish();
    }
  }
  const lies = [
    at(2 ** 53), at(-1), at(1.5), at('50'), at(null), at(true), at([50]), at({}), at(1e300), at(undefined),
    at(50, { epoch: 7 }), at(50, { epoch: undefined }), at(50, { term: null }), at(50, { socket: 5 }),
    at(50, { socket: 'x' }), 'x', 7, [], null,
  ];
  const socket = await server.connect();
  for (const resume of lies) {
    const what = JSON.stringify(resume);
    if (resume === null) continue; // the same as none
    const error = await socket.refused(channel, { oyez: AWARE, resume });
    assert.equal(error.status, 400, what);
    assert.match(error.error, /resume/, what);
  }
  const { cut } = await subscribeAt(socket, channel, { oyez: AWARE, resume: at(50) });
  assert.equal(cut.resumed, true, 'the connection lives');
});

test('T-015 resume of a channel without memory is a plain subscription', async () => {
  const channel = fresh();
  const socket = await server.connect();
  const { data } = await subscribeAt(socket, channel, {
    oyez: { v: 1, gen: 3 }, resume: { epoch: 'AAAAAAAA', term: 'AAAAAAAA', offset: 4 },
  });
  assert.deepEqual(data, {});
  await server.api.publish(channel, 'e', 'x');
  const { offset } = await socket.event('e', channel);
  assert.equal(offset, undefined);
});

test('T-016 while the ring is trimmed, whoever resumes at its edge gets everything or is told', async () => {
  const channel = fresh('burst-');
  const texts = {};
  let next = 0;
  let over = false;
  const first = await server.connect();
  const { cut } = await subscribeAt(first, channel, { oyez: AWARE });
  first.vanish();
  const writer = async () => {
    while (!over) {
      const { channels } = await server.api.publish(channel, 'n', String(++next), { info: 'position' });
      texts.last = Math.max(texts.last ?? 0, channels[channel].position.offset);
    }
  };
  const writers = [writer(), writer(), writer()];
  const outcomes = { resumed: 0, trimmed: 0 };
  const sockets = await server.connectAll(100);
  await eventually(() => texts.last > 30, 'a full ring');
  await Promise.all(sockets.map(async (socket, n) => {
    let [take, fail] = [];
    listen(socket, (message) => {
      // What comes after a subscription was left belongs to nobody.
      const isAnswer = message.event === 'pusher_internal:subscription_succeeded';
      if (message.channel !== channel || (gone && !isAnswer)) return;
      gone = false;
      try {
        take(message);
      } catch (error) {
        fail(error);
      }
    });
    let gone = true;
    for (let round = 0; round < 5; round++) {
      const offset = Math.max(0, texts.last - 8 + (n % 5));
      const transcript = new Transcript();
      const enough = new Promise((resolve, reject) => {
        take = (message) => {
          transcript.take(message);
          if (transcript.isWhole && transcript.offset >= transcript.cuts[0].offset + 3) resolve();
        };
        fail = reject;
      });
      socket.send(socket.subscription(channel, { oyez: AWARE, resume: { ...positionOf(cut), offset } }));
      await enough;
      const [told] = transcript.cuts;
      assert.ok(told.resumed || told.reason === 'trimmed', JSON.stringify(told));
      if (told.resumed) {
        assert.deepEqual(transcript.shown.slice(0, told.replay), numbers(offset + 1, told.offset), 'everything that was missed');
      }
      outcomes[told.resumed ? 'resumed' : 'trimmed'] += 1;
      gone = true;
      socket.unsubscribe(channel);
    }
  })).finally(() => (over = true));
  over = true;
  await Promise.all(writers);
  assert.ok(outcomes.resumed > 20 && outcomes.trimmed > 20, JSON.stringify(outcomes));
});

test('T-021 oyez.js shows no frame of the subscription before, and its view is exact', async (t) => {
  const channel = fresh('latest-');
  const client = oyezFor(t, server);
  let own = await joined(client, channel);
  let over = false;
  let published = 0;
  const writer = (async () => {
    while (!over) await server.api.publish(channel, 'n', String(++published));
  })();
  for (let round = 0; round < 40; round++) {
    await own.events.until((items) => items.filter(({ name }) => name === 'n').length >= 3, 'three events');
    const old = own.events;
    client.unsubscribe(channel);
    const before = old.items.length;
    own = client.subscribe(channel);
    const events = [];
    own.bind_global((name, data) => events.push({ name, data }));
    own.events = recorded(own, channel);
    await own.events.event('pusher:subscription_succeeded');
    await own.events.until((items) => items.filter(({ name }) => name === 'n').length >= 3, 'three more');
    assert.equal(old.items.length, before, 'the first channel was shown something after it was left');
    assert.equal(events[0].name, 'pusher:subscription_succeeded', 'a frame before the answer');
    const seen = shown(own.events);
    assert.deepEqual(seen, numbers(seen[0], seen.at(-1)));
    assert.ok(!own.events.items.some(({ name }) => name === 'oyez:gap'));
  }
  over = true;
  await writer;
});

test('T-022 the excluded socket sees no echo and no gap, also after a resume; another tab does', async (t) => {
  const channel = fresh('latest-');
  const link = await linkFor(t, server);
  const mine = oyezFor(t, server, { port: link.port });
  const other = oyezFor(t, server);
  const own = await joined(mine, channel);
  const tab = await joined(other, channel);
  await server.api.publish(channel, 'n', '1', { socket_id: mine.connection.socket_id });
  await server.api.publish(channel, 'n', '2');
  await own.events.until((items) => items.some(({ data }) => data === 2), 'the second');
  assert.deepEqual(shown(own.events), [2]);
  assert.equal(own.position.offset, 2);
  const socketId = mine.connection.socket_id;
  link.down();
  await mine.states.take((state) => state === 'connecting');
  await server.api.publish(channel, 'n', '3', { socket_id: socketId });
  await server.api.publish(channel, 'n', '4');
  await server.api.publish(channel, 'n', '5', { socket_id: socketId });
  link.up();
  await eventually(() => own.position?.offset === 5, 'the end of the log');
  assert.deepEqual(shown(own.events), [2, 4]);
  assert.ok(!own.events.items.some(({ name }) => name === 'oyez:gap'));
  assert.deepEqual(shown(tab.events), [1, 2, 3, 4, 5]);
});

test('T-022 the excluded socket gets nothing (plain) or oyez:skip (aware), and the offset is consumed', async () => {
  const channel = fresh('ring-');
  const [plain, aware, rest] = await server.connectAll(3);
  await subscribeAt(plain, channel);
  await subscribeAt(aware, channel, { oyez: AWARE });
  await subscribeAt(rest, channel);
  await server.api.publish(channel, 'n', '1', { socket_id: plain.socketId });
  await server.api.publish(channel, 'n', '2', { socket_id: aware.socketId });
  await server.api.publish(channel, 'n', '3');
  const offsets = async (socket) => {
    await socket.messages.until((items) => items.some(({ data }) => data === '3'), 'the last');
    return socket.messages.drain().filter((m) => m.channel === channel).map(({ event, offset, data }) => [event, offset, data]);
  };
  assert.deepEqual(await offsets(plain), [['n', 2, '2'], ['n', 3, '3']]);
  assert.deepEqual(await offsets(aware), [['n', 1, '1'], ['oyez:skip', undefined, '{"offset":2}'], ['n', 3, '3']]);
  assert.deepEqual(await offsets(rest), [['n', 1, '1'], ['n', 2, '2'], ['n', 3, '3']]);
  // After a reconnect a plain client is shown the event: converging beats echo suppression.
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual(replay.map(({ data }) => data), ['1', '2', '3']);
});

test('a position in signed channel_data is where a page begins that its backend rendered', async () => {
  const channel = fresh('private-');
  await publishNumbers(channel, 1, 5);
  const { cut: now } = await subscribeAt(await server.connect(), channel);
  const socket = await server.connect();
  const data = { oyez: { resume: { epoch: now.epoch, term: now.term, offset: 3 } } };
  const { cut, replay } = await subscribeAt(socket, channel, { data });
  assert.equal(cut.resumed, true);
  assert.deepEqual(replay.map(({ data }) => data), ['4', '5']);
  const other = await server.connect();
  const refusal = await other.refused(channel, { data: { oyez: { resume: { epoch: now.epoch, term: now.term, offset: -3 } } } });
  assert.equal(refusal.status, 400);
  assert.match(refusal.error, /channel_data\.oyez\.resume/);
});

test('oyez:resync gets a new cut in-band; the words of whoever may not ask are clear', async () => {
  const channel = fresh('ring-');
  await publishNumbers(channel, 1, 3);
  const socket = await server.connect();
  const { cut } = await subscribeAt(socket, channel, { oyez: { v: 1, gen: 5 } });
  assert.equal(cut.gen, 5);
  await socket.send({ event: 'oyez:resync', data: { channel, have: positionOf(cut) } });
  const reset = await socket.event('oyez:reset', channel);
  const said = JSON.parse(reset.data);
  assert.deepEqual({ ...said }, { epoch: cut.epoch, term: cut.term, offset: 3, resumed: false, replay: 3, reason: 'resync' });
  const replay = [];
  while (replay.length < 3) replay.push(await socket.event('n', channel));
  assert.deepEqual(replay.map(({ offset, replayed }) => [offset, replayed]), [[1, true], [2, true], [3, true]]);
  await publishNumbers(channel, 4, 4);
  const live = await socket.event('n', channel);
  assert.deepEqual([live.offset, live.replayed], [4, undefined]);

  const plain = await server.connect();
  await subscribeAt(plain, channel);
  const without = fresh();
  await subscribeAt(socket, without, { oyez: AWARE });
  for (const [from, data, words] of [
    [plain, { channel, have: null }, /oyez/],
    [socket, { channel: without, have: null }, /memory/],
    [socket, { channel: fresh('ring-'), have: null }, /subscri/],
    [socket, { have: null }, /channel/],
    [socket, { channel, have: { offset: -1 } }, /have/],
    [socket, 'x', /oyez:resync/],
  ]) {
    await from.send({ event: 'oyez:resync', data });
    const { message } = await from.error();
    assert.match(message, words);
  }
  await socket.alive();
});

test('presence, cache and memory together: members, then the replay, then what is live', async () => {
  const channel = fresh('presence-cache-');
  await server.api.publish(channel, 'e', 'kept');
  const [a, b] = await server.connectAll(2);
  const first = await subscribeAt(a, channel, { data: member('a') });
  assert.deepEqual(Object.keys(first.data).sort(), ['oyez', 'presence']);
  assert.deepEqual(first.data.presence, { count: 1, ids: ['a'], hash: { a: { name: 'a' } } });
  assert.deepEqual([first.cut.offset, first.cut.replay, first.replay[0].data], [1, 1, 'kept']);
  await subscribeAt(b, channel, { data: member('b') });
  await a.event('pusher_internal:member_added', channel);
  await server.api.publish(channel, 'e', 'next');
  assert.equal((await a.event('e', channel)).offset, 2);
  const resumed = await server.connect();
  const again = await subscribeAt(resumed, channel, { data: member('c'), oyez: AWARE, resume: positionOf(first.cut) });
  assert.deepEqual([again.cut.resumed, again.replay[0].data], [true, 'next']);
  assert.deepEqual(again.data.presence.ids.sort(), ['a', 'b', 'c']);
});

test('T-029 members come and go while somebody arrives: snapshot and diffs make the real set', async () => {
  const channel = fresh('presence-');
  const stay = await server.connectAll(5);
  for (const [n, socket] of stay.entries()) await subscribeAt(socket, channel, { data: member(`stay-${n}`) });
  let over = false;
  const churn = Array.from({ length: 6 }, async (_, n) => {
    const socket = await server.connect();
    while (!over) {
      await subscribeAt(socket, channel, { data: member(`churn-${n}`) });
      await socket.unsubscribe(channel);
      await socket.alive();
      socket.messages.drain();
    }
    socket.vanish();
  });
  const watchers = [];
  for (let n = 0; n < 30; n++) {
    const socket = await server.connect();
    const watcher = { set: null, socket };
    watchers.push(watcher);
    listen(socket, (message) => {
      if (message.channel !== channel) return;
      const data = JSON.parse(message.data);
      if (message.event === 'pusher_internal:subscription_succeeded') {
        watcher.set = new Set(data.presence.ids);
        assert.equal(data.presence.count, watcher.set.size);
      } else if (message.event === 'pusher_internal:member_added') {
        assert.ok(watcher.set, 'a diff before the snapshot');
        assert.ok(!watcher.set.has(data.user_id), `${data.user_id} was added twice`);
        watcher.set.add(data.user_id);
      } else if (message.event === 'pusher_internal:member_removed') {
        assert.ok(watcher.set?.has(data.user_id), `${data.user_id} was removed and was not there`);
        watcher.set.delete(data.user_id);
      }
    });
    socket.send(socket.subscription(channel, { data: member(`watch-${n}`) }));
  }
  await eventually(() => watchers.every(({ set }) => set?.size > 10), 'all snapshots');
  over = true;
  await Promise.all(churn);
  await eventually(async () => {
    const { json } = await server.api.get(`/channels/${channel}/users`);
    const real = json.users.map(({ id }) => id).sort();
    return !real.some((id) => id.startsWith('churn')) &&
      watchers.every(({ set }) => JSON.stringify([...set].sort()) === JSON.stringify(real));
  }, 'what everybody shows equals who is there');
});

test('a channel of a position that was never used begins at 0 and goes on', async () => {
  const channel = fresh('latest-');
  const socket = await server.connect();
  const { cut, replay } = await subscribeAt(socket, channel, { oyez: AWARE });
  assert.deepEqual([cut.offset, cut.replay, replay.length], [0, 0, 0]);
  await publishNumbers(channel, 1, 2);
  const back = await server.connect();
  const second = await subscribeAt(back, channel, { oyez: AWARE, resume: positionOf(cut) });
  assert.deepEqual([second.cut.resumed, second.replay.map(({ offset }) => offset)], [true, [1, 2]]);
});
