// SPDX-License-Identifier: MIT OR Apache-2.0
// Random JSON values, random edits of them, and the changes that lead from one to the other: a tiny
// reference of what a server may send, with nothing of the client's in it.

const KEYS = ['a', 'b', 'A', '', '10', '9', '~', '/', '~1', 'ü', '💥', '\u0000', '\uffff', '__proto__', 'constructor', 'toString', 'a b"c'];
const NUMBERS = [0, -0, 1, -1.5, 0.1, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 2 ** 53, 333333333.33333329];
const TEXTS = ['', 'x', 'ü💥', '\u0000\u001f', '"\\/', '\u2028', 'a~b/c', '0'];

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const set = (object, key, value) => Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
export const clone = (value) => JSON.parse(JSON.stringify(value));

export function anyValue(r, depth = 3) {
  const kind = r.below(depth > 0 ? 8 : 5);
  if (kind === 0) return null;
  if (kind === 1) return r.chance(0.5);
  if (kind < 4) return r.chance(0.5) ? r.pick(NUMBERS) : r.below(1000);
  if (kind === 4) return r.pick(TEXTS);
  if (kind === 5) return Array.from({ length: r.below(5) }, () => anyValue(r, depth - 1));
  const object = {};
  for (let n = r.below(5); n > 0; n--) set(object, r.pick(KEYS), anyValue(r, depth - 1));
  return object;
}

/** Another value, changed in one place or a few. */
export function edited(r, value) {
  if (r.chance(0.02)) return anyValue(r);
  const copy = clone(value);
  for (let n = 1 + r.below(3); n > 0; n--) {
    let place = copy;
    while (place !== null && typeof place === 'object') {
      const keys = Object.keys(place);
      const deeper = keys.filter((key) => place[key] !== null && typeof place[key] === 'object');
      if (deeper.length && r.chance(0.6)) {
        place = place[r.pick(deeper)];
        continue;
      }
      if (Array.isArray(place)) place.splice(r.below(place.length + 1), r.below(2), ...(r.chance(0.7) ? [anyValue(r, 1)] : []));
      else if (keys.length && r.chance(0.4)) delete place[r.pick(keys)];
      else set(place, r.pick(KEYS), anyValue(r, 2));
      break;
    }
  }
  return copy;
}

const same = (a, b) => form(a) === form(b);
export function form(value) {
  if (Array.isArray(value)) return `[${value.map(form)}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${form(value[key])}`)}}`;
}

const holdsNull = (value) => value === null || (isObject(value) && Object.keys(value).some((key) => holdsNull(value[key])));

/** RFC 7396 from one object to another; undefined where no merge patch can say it. */
export function mergePatch(from, to) {
  if (!isObject(from) || !isObject(to)) return isObject(to) && holdsNull(to) ? undefined : to;
  const patch = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) set(patch, key, null);
  for (const key of Object.keys(to)) {
    if (Object.hasOwn(from, key) && same(from[key], to[key])) continue;
    if (to[key] === null) return undefined;
    const part = mergePatch(Object.hasOwn(from, key) ? from[key] : undefined, to[key]);
    if (part === undefined) return undefined;
    set(patch, key, part);
  }
  return patch;
}

const escape = (key) => key.replace(/~/g, '~0').replace(/\//g, '~1');

/** RFC 6902 from one value to another, with every operation there is. */
export function jsonPatch(r, from, to, path = '') {
  if (same(from, to)) return [];
  if (isObject(from) && isObject(to)) {
    const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
    const operations = [];
    for (const key of Object.keys(to)) {
      const at = `${path}/${escape(key)}`;
      if (Object.hasOwn(from, key)) operations.push(...jsonPatch(r, from[key], to[key], at));
      else {
        const source = gone.findIndex((old) => same(from[old], to[key]));
        if (source >= 0 && r.chance(0.7)) operations.push({ op: 'move', from: `${path}/${escape(gone.splice(source, 1)[0])}`, path: at });
        else operations.push({ op: 'add', path: at, value: to[key] });
      }
    }
    operations.push(...gone.map((key) => ({ op: 'remove', path: `${path}/${escape(key)}` })));
    return operations;
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const operations = [];
    let start = 0;
    while (start < from.length && start < to.length && same(from[start], to[start])) start++;
    for (let n = from.length - 1; n >= Math.max(start, to.length); n--) operations.push({ op: 'remove', path: `${path}/${n}` });
    for (let n = start; n < Math.min(from.length, to.length); n++) operations.push(...jsonPatch(r, from[n], to[n], `${path}/${n}`));
    for (let n = from.length; n < to.length; n++) {
      const at = `${path}/${r.chance(0.5) ? '-' : n}`;
      if (n > 0 && same(to[n], to[n - 1])) operations.push({ op: 'copy', from: `${path}/${n - 1}`, path: at });
      else operations.push({ op: 'add', path: at, value: to[n] });
    }
    return operations;
  }
  return [...(r.chance(0.5) ? [{ op: 'test', path, value: from }] : []), { op: 'replace', path, value: to }];
}
