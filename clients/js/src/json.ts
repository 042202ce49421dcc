// SPDX-License-Identifier: MIT OR Apache-2.0
// JSON in one agreed form, so that client and server can compare a value by a checksum.

export type Json = any;

/** Whether it is a JSON object (no array, not null). */
export const isObject = (value: Json): value is Record<string, Json> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Whether the object itself, not its prototype, has that key. */
export const has = (target: object, key: string): boolean => Object.prototype.hasOwnProperty.call(target, key);

/** RFC 8785: keys sorted by UTF-16 code units, numbers and strings as ECMAScript writes them. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const member = (key: string) => `${JSON.stringify(key)}:${canonical(value[key])}`;
  return `{${Object.keys(value).sort().map(member).join()}}`;
}

/** FNV-1a, 32 bits, over the UTF-8 bytes of a text: 8 lower-case hex digits. */
export function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** The checksum of a value. */
export const sum = (value: Json): string => fnv1a(canonical(value));
