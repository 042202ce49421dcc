// SPDX-License-Identifier: MIT OR Apache-2.0
// Writes javascript.txt: what a JavaScript engine makes of JSON texts.
//   node javascript.mjs >javascript.txt
// Each line: the checksum, a JSON text, its canonical text (RFC 8785).
let state = 0x2545f491;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}

function checksum(text) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, '0');
}

const view = new DataView(new ArrayBuffer(8));
function double() {
  for (;;) {
    view.setUint32(0, random(2 ** 32));
    view.setUint32(4, random(2 ** 32));
    const value = view.getFloat64(0);
    if (Number.isFinite(value)) return value;
  }
}

function digits(count) {
  let text = String(1 + random(9));
  while (text.length < count) text += random(10);
  return text;
}

function number() {
  switch (random(6)) {
    case 0: return double().toPrecision(17);
    case 1: return double().toExponential(random(21));
    case 2: return digits(1 + random(30));
    case 3: return `-${digits(1 + random(5))}.${digits(1 + random(25))}`;
    case 4: return `${random(10)}.${'0'.repeat(random(8))}${digits(1 + random(17))}E${pick(['', '+', '-'])}${random(300)}`;
    default: return String(2 ** 53 + random(9) - 4);
  }
}

const characters = ['a', 'Z', '"', '\\', '/', '\b', '\f', '\n', '\r', '\t', '\0', '\x1f', '\x7f', '\x80', 'é', '\u2028',
  '\ud7ff', '\ue000', '\ufb33', '\uffff', '😀', '𝒳', '0', '~'];
const string = () => JSON.stringify(Array.from({ length: random(6) }, () => pick(characters)).join(''));

function any(depth) {
  const kind = random(depth > 0 ? 6 : 4);
  if (kind < 2) return number();
  if (kind === 2) return string();
  if (kind === 3) return pick(['null', 'true', 'false', '-0', '0.0', '[]', '{}']);
  const length = random(5);
  const item = () => (kind === 4 ? '' : `${string()}:`) + any(depth - 1);
  const items = Array.from({ length }, item).join(',');
  return kind === 4 ? `[${items}]` : `{${items}}`;
}

console.log('// SPDX-License-Identifier: MIT OR Apache-2.0');
console.log('// Written by javascript.mjs: checksum, JSON text, canonical text.');
for (let count = 0; count < 3000; count += 1) {
  const text = count < 2000 ? number() : any(4);
  const expected = canonical(JSON.parse(text));
  console.log([checksum(expected), text, expected].join('\t'));
}
