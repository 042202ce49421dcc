// SPDX-License-Identifier: MIT OR Apache-2.0
// Channels with memory, frame by frame: cuts, resume, holes, resync, gaps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientFor, heardOn, peerFor } from './support/peer.js';

const position = (offset, more = {}) => ({ epoch: 'E', term: 'T', offset, ...more });
const numbers = (heard, event = 'e') => heard.filter(([name]) => name === event).map(([, data]) => data);
const gaps = (heard) => numbers(heard, 'oyez:gap');

/** A page on channel `room`, subscribed, with the first cut handled. */
async function pageFor(t, cut = { offset: 0 }, name = 'room') {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  const channel = client.subscribe(name);
  const heard = heardOn(channel);
  const link = await peer.next();
  const asked = await link.answer(cut);
  await link.fence();
  return { peer, client, channel, heard, link, asked };
}

test('a first subscription says what it understands and asks to resume nothing', async (t) => {
  const { asked, channel } = await pageFor(t, { offset: 7 });
  assert.deepEqual(asked, { auth: '', channel: 'room', oyez: { v: 1, gen: 1, delta: ['merge', 'patch'] } });
  assert.deepEqual(channel.position, position(7));
});

test('a channel without memory has no position, and asks for no resume', async (t) => {
  const { peer, link, channel, heard } = await pageFor(t, null);
  link.event('room', 'e', undefined, 1);
  link.event('room', 'e', 9, 2);
  await link.die();
  assert.equal(channel.position, null);
  assert.deepEqual(numbers(heard), [1, 2]);
  const asked = await (await peer.next()).answer();
  assert.equal(asked.resume, undefined);
  assert.deepEqual(gaps(heard), []);
});

test('the position moves after the handlers ran, with each frame', async (t) => {
  const { link, channel } = await pageFor(t, { offset: 5, replay: 1 });
  const seen = [];
  channel.bind('e', () => seen.push(channel.position?.offset));
  channel.bind_global((event) => event === 'e' && seen.push(channel.position?.offset));
  assert.equal(channel.position, null);
  link.event('room', 'e', 4, 'replay', { replayed: true });
  link.event('room', 'e', 6, 'live');
  await link.fence();
  assert.deepEqual(seen, [undefined, undefined, 5, 5]);
  assert.deepEqual(channel.position, position(6));
});

test('a handler that throws is reported, the others run, the position moves', async (t) => {
  const { link, channel } = await pageFor(t);
  const reported = t.mock.method(console, 'error', () => {});
  const error = new Error('the page\'s own');
  const seen = [];
  channel.bind('e', () => { throw error; });
  channel.bind('e', (data) => seen.push(data));
  link.event('room', 'e', 1, 'x');
  await link.fence();
  assert.deepEqual(reported.mock.calls.map(({ arguments: [first] }) => first), [error]);
  assert.deepEqual(seen, ['x']);
  assert.deepEqual(channel.position, position(1));
});

test('T-012 resumed: exactly the missed events follow, and no gap is told', async (t) => {
  const { peer, link, channel, heard } = await pageFor(t);
  link.event('room', 'e', 1, 1);
  await link.die();
  const second = await peer.next();
  const asked = await second.answer({ offset: 51, resumed: true, replay: 50 });
  assert.deepEqual(asked.resume, position(1, { socket: link.id }));
  for (let offset = 2; offset <= 51; offset++) second.event('room', 'e', offset, offset, { replayed: true });
  second.event('room', 'e', 52, 52);
  await second.fence();
  assert.deepEqual(numbers(heard), Array.from({ length: 52 }, (_, n) => n + 1));
  assert.deepEqual(gaps(heard), []);
  assert.deepEqual(channel.position, position(52));
});

test('T-012 the generation grows with each subscription, the socket is the last one', async (t) => {
  const { peer, link, asked } = await pageFor(t);
  await link.die();
  const second = await peer.next();
  const again = await second.answer({ offset: 0, resumed: true, term: 'U' });
  await second.die();
  const third = await (await peer.next()).answer({ offset: 0, resumed: true });
  assert.deepEqual([asked, again, third].map(({ oyez }) => oyez.gen), [1, 2, 3]);
  assert.deepEqual(third.resume, position(0, { term: 'U', socket: second.id }));
});

test('T-013 not resumed: replay, exactly one gap before it, then contiguous', async (t) => {
  const { peer, client, link, channel, heard } = await pageFor(t);
  const global = [];
  client.bind('oyez:gap', (gap) => global.push(gap));
  link.event('room', 'e', 1, 1);
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 300, replay: 2, reason: 'trimmed', term: 'U' });
  second.event('room', 'e', 299, 299, { replayed: true });
  second.event('room', 'e', 300, 300, { replayed: true });
  second.event('room', 'e', 301, 301);
  await second.fence();
  const gap = { channel: 'room', reason: 'trimmed', from: position(1), to: position(300, { term: 'U' }) };
  assert.deepEqual(heard.slice(-4).map(([event, data]) => (event === 'e' ? data : [event, data])), [['oyez:gap', gap], 299, 300, 301]);
  assert.deepEqual(gaps(heard), [gap]);
  assert.deepEqual(global, [gap]);
  assert.deepEqual(channel.position, position(301, { term: 'U' }));
});

for (const resumed of [false, true]) {
  test(`T-014 the link dies after the answer and after each replayed frame, ${resumed ? 'resumed' : 'not resumed'}`, async (t) => {
    const { peer, link, heard, channel } = await pageFor(t);
    link.event('room', 'e', 1, 1);
    await link.die();
    for (let dies = 0; dies < 4; dies++) {
      const next = await peer.next();
      const from = resumed ? Math.max(1, dies) : 1;
      const asked = await next.answer({ offset: 5, resumed, replay: resumed ? 5 - from : 4, reason: resumed ? undefined : 'trimmed' });
      assert.equal(asked.resume.offset, from, 'never ahead of what was handled');
      const first = resumed ? from + 1 : 2;
      for (let offset = first; offset < first + (resumed ? Math.min(dies, 1) : dies); offset++) next.event('room', 'e', offset, offset, { replayed: true });
      await next.die();
    }
    const last = await peer.next();
    const held = channel.position.offset;
    await last.answer({ offset: 5, resumed, replay: 5 - held });
    for (let offset = held + 1; offset <= 5; offset++) last.event('room', 'e', offset, offset, { replayed: true });
    last.event('room', 'e', 6, 6);
    await last.fence();
    assert.deepEqual(numbers(heard).slice(-5), [2, 3, 4, 5, 6]);
    if (resumed) assert.deepEqual(numbers(heard), [1, 2, 3, 4, 5, 6]);
    assert.equal(channel.position.offset, 6);
  });
}

test('T-014 on the first load: no position, so the whole cut again', async (t) => {
  const { peer, link, channel } = await pageFor(t, { offset: 5, replay: 3 });
  link.event('room', 'e', 3, 3, { replayed: true });
  await link.die();
  assert.equal(channel.position, null);
  const asked = await (await peer.next()).answer({ offset: 5, replay: 3 });
  assert.equal(asked.resume, undefined);
});

for (const [what, offset] of [['a hole', 3], ['a repetition', 1], ['a step back', 0], ['no number', 'two']]) {
  test(`${what} leads to resync; until the reset the numbered frames are dropped, the others not`, async (t) => {
    const { link, channel, heard } = await pageFor(t);
    link.event('room', 'e', 1, 1);
    link.event('room', 'e', offset, 'wrong');
    link.event('room', 'e', 2, 'dropped');
    link.event('room', 'client-e', undefined, 'outside the numbering');
    assert.deepEqual(await link.heard('oyez:resync'), { channel: 'room', have: position(1) });
    link.send('oyez:reset', { epoch: 'E', term: 'T', offset: 4, resumed: false, replay: 1, reason: 'diverged' }, { channel: 'room' });
    link.event('room', 'e', 4, 4, { replayed: true });
    link.event('room', 'e', 5, 5);
    await link.fence();
    assert.deepEqual(numbers(heard), [1, 4, 5]);
    assert.deepEqual(numbers(heard, 'client-e'), ['outside the numbering']);
    assert.deepEqual(gaps(heard), [{ channel: 'room', reason: 'diverged', from: position(1), to: position(4) }]);
    assert.deepEqual(link.received.items, []);
    assert.equal(channel.position.offset, 5);
  });
}

test('a corrupt frame is an error of the connection, and the hole that it leaves is noticed', async (t) => {
  const { client, link } = await pageFor(t);
  link.raw('{"event":"e","channel":"room","offset":1,"da');
  link.event('room', 'e', 2, 2);
  assert.deepEqual(await link.heard('oyez:resync'), { channel: 'room', have: position(0) });
  assert.equal((await client.errors.take()).type, 'MessageParseError');
});

test('cuts that make no sense lead to resync', async (t) => {
  for (const cut of [{ offset: -1 }, { offset: 'x' }, { offset: 3, replay: null }, { offset: 3, resumed: true }]) {
    const { link } = await pageFor(t, cut);
    assert.deepEqual(await link.heard('oyez:resync'), { channel: 'room', have: null });
  }
  const { link, heard, channel } = await pageFor(t, { offset: 3 });
  link.send('oyez:reset', 'no object', { channel: 'room' });
  await link.heard('oyez:resync');
  link.send('oyez:reset', { epoch: 'E', term: 'T', offset: 4, resumed: false, replay: 0, reason: 'x' }, { channel: 'room' });
  await link.fence();
  assert.equal(gaps(heard).length, 1);
  assert.equal(channel.position.offset, 4);
});

test('a resumed cut with a frame too few or too many leads to resync', async (t) => {
  for (const replay of [1, 3]) {
    const { peer, link } = await pageFor(t);
    await link.die();
    const second = await peer.next();
    await second.answer({ offset: 2, resumed: true, replay });
    for (let offset = 1; offset <= 3; offset++) second.event('room', 'e', offset, offset);
    await second.heard('oyez:resync');
  }
});

test('oyez:skip moves the position and shows nothing', async (t) => {
  const { link, channel, heard } = await pageFor(t);
  const skip = (data) => link.send('oyez:skip', data, { channel: 'room' });
  skip({ offset: 1 });
  skip({ from: 2, offset: 9 });
  link.event('room', 'e', 10, 10);
  await link.fence();
  assert.equal(channel.position.offset, 10);
  assert.deepEqual(heard.filter(([event]) => event !== 'pusher:subscription_succeeded'), [['e', 10]]);
  skip({ from: 12, offset: 13 });
  await link.heard('oyez:resync');
});

test('T-022 skips count among the frames of a replay', async (t) => {
  const { peer, link, channel, heard } = await pageFor(t);
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 3, resumed: true, replay: 3 });
  second.event('room', 'e', 1, 1);
  second.send('oyez:skip', { offset: 2 }, { channel: 'room' });
  second.event('room', 'e', 3, 3);
  await second.fence();
  assert.deepEqual(numbers(heard), [1, 3]);
  assert.deepEqual(gaps(heard), []);
  assert.equal(channel.position.offset, 3);
});

test('oyez:term replaces the term, and the next subscription says so', async (t) => {
  const { peer, link, channel } = await pageFor(t, { offset: 4 });
  link.send('oyez:term', { term: 'U', offset: 4 }, { channel: 'room' });
  await link.die();
  assert.deepEqual(channel.position, position(4, { term: 'U' }));
  const asked = await (await peer.next()).answer({ offset: 4, resumed: true, term: 'U' });
  assert.deepEqual(asked.resume, position(4, { term: 'U', socket: link.id }));
});

test('oyez:mark: silent where the client stands, resync where it does not', async (t) => {
  const { link } = await pageFor(t, { offset: 4 });
  const mark = (offset) => link.send('oyez:mark', { offset }, { channel: 'room' });
  mark(4);
  await link.fence();
  assert.deepEqual(link.received.items, []);
  mark(5);
  assert.deepEqual(await link.heard('oyez:resync'), { channel: 'room', have: position(4) });
});

test('a new epoch is a gap; a channel that lost its memory too', async (t) => {
  const { peer, link, channel, heard } = await pageFor(t, { offset: 4 });
  await link.die();
  const second = await peer.next();
  await second.answer({ epoch: 'F', offset: 2, reason: 'epoch' });
  await second.fence();
  assert.deepEqual(channel.position, { epoch: 'F', term: 'T', offset: 2 });
  await second.die();
  const third = await peer.next();
  await third.answer();
  await third.fence();
  assert.equal(channel.position, null);
  assert.deepEqual(gaps(heard).map(({ reason, from, to }) => [reason, from.epoch, to?.epoch]), [['epoch', 'E', 'F'], ['no memory', 'F', undefined]]);
});

test('T-021 unsubscribe and subscribe in one tick: nothing of the first generation is shown', async (t) => {
  const { link, client, heard } = await pageFor(t);
  link.event('room', 'e', 1, 1);
  await link.fence();
  client.unsubscribe('room');
  const channel = client.subscribe('room');
  const again = heardOn(channel);
  link.event('room', 'e', 2, 'in flight');
  await link.heard('pusher:unsubscribe');
  link.event('room', 'e', 3, 'in flight');
  link.send('pusher_internal:subscription_succeeded', { oyez: { epoch: 'E', term: 'T', offset: 3, resumed: false, replay: 0, gen: 1 } }, { channel: 'room' });
  link.event('room', 'e', 4, 'after an answer to the first');
  const asked = await link.answer({ offset: 5, replay: 1 });
  assert.equal(asked.resume, undefined, 'new handlers want the whole');
  assert.equal(asked.oyez.gen, 2);
  link.event('room', 'e', 5, 5, { replayed: true });
  link.event('room', 'e', 6, 6);
  await link.fence();
  assert.deepEqual(numbers(heard), [1]);
  assert.deepEqual(numbers(again), [5, 6]);
});

test('a handler that leaves the channel, or disconnects, ends it there', async (t) => {
  const { link, client, channel, heard } = await pageFor(t);
  channel.bind('e', () => client.unsubscribe('room'));
  link.event('room', 'e', 1, 1);
  link.event('room', 'e', 2, 2);
  await link.fence();
  assert.deepEqual(numbers(heard), [1]);
  assert.equal(channel.position, null);
});

test('a handler that disconnects in a resumed replay: the frame counts, none comes twice', async (t) => {
  const { peer, link, client, channel, heard } = await pageFor(t);
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 2, resumed: true, replay: 2 });
  const gone = new Promise((resolve) => channel.bind('e', (n) => n === 1 && resolve(client.disconnect())));
  second.event('room', 'e', 1, 1);
  second.event('room', 'e', 2, 2);
  await gone;
  client.connect();
  const third = await peer.next();
  const asked = await third.answer({ offset: 2, resumed: true, replay: 1 });
  assert.equal(asked.resume.offset, 1);
  third.event('room', 'e', 2, 2);
  await third.fence();
  assert.deepEqual(numbers(heard), [1, 2]);
});

test('T-014 a handler that disconnects in a replay that does not resume: the old position stays', async (t) => {
  const { peer, link, client, channel } = await pageFor(t, { offset: 1 });
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 5, replay: 2, reason: 'trimmed' });
  const gone = new Promise((resolve) => channel.bind('e', (n) => n === 4 && resolve(client.disconnect())));
  second.event('room', 'e', 4, 4, { replayed: true });
  await gone;
  assert.deepEqual(channel.position, position(1));
  client.connect();
  assert.equal((await (await peer.next()).answer({ offset: 5 })).resume.offset, 1);
});

test('T-021 frames before the answer to a subscription are not shown', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  const heard = heardOn(client.subscribe('room'));
  const everything = [];
  client.bind_global((event) => everything.push(event));
  const link = await peer.next();
  link.event('room', 'e', 1, 'early');
  link.event('room', 'e', undefined, 'early');
  await link.answer();
  link.event('room', 'e', undefined, 'in time');
  await link.fence();
  assert.deepEqual(numbers(heard), ['in time']);
  assert.deepEqual(everything.filter((event) => event === 'e'), ['e']);
});

test('what late binding shows is never older than the last cut', async (t) => {
  const { peer, link, channel } = await pageFor(t);
  link.event('room', 'e', 1, 'before');
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 9, reason: 'trimmed' });
  await second.fence();
  const seen = [];
  channel.bind('e', (data) => seen.push(data), { replay: true });
  assert.deepEqual(seen, []);
});

test('late binding with {replay: true} is called at once with the newest of that name', async (t) => {
  const { link, channel } = await pageFor(t, { offset: 2, replay: 2 });
  link.event(channel.name, 'e', 1, 'old');
  link.event(channel.name, 'e', 2, 'new');
  link.event(channel.name, 'client-e', undefined, 'not remembered');
  await link.fence();
  const seen = [];
  const context = { name: 'context' };
  channel.bind('e', (data) => seen.push(data), { replay: true });
  channel.bind('e', function () { seen.push(this.name); }, context, { replay: true });
  channel.bind('e', () => seen.push('without'));
  channel.bind('client-e', (data) => seen.push(data), { replay: true });
  channel.bind('other', (data) => seen.push(data), { replay: true });
  assert.deepEqual(seen, ['new', 'context']);
  link.event(channel.name, 'e', 3, 'live');
  await link.fence();
  assert.deepEqual(seen.slice(2), ['live', 'context', 'without']);
});

test('oyez:forget removes what late binding would show, and moves the position', async (t) => {
  const { link, channel, heard } = await pageFor(t);
  link.event('room', 'e', 1, 1);
  link.send('oyez:forget', { offset: 2, event: 'e' }, { channel: 'room' });
  await link.fence();
  const seen = [];
  channel.bind('e', (data) => seen.push(data), { replay: true });
  assert.deepEqual(seen, []);
  assert.equal(channel.position.offset, 2);
  assert.deepEqual(heard.at(-1), ['oyez:forget', { event: 'e', offset: 2 }]);
});

test('a presence channel has members and memory side by side', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer, {
    channelAuthorization: { customHandler: (_, callback) => callback(null, { auth: 'a', channel_data: '{"user_id":"1"}' }) },
  });
  const channel = client.subscribe('presence-room');
  const heard = heardOn(channel);
  const link = await peer.next();
  await link.answer({ offset: 1, replay: 1 }, { presence: { ids: ['1'], hash: { 1: { name: 'Anna' } }, count: 1 } });
  link.send('pusher_internal:member_added', { user_id: '2', user_info: {} }, { channel: 'presence-room' });
  link.event('presence-room', 'e', 1, 1, { replayed: true });
  link.event('presence-room', 'e', 3, 'a hole');
  link.send('pusher_internal:member_removed', { user_id: '2' }, { channel: 'presence-room' });
  await link.heard('oyez:resync');
  await link.fence();
  assert.deepEqual(channel.members.me, { id: '1', info: { name: 'Anna' } });
  assert.deepEqual(heard.map(([event]) => event), ['pusher:subscription_succeeded', 'pusher:member_added', 'e', 'pusher:member_removed']);
});
