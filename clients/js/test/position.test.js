// SPDX-License-Identifier: MIT OR Apache-2.0
// The position as a state machine, then against a small reference of a whole channel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random, seed, source } from './support/source.js';

const { Log } = await source('position');
const at = (offset, more = {}) => ({ epoch: 'E', term: 'T', offset, ...more });
const cut = (offset, replay, more = {}) => at(offset, { resumed: false, replay, ...more });

/** A log that has handled everything up to that offset. */
function logAt(offset) {
  const log = new Log();
  assert.ok(log.begin(cut(offset, 0)));
  assert.equal(log.complete(), 'yes');
  return log;
}

test('there is none before the first cut, and at once after a cut without replay', () => {
  const log = new Log();
  assert.equal(log.position, null);
  assert.ok(!log.expects(1));
  log.begin(cut(7, 0));
  assert.equal(log.position, null);
  assert.equal(log.complete(), 'yes');
  assert.deepEqual(log.position, at(7));
});

test('T-014 a cut with replay gives it after the last frame was handled, not before', () => {
  const log = new Log();
  log.begin(cut(41, 2));
  for (const [offset, after] of [[38, null], [41, at(41)]]) {
    assert.ok(log.expects(offset));
    assert.equal(log.position, null);
    log.handled(offset);
    log.complete();
    assert.deepEqual(log.position, after);
  }
});

test('T-014 when the link dies inside the replay the old position stays', () => {
  const log = logAt(7);
  log.begin(cut(41, 2));
  log.handled(38);
  assert.equal(log.complete(), 'no');
  log.interrupt();
  assert.deepEqual(log.position, at(7));
});

test('a new epoch takes the old position with it at once', () => {
  const log = logAt(7);
  log.begin(cut(3, 1, { epoch: 'F' }));
  assert.equal(log.position, null);
  log.handled(3);
  log.complete();
  assert.deepEqual(log.position, { epoch: 'F', term: 'T', offset: 3 });
});

test('a resumed cut moves it frame by frame, under the new term', () => {
  const log = logAt(7);
  log.begin(cut(9, 2, { resumed: true, term: 'U' }));
  assert.deepEqual(log.position, at(7, { term: 'U' }));
  log.handled(8);
  assert.equal(log.complete(), 'no');
  log.interrupt();
  assert.deepEqual(log.position, at(8, { term: 'U' }));
});

test('a resumed cut that does not lead to its offset is a hole; without a position it contradicts itself', () => {
  const log = logAt(7);
  log.begin(cut(9, 1, { resumed: true }));
  log.handled(8);
  assert.equal(log.complete(), 'hole');
  assert.equal(new Log().begin(cut(9, 1, { resumed: true })), false);
});

test('live frames: exactly the next, never one again, never one ahead', () => {
  const log = logAt(7);
  assert.deepEqual([6, 7, 8, 9].map((offset) => log.expects(offset)), [false, false, true, false]);
  assert.ok(log.expects(12, 8), 'a skip that starts at the next');
  assert.ok(!log.expects(12, 9), 'a skip that starts behind the next');
  assert.ok(!log.expects(7, 5), 'a skip of what is known');
});

test('T-015 offsets that are none are refused', () => {
  const log = logAt(7);
  for (const offset of [undefined, null, '8', 8.5, NaN, -1, 2 ** 53, {}]) assert.ok(!log.expects(offset), String(offset));
  for (const bad of [{ offset: -1 }, { offset: '8' }, { offset: 2 ** 53 }, { replay: -1 }, { replay: undefined }]) {
    assert.equal(logAt(7).begin(cut(8, 0, bad)), false, JSON.stringify(bad));
  }
});

test('in a replay frames must ascend and stay within the cut', () => {
  const log = new Log();
  log.begin(cut(41, 3));
  log.handled(30);
  assert.deepEqual([29, 30, 31, 41, 42].map((offset) => log.expects(offset)), [false, false, true, true, false]);
});

test('T-012 T-013 T-014 T-016 random histories: every page has seen exactly what its cuts and the log say', (t) => {
  const r = random(seed(t));
  for (let history = 0; history < 2000; history++) {
    const channel = { head: 0, low: 1, epoch: 1 };
    const log = new Log();
    let view = null; // what the page shows: {epoch, from, seen: offsets after from}
    for (let turn = 0; turn < 30; turn++) {
      channel.head += r.below(4);
      if (r.chance(0.2)) channel.low = Math.min(channel.head + 1, channel.low + r.below(6));
      if (r.chance(0.02)) Object.assign(channel, { head: r.below(3), low: 1, epoch: channel.epoch + 1 });
      const held = log.position;
      const resumed = held !== null && held.epoch === channel.epoch && held.offset >= channel.low - 1 && held.offset <= channel.head;
      const first = resumed ? held.offset + 1 : Math.max(channel.low, channel.head - r.below(4));
      const frames = Array.from({ length: Math.max(0, channel.head - first + 1) }, (_, n) => first + n);
      assert.ok(log.begin({ epoch: channel.epoch, term: turn, offset: channel.head, resumed, replay: frames.length }));
      let shown = [];
      const dies = r.chance(0.4) ? r.below(frames.length + 4) : Infinity;
      const live = Array.from({ length: r.below(4) }, (_, n) => channel.head + 1 + n);
      channel.head += live.length;
      if (!frames.length) assert.equal(log.complete(), 'yes');
      if (!resumed && !frames.length) view = { epoch: channel.epoch, upTo: channel.head - live.length };
      for (const [n, offset] of [...frames, ...live].entries()) {
        if (n >= dies) break;
        assert.ok(log.expects(offset), `history ${history}`);
        shown.push(offset);
        log.handled(offset);
        const state = log.complete();
        assert.notEqual(state, 'hole');
        if (resumed || n >= frames.length) {
          assert.equal(offset, view.upTo + 1, `history ${history}: nothing missed, nothing twice`);
          view.upTo = offset;
        } else if (state === 'yes') view = { epoch: channel.epoch, upTo: offset };
      }
      log.interrupt();
      if (log.position) assert.deepEqual([log.position.epoch, log.position.offset], [view.epoch, view.upTo], `history ${history}`);
    }
  }
});
