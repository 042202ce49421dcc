// SPDX-License-Identifier: MIT OR Apache-2.0
// T-027: the value after each change is the server's, or there is none; never a wrong one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyValue, clone, edited, form, jsonPatch, mergePatch } from './support/edits.js';
import { random, seed, source } from './support/source.js';

const { merge, patch } = await source('delta');
const { Truth } = await source('truth');
const { sum } = await source('json');

const full = (offset, value) => ({ event: 'STATE', offset, raw: JSON.stringify(value), data: clone(value) });
const change = (offset, type, from, value, next) =>
  ({ event: 'STATE', offset, raw: JSON.stringify(value), delta: { type, from, sum: sum(next) } });

/** The frame a server might send for that edit. */
function frameFor(r, offset, from, before, after) {
  const merged = r.chance(0.5) ? mergePatch(before, after) : undefined;
  if (merged !== undefined) return change(offset, 'merge', from, merged, after);
  return change(offset, 'patch', from, jsonPatch(r, before, after), after);
}

test('T-027 10,000 random edits: after each change the value equals the server\'s', (t) => {
  const r = random(seed(t));
  let value = anyValue(r);
  let truth = Truth.after(undefined, full(1, value));
  const kinds = { merge: 0, patch: 0, full: 0 };
  for (let offset = 2; offset <= 10_001; offset++) {
    const next = edited(r, value);
    const frame = r.chance(0.1) ? full(offset, next) : frameFor(r, offset, truth.version, value, next);
    kinds[frame.delta?.type ?? 'full']++;
    truth = Truth.after(truth, frame);
    assert.equal(form(truth.value), form(next), frame.raw);
    assert.equal(truth.sum, sum(next));
    // The page may do to its value what it likes.
    if (truth.value && typeof truth.value === 'object') truth.value.spoiled = true;
    value = JSON.stringify(next).length > 2000 ? {} : next;
    if (value !== next) truth = Truth.after(truth, full(offset, value));
  }
  t.diagnostic(JSON.stringify(kinds));
  assert.ok(kinds.merge > 2000 && kinds.patch > 2000);
  assert.equal({}.spoiled, undefined);
});

test('T-027 a flipped bit or a skipped change never gives a wrong value', (t) => {
  const r = random(seed(t));
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    const before = anyValue(r);
    const after = edited(r, before);
    const truth = Truth.after(undefined, full(1, r.chance(0.5) ? before : edited(r, before)));
    const frame = frameFor(r, 2, r.chance(0.1) ? 7 : 1, before, after);
    if (r.chance(0.7)) {
      const at = r.below(frame.raw.length);
      frame.raw = frame.raw.slice(0, at) + String.fromCharCode(frame.raw.charCodeAt(at) ^ (1 << r.below(6))) + frame.raw.slice(at + 1);
    }
    try {
      assert.equal(form(Truth.after(truth, frame).value), form(after));
    } catch (error) {
      if (error.code === 'ERR_ASSERTION') throw error;
      refused++;
    }
  }
  assert.ok(refused > 1000, `${refused} were refused`);
});

test('the examples of RFC 7396', () => {
  const cases = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }], [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }], [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a', 'b'], ['c', 'd'], ['c', 'd']], [{ a: 'b' }, ['c'], ['c']], [{ a: 'foo' }, null, null], [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: 'b', c: null }, { a: 'b' }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, change, result] of cases) assert.deepEqual(merge(target, change), result);
});

test('the examples of RFC 6902', () => {
  const works = [
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
    [{ foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } }, [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }], { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } }],
    [{ foo: ['all', 'grass', 'cows', 'eat'] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: ['all', 'cows', 'eat', 'grass'] }],
    [{ baz: 'qux', foo: ['a', 2, 'c'] }, [{ op: 'test', path: '/baz', value: 'qux' }, { op: 'test', path: '/foo/1', value: 2 }], { baz: 'qux', foo: ['a', 2, 'c'] }],
    [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
    [{ foo: 'bar' }, [{ op: 'add', path: '', value: [1] }], [1]],
    [{ foo: 'bar' }, [{ op: 'replace', path: '', value: 1 }], 1],
    [{ a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }, { op: 'add', path: '/a/-', value: 2 }], { a: [1, 2], b: [1] }],
    [{ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ];
  for (const [target, change, result] of works) assert.deepEqual(patch(target, change), result, JSON.stringify(change));
  const fails = [
    [{ op: 'test', path: '/baz', value: 'bar' }], [{ op: 'add', path: '/a/b', value: 1 }], [{ op: 'remove', path: '/x' }], [{ op: 'remove', path: '' }],
    [{ op: 'replace', path: '/x', value: 1 }], [{ op: 'add', path: '/list/9', value: 1 }], [{ op: 'add', path: '/list/01', value: 1 }],
    [{ op: 'add', path: '/list/1e0', value: 1 }], [{ op: 'add', path: 'list', value: 1 }], [{ op: 'add', path: '/x' }], [{ op: 'move', from: '/list', path: '/list/0' }],
    [{ op: 'copy', from: '/x', path: '/y' }], [{ op: 'increment', path: '/n', value: 1 }], [{ op: 'remove', path: '/list/-' }], [{ op: 'test', path: '/toString', value: 1 }], [null], {},
  ];
  for (const change of fails) assert.throws(() => patch({ baz: 'qux', list: [1, 2], n: 1 }, change), JSON.stringify(change));
});

test('a patch reaches no prototype', () => {
  merge({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
  patch({}, JSON.parse('[{"op":"add","path":"/__proto__","value":{}},{"op":"add","path":"/__proto__/polluted","value":1}]'));
  assert.throws(() => patch({}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]));
  assert.throws(() => patch({}, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]));
  assert.equal({}.polluted, undefined);
});
