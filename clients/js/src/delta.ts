// SPDX-License-Identifier: MIT OR Apache-2.0
// Changes of a JSON value: merge patches (RFC 7396) and patches (RFC 6902). Both change the given
// value in place where they can and return the new one; both throw rather than guess, after which
// the given value is of no use. No key of a patch ever reaches a prototype.
import type { Delta } from './protocol.js';
import { canonical, has, isObject, type Json } from './json.js';

function put(target: object, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The value after a merge patch. */
export function merge(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? target : {};
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key];
    else put(result, key, merge(has(result, key) ? result[key] : null, patch[key]));
  }
  return result;
}

function fail(what: string): never {
  throw new Error(`a patch that does not apply: ${what}`);
}

function steps(pointer: Json): string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || pointer[0] !== '/') fail(`pointer ${pointer}`);
  return pointer.slice(1).split('/').map((step: string) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function index(array: Json[], step: string, end: number): number {
  const at = /^(0|[1-9]\d*)$/.test(step) ? +step : -1;
  return at >= 0 && at <= end ? at : fail(`index ${step} of ${array.length}`);
}

function child(parent: Json, step: string): Json {
  if (Array.isArray(parent)) return parent[index(parent, step, parent.length - 1)];
  return isObject(parent) && has(parent, step) ? parent[step] : fail(`no ${step}`);
}

function add(root: Json, path: string[], value: Json): Json {
  if (value === undefined) fail('no value');
  if (!path.length) return value;
  const last = path[path.length - 1]!;
  const parent = path.slice(0, -1).reduce(child, root);
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : index(parent, last, parent.length), 0, value);
  else if (isObject(parent)) put(parent, last, value);
  else fail(`${last} of a value that is neither object nor array`);
  return root;
}

function remove(root: Json, path: string[]): Json {
  const last = path[path.length - 1] ?? fail('removes everything');
  const parent = path.slice(0, -1).reduce(child, root);
  const removed = child(parent, last);
  if (Array.isArray(parent)) parent.splice(+last, 1);
  else delete parent[last];
  return removed;
}

/** The value after a patch; `test`, `add`, `remove`, `replace`, `move` and `copy` are known. */
export function patch(root: Json, operations: Json): Json {
  if (!Array.isArray(operations)) fail('no list');
  for (const { op, path, from, value } of operations) {
    const to = steps(path);
    if (op === 'add') root = add(root, to, value);
    else if (op === 'remove') remove(root, to);
    else if (op === 'replace') {
      if (to.length) remove(root, to);
      root = add(root, to, value);
    } else if (op === 'move') {
      if (path.startsWith(`${from}/`)) fail('moves into itself');
      if (path === from) steps(from).reduce(child, root);
      else root = add(root, to, remove(root, steps(from)));
    } else if (op === 'copy') root = add(root, to, JSON.parse(JSON.stringify(steps(from).reduce(child, root))));
    else if (op === 'test') {
      if (value === undefined || canonical(to.reduce(child, root)) !== canonical(value)) fail(`test of ${path}`);
    } else fail(`operation ${op}`);
  }
  return root;
}

/** The value after a change of either kind. */
export function apply(target: Json, change: Json, type: Delta['type']): Json {
  return type === 'merge' ? merge(target, change) : type === 'patch' ? patch(target, change) : fail(type);
}
