// SPDX-License-Identifier: MIT OR Apache-2.0
// Changes of a truth instead of the whole: what a client that asked for them holds equals what the
// server holds after every frame, and a change that does not fit leads to a new cut (T-027).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/inbox.js';
import { linkFor } from '../support/link.js';
import { positionOf, subscribeAt } from '../support/log.js';
import { fresh, random, seed } from '../support/names.js';
import { joined, oyezFor } from '../support/oyez.js';
import { useServer } from '../support/server.js';

const server = await useServer({ ping_after: 0.5, pong_timeout: 10, app: { channels: [
  { match: 'game-*', truth: { event: 'STATE' }, history: { events: 50 } },
] } });
const put = async (channel, body) => {
  const answer = await server.api.call('PUT', `/channels/${channel}/truth`, body);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};

const TEXTS = ['', 'anna', 'ä€😀', '\u2028"\\\n', '__proto__', 'constructor', '/', '~', '~1', '0', '-', 'a/b~c', '\u0000'];
const NUMBERS = [0, -0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 9007199254740991, 9007199254740993, 333333333.3333333, 1e15, 1e16];

/** A value, and random edits of it. */
class Edits {
  constructor({ below, chance, pick }) {
    Object.assign(this, { below, chance, pick });
  }

  value(depth = 0) {
    const kind = this.below(depth > 3 ? 4 : 7);
    if (kind === 0) return this.pick([null, true, false]);
    if (kind === 1) return this.pick(NUMBERS);
    if (kind === 2) return this.pick(TEXTS).repeat(this.chance(0.1) ? 40 : 1);
    if (kind === 3) return this.below(1000);
    const size = this.below(5);
    if (kind === 4) return Array.from({ length: size }, () => this.value(depth + 1));
    const object = {};
    for (let n = 0; n < size; n++) this.put(object, this.key(), this.value(depth + 1));
    return object;
  }

  key() {
    return this.chance(0.3) ? this.pick(TEXTS) : `k${this.below(12)}`;
  }

  put(object, key, value) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }

  /** Somewhere within; the new root. */
  edit(root) {
    if (this.chance(0.01)) return this.value();
    const copy = structuredCloneJson(root);
    let at = copy;
    for (;;) {
      if (Array.isArray(at)) {
        const n = this.below(at.length + 1);
        if (n < at.length && at[n] !== null && typeof at[n] === 'object' && this.chance(0.6)) { at = at[n]; continue; }
        const how = this.below(4);
        if (how === 0) at.splice(n, 0, this.value(2));
        else if (how === 1) at.splice(n, 1);
        else if (how === 2 && n < at.length) at[n] = this.value(2);
        else at.reverse();
        return copy;
      }
      if (at === null || typeof at !== 'object') return this.value();
      const keys = Object.keys(at);
      const key = keys.length && this.chance(0.8) ? this.pick(keys) : this.key();
      const old = Object.getOwnPropertyDescriptor(at, key)?.value;
      if (old && typeof old === 'object' && this.chance(0.6)) { at = old; continue; }
      if (old !== undefined && this.chance(0.3)) delete at[key];
      else this.put(at, key, this.value(2));
      return copy;
    }
  }
}

/** Also makes minus zero zero, as JSON of JavaScript does. */
const structuredCloneJson = (value) => JSON.parse(JSON.stringify(value));

test('T-027 after each of 500 random edits oyez.js holds what the server holds, and plain clients get it whole', async (t) => {
  const edits = new Edits(random(seed(t)));
  const channel = fresh('game-');
  const link = await linkFor(t, server);
  let deltas = 0;
  link.changes = (text) => void (deltas += text.includes('"delta":'));
  const own = await joined(oyezFor(t, server, { port: link.port }), channel);
  const plain = await server.connect();
  await subscribeAt(plain, channel);
  let value = { filler: Array.from({ length: 40 }, (_, n) => ({ id: n, name: `player ${n}`, at: [n, n] })) };
  let version = 0;
  for (let n = 0; n < 500; n++) {
    value = edits.edit(value);
    if (n % 10 === 5) value = { filler: Array.from({ length: 60 }, (_, m) => ({ id: m, n, name: `player ${m}` })), value };
    const answer = await put(channel, { data: value });
    if (!answer.changed) continue;
    version = answer.version;
    await eventually(() => own.position?.offset === version, `version ${version}`);
    const text = JSON.stringify(value);
    assert.deepEqual(own.truth, JSON.parse(text), `after edit ${n}`);
    const frame = await plain.messages.take((m) => m.offset === version);
    assert.equal(frame.delta, undefined);
    assert.deepEqual(JSON.parse(frame.data), JSON.parse(text));
  }
  const { json } = await server.api.get(`/channels/${channel}/truth`);
  assert.deepEqual(own.truth, json.data);
  assert.deepEqual(own.events.items.filter(({ name }) => name === 'oyez:gap'), [], 'a change was distrusted');
  assert.ok(deltas > 100, `${deltas} changes came as such`);
});

// What JSON allows and JavaScript reads in its own way; raw, as a backend in any language may write it.
const ODD = [
  '1.0', '1E2', '-0', '-0.0', '0.1e1', '12345678901234567890', '9007199254740993', '1e-400', '123456789.123456789123456789',
  '1e23', '5e-324', '2.5E-8', '"\\u00e4\\/\\u2028"', '"\\ud83d\\ude00"', '"\\u0000\\u001f\\u007f"', '"\u2028"', '"\ufeff"', '{"a":1,"a":2}',
  '{"b":1,"a":{"d":1,"c":2}}', '{"\\u0061":1}', '{"":{"":null}}', '{"__proto__":{"x":1}}', '{"constructor":null,"toString":1}', '{"10":1,"9":2,"a":3}',
  '{"\u20ac":1,"\\r":2,"\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\u0080":6,"\u00f6":7}', '[[],{},[null],[[[]]]]', 'null', '""', '[ 1 , 2 ]',
];

test('T-027 values that JavaScript reads in its own way lead to no distrust, neither by a change nor by a bookmark', async (t) => {
  const players = JSON.stringify(Array.from({ length: 60 }, (_, n) => `player ${n}`));
  await Promise.all(ODD.map(async (text) => {
    const channel = fresh('game-');
    const whole = (odd, round) => `{"players":${players},"odd":${odd},"round":${round}}`;
    await put(channel, `{"data":${whole('0', 1)}}`);
    const client = oyezFor(t, server);
    const own = await joined(client, channel);
    await put(channel, `{"data":${whole(text, 2)}}`);
    await eventually(() => own.truth?.round === 2, text);
    assert.deepEqual(structuredCloneJson(own.truth.odd), structuredCloneJson(JSON.parse(text)), text);
    await put(channel, `{"data":${whole(text, 3)}}`);
    await eventually(() => own.truth?.round === 3, text);
    assert.deepEqual(structuredCloneJson(own.truth), structuredCloneJson(JSON.parse(whole(text, 3))), text);
    const plain = await server.connect();
    const { replay } = await subscribeAt(plain, channel);
    assert.deepEqual(JSON.parse(replay[0].data), JSON.parse(whole(text, 3)));
    // The next bookmark carries the sum.
    const marks = [];
    client.connection.bind('message', ({ event, data }) => event === 'oyez:mark' && marks.push(data));
    await eventually(() => marks.some(({ sum }) => sum), `a bookmark of ${text}`);
    assert.deepEqual(own.events.items.filter(({ name }) => name === 'oyez:gap'), [], text);
    const resets = own.events.items.filter(({ name, data }) => name === 'STATE' && data.round === 3).length;
    assert.equal(resets, 1, `${text} was shown again after its bookmark`);
  }));
});

test('what no page could read as it is meant is refused', async () => {
  const channel = fresh('game-');
  for (const text of ['1e400', '-1e309', '"\\ud800"', '01', '+1', '.5', '1.', 'NaN', "'a'", '"\u0001"', '[1,]', '{"a":1,}', '{a:1}', '"\\x41"', '\ufeff1']) {
    const { status } = await server.api.call('PUT', `/channels/${channel}/truth`, `{"data":${text}}`);
    assert.equal(status, 400, text);
  }
});

test('the shape of a change: type, version it applies to, sum; small truths and large changes come whole', async () => {
  const channel = fresh('game-');
  const big = { players: Array.from({ length: 50 }, (_, n) => `player ${n}`), round: 1 };
  await put(channel, { data: big });
  const sockets = await server.connectAll(4);
  const offers = [['merge', 'patch'], ['merge'], ['patch'], ['unknown']];
  for (const [n, socket] of sockets.entries()) {
    await subscribeAt(socket, channel, { oyez: { v: 1, delta: offers[n] } });
  }
  await put(channel, { data: { ...big, round: 2 } });
  const frames = await Promise.all(sockets.map((socket) => socket.event('STATE', channel)));
  assert.deepEqual(frames.map(({ delta }) => delta?.type), ['merge', 'merge', 'patch', undefined]);
  for (const { delta, offset } of frames.slice(0, 3)) {
    assert.deepEqual([delta.from, offset], [1, 2]);
    assert.match(delta.sum, /^[0-9a-f]{8}$/);
  }
  assert.deepEqual(JSON.parse(frames[0].data), { round: 2 });
  assert.deepEqual(JSON.parse(frames[2].data), [{ op: 'replace', path: '/round', value: 2 }]);
  assert.deepEqual(JSON.parse(frames[3].data), { ...big, round: 2 });
  // A null cannot be merged: the patch goes to those who take it, the whole to the others.
  await put(channel, { data: { ...big, round: null } });
  const next = await Promise.all(sockets.map((socket) => socket.event('STATE', channel)));
  assert.deepEqual(next.map(({ delta }) => delta?.type), ['patch', undefined, 'patch', undefined]);
  await put(channel, { data: { small: 1 } });
  for (const socket of sockets) assert.equal((await socket.event('STATE', channel)).delta, undefined);
  // A resume brings one change from the version that the client holds.
  await put(channel, { data: big });
  const { cut } = await subscribeAt(await server.connect(), channel, { oyez: { v: 1 } });
  for (let round = 2; round <= 9; round++) await put(channel, { data: { ...big, round } });
  const oyez = { v: 1, delta: ['merge', 'patch'], truth: { version: cut.version } };
  const { replay } = await subscribeAt(await server.connect(), channel, { oyez, resume: positionOf(cut) });
  const last = replay.at(-1);
  assert.deepEqual([last.delta.type, last.delta.from, JSON.parse(last.data)], ['merge', cut.version, { round: 9 }]);
});

for (const [what, spoils] of Object.entries({
  'a flipped bit in a change': (text) => text.replace('{\\"round\\":2}', '{\\"round\\":3}'),
  'a change that lost its frame': () => '{"event":"nothing","data":{}}',
  'a change of another version': (text) => text.replace('"from":1', '"from":7'),
  'a change that does not parse': (text) => text.replace('{\\"round\\":2}', '{\\"round\\":2'),
})) {
  test(`T-027 ${what} leads to a new cut, never to a wrong value`, async (t) => {
    const channel = fresh('game-');
    const big = { players: Array.from({ length: 50 }, (_, n) => `player ${n}`), round: 1 };
    await put(channel, { data: big });
    const link = await linkFor(t, server);
    let spoilt = false;
    link.changes = (text) => {
      if (spoilt || !text.includes('"delta":')) return undefined;
      spoilt = true;
      const changed = spoils(text);
      assert.notEqual(changed, text);
      return changed;
    };
    const own = await joined(oyezFor(t, server, { port: link.port }), channel);
    const seen = [];
    own.onTruth((value) => seen.push(value?.round));
    await put(channel, { data: { ...big, round: 2 } });
    await eventually(() => own.truth?.round === 2, 'the right value');
    assert.ok(spoilt);
    await put(channel, { data: { ...big, round: 4 } });
    await eventually(() => own.truth?.round === 4, 'the next');
    assert.deepEqual(seen, [1, 2, 4]);
  });
}
