// SPDX-License-Identifier: MIT OR Apache-2.0
// A channel's truth as the page sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientFor, heardOn, peerFor } from './support/peer.js';
import { source } from './support/source.js';

const { sum } = await source('json');
const position = (offset) => ({ epoch: 'E', term: 'T', offset });

/** A page on a truth channel whose truth is at version 1. */
async function pageFor(t, value = { n: 1 }) {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  const channel = client.subscribe('game');
  const heard = heardOn(channel);
  const truths = [];
  channel.onTruth((truth) => truths.push(structuredClone(truth)));
  const link = await peer.next();
  await link.answer({ offset: 1, replay: 1, version: 1 });
  link.event('game', 'STATE', 1, value, { truth: true, replayed: true });
  await link.fence();
  return { peer, client, channel, heard, truths, link };
}

const full = (link, offset, value) => link.event('game', 'STATE', offset, value, { truth: true });
const change = (link, offset, from, type, data, next) =>
  link.event('game', 'STATE', offset, data, { truth: true, delta: { type, from, ...(next !== undefined && { sum: sum(next) }) } });
const states = (heard) => heard.filter(([event]) => event === 'STATE').map(([, data]) => data);

test('the truth is there with the subscription, for handlers, onTruth and channel.truth', async (t) => {
  const { channel, heard, truths, link } = await pageFor(t);
  assert.deepEqual(states(heard), [{ n: 1 }]);
  assert.deepEqual(truths, [{ n: 1 }]);
  assert.deepEqual(channel.truth, { n: 1 });
  full(link, 2, { n: 2 });
  await link.fence();
  assert.deepEqual(truths, [{ n: 1 }, { n: 2 }]);
});

test('onTruth fires at once, later with each change, and not after it was ended', async (t) => {
  const { channel, link } = await pageFor(t);
  const seen = [];
  const end = channel.onTruth(({ n }) => seen.push(n));
  assert.deepEqual(seen, [1]);
  full(link, 2, { n: 2 });
  await link.fence();
  end();
  full(link, 3, { n: 3 });
  await link.fence();
  assert.deepEqual(seen, [1, 2]);
});

test('onTruth bound inside a handler of the same change is called once for it', async (t) => {
  const { channel, link } = await pageFor(t);
  const seen = [];
  channel.bind('STATE', () => seen.length || channel.onTruth(({ n }) => seen.push(n)));
  full(link, 2, { n: 2 });
  await link.fence();
  assert.deepEqual(seen, [2]);
});

test('T-027 changes by merge and by patch: handlers get the whole value', async (t) => {
  const { channel, heard, link } = await pageFor(t, { n: 1, list: [1] });
  change(link, 2, 1, 'merge', { n: 2 }, { n: 2, list: [1] });
  change(link, 3, 2, 'patch', [{ op: 'add', path: '/list/-', value: 2 }], { n: 2, list: [1, 2] });
  change(link, 4, 3, 'merge', { n: null });
  link.event('game', 'other', 5, 'not the truth');
  change(link, 6, 4, 'merge', { m: 1 });
  await link.fence();
  assert.deepEqual(states(heard), [{ n: 1, list: [1] }, { n: 2, list: [1] }, { n: 2, list: [1, 2] }, { list: [1, 2] }, { list: [1, 2], m: 1 }]);
  assert.deepEqual(channel.position, position(6));
});

test('a page that changes the value it was given spoils nothing', async (t) => {
  const { channel, link, heard } = await pageFor(t);
  channel.truth.n = 99;
  change(link, 2, 1, 'merge', { m: 1 }, { n: 1, m: 1 });
  await link.fence();
  assert.deepEqual(states(heard).at(-1), { n: 1, m: 1 });
});

for (const [what, send] of [
  ['another version', (link) => change(link, 2, 7, 'merge', { n: 2 })],
  ['another sum', (link) => change(link, 2, 1, 'merge', { n: 2 }, { n: 3 })],
  ['a patch that does not apply', (link) => change(link, 2, 1, 'patch', [{ op: 'remove', path: '/x' }])],
  ['a change that is no JSON', (link) => change(link, 2, 1, 'merge', '{"n":')],
  ['an unknown type', (link) => change(link, 2, 1, 'zip', {})],
  ['a mark with another sum', (link) => link.send('oyez:mark', { offset: 1, sum: sum({ n: 2 }) }, { channel: 'game' })],
]) {
  test(`T-027 ${what} leads to resync, never to a wrong value`, async (t) => {
    const { peer, channel, heard, truths, link } = await pageFor(t);
    send(link);
    assert.deepEqual(await link.heard('oyez:resync'), { channel: 'game', have: null });
    assert.deepEqual(truths, [{ n: 1 }]);
    await link.die();
    const second = await peer.next();
    const asked = await second.answer({ offset: 3, replay: 1, version: 3 });
    assert.equal(asked.resume, undefined, 'what cannot be trusted is not resumed from');
    assert.equal(asked.oyez.truth, undefined);
    full(second, 3, { n: 3 });
    await second.fence();
    assert.deepEqual(truths, [{ n: 1 }, { n: 3 }]);
    assert.deepEqual(channel.position, position(3));
    assert.equal(heard.filter(([event]) => event === 'oyez:gap').length, 1);
  });
}

test('a mark with the right sum is silent', async (t) => {
  const { link } = await pageFor(t);
  link.send('oyez:mark', { offset: 1, sum: sum({ n: 1 }) }, { channel: 'game' });
  await link.fence();
  assert.deepEqual(link.received.items, []);
});

test('a resume says which truth is held, and takes one change from it', async (t) => {
  const { peer, link, truths, heard } = await pageFor(t);
  link.event('game', 'other', 2, 'x');
  await link.die();
  const second = await peer.next();
  const asked = await second.answer({ offset: 9, resumed: true, replay: 2, version: 9 });
  assert.deepEqual(asked.resume, { ...position(2), socket: link.id });
  assert.deepEqual(asked.oyez, { v: 1, gen: 2, delta: ['merge', 'patch'], truth: { version: 1 } });
  second.send('oyez:skip', { from: 3, offset: 8 }, { channel: 'game' });
  change(second, 9, 1, 'merge', { n: 9 }, { n: 9 });
  await second.fence();
  assert.deepEqual(truths, [{ n: 1 }, { n: 9 }]);
  assert.ok(!heard.some(([event]) => event === 'oyez:gap'));
});

test('forgetting the truth calls onTruth with undefined', async (t) => {
  const { channel, link, truths } = await pageFor(t);
  link.send('oyez:forget', { offset: 2 }, { channel: 'game' });
  await link.fence();
  assert.deepEqual(truths, [{ n: 1 }, undefined]);
  assert.equal(channel.truth, undefined);
  const seen = [];
  channel.bind('STATE', (data) => seen.push(data), { replay: true });
  channel.onTruth((truth) => seen.push(truth));
  assert.deepEqual(seen, []);
});

test('a truth that was deleted while the page was away is gone when it returns without resuming', async (t) => {
  const { peer, link, truths, channel } = await pageFor(t);
  await link.die();
  assert.deepEqual(channel.truth, { n: 1 }, 'meanwhile the page keeps what it knew');
  const second = await peer.next();
  await second.answer({ offset: 40, replay: 0, reason: 'trimmed' });
  await second.fence();
  assert.deepEqual(truths, [{ n: 1 }, undefined]);
});

test('an answer that names another version than its frames give leads to resync', async (t) => {
  const { peer, link } = await pageFor(t);
  await link.die();
  const second = await peer.next();
  await second.answer({ offset: 1, resumed: true, version: 0 });
  await second.heard('oyez:resync');
});

test('values never go back: a replaced position resumed after part of a newer cut', async (t) => {
  const { peer, link, truths } = await pageFor(t);
  link.event('game', 'other', 3, 'a hole');
  await link.heard('oyez:resync');
  link.send('oyez:reset', { ...position(5), resumed: false, replay: 2, version: 4 }, { channel: 'game' });
  full(link, 4, { n: 4 });
  await link.die();
  const second = await peer.next();
  const asked = await second.answer({ offset: 5, resumed: true, replay: 4, version: 4 });
  assert.equal(asked.resume.offset, 1);
  assert.equal(asked.oyez.truth, undefined);
  second.event('game', 'other', 2, 'x');
  full(second, 3, { n: 3 });
  full(second, 4, { n: 4 });
  second.event('game', 'other', 5, 'x');
  await second.fence();
  assert.deepEqual(truths, [{ n: 1 }, { n: 4 }]);
});
