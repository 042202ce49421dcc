// SPDX-License-Identifier: MIT OR Apache-2.0
// Asking for a new cut: once, then with growing pauses, and not forever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './support/source.js';

const { Memory } = await source('memory');

test('a second resync in a row waits; one that is not answered ends the link', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(Math, 'random', () => 0.999);
  const done = [];
  const memory = new Memory({
    name: 'room', deltas: [], show: () => {},
    ask: (have) => done.push(['ask', have?.offset]),
    giveUp: () => done.push('give up'),
  });
  const cut = { epoch: 'E', term: 'T', offset: 1, resumed: false, replay: 0 };
  memory.joined(cut, '1.1');
  memory.settle();
  memory.take({ event: 'e', offset: 3 });
  memory.take({ event: 'e', offset: 4 });
  assert.deepEqual(done.splice(0), [['ask', 1]], 'at once, and only once');
  memory.take({ event: 'oyez:reset', data: { ...cut, version: 9 } });
  assert.deepEqual(done, [], 'the cut is again not what it says: not at once');
  t.mock.timers.tick(2_000);
  assert.deepEqual(done.splice(0), [['ask', undefined]]);
  t.mock.timers.tick(9_999);
  assert.deepEqual(done, []);
  t.mock.timers.tick(1);
  assert.deepEqual(done.splice(0), ['give up']);
  memory.interrupt();
  t.mock.timers.tick(60_000);
  assert.deepEqual(done, []);
});
