// SPDX-License-Identifier: MIT OR Apache-2.0
// P-007, Autobahn section 6: UTF-8. Valid bytes stand as `data` of a `pusher:ping`; invalid ones
// close with 1007, in one frame and in fragments of one octet.
import { useServer } from '../support/server.js';
import { CONTINUATION, TEXT, fragments, frame, testCase } from '../support/autobahn.js';

const server = await useServer({});
const it = (...args) => testCase(server, ...args);

const bytes = (hex) => Buffer.from(hex, 'hex');
const around = (middle) => Buffer.concat([Buffer.from('{"event":"pusher:ping","data":"'), middle, Buffer.from('"}')]);

it('6.1.1', 'empty text', { send: frame(TEXT), expect: ['error'] });
it('6.1.2', 'text of three empty fragments', {
  send: [frame(TEXT, '', { fin: false }), frame(CONTINUATION, '', { fin: false }), frame(CONTINUATION)], expect: ['error'],
});
it('6.1.3', 'text of three fragments, only the middle one has bytes', {
  send: [frame(TEXT, '', { fin: false }), frame(CONTINUATION, around(Buffer.from('middle')), { fin: false }), frame(CONTINUATION)],
  expect: ['pong'],
});

const greek = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
it('6.2.1', 'valid UTF-8 in one frame', { send: frame(TEXT, around(greek)), expect: ['pong'] });
it('6.2.2', 'valid UTF-8 in fragments, cut between characters', {
  send: [frame(TEXT, around(greek).subarray(0, 37), { fin: false }), frame(CONTINUATION, around(greek).subarray(37))], expect: ['pong'],
});
it('6.2.3', 'valid UTF-8 in fragments of one octet', { send: fragments(TEXT, around(greek), 1), expect: ['pong'] });
it('6.2.4', 'another text in fragments of one octet', { send: fragments(TEXT, around(Buffer.from('κόσμε')), 1), expect: ['pong'] });

const broken = bytes('cebae1bdb9cf83cebcceb5eda080656469746564');
it('6.3.1', 'invalid UTF-8 in one frame', { send: frame(TEXT, broken), fails: 1007 });
it('6.3.2', 'invalid UTF-8 in fragments of one octet', { send: fragments(TEXT, broken, 1), fails: 1007 });

const start = bytes('cebae1bdb9cf83cebcceb5');
it('6.4.1', 'fails fast: a fragment with bytes that no continuation can mend', {
  send: [frame(TEXT, start, { fin: false }), frame(CONTINUATION, bytes('f4908080'), { fin: false })], fails: 1007,
});
it('6.4.2', 'fails fast: the same, the bad octet in a fragment of its own', {
  send: [frame(TEXT, Buffer.concat([start, bytes('f4')]), { fin: false }), frame(CONTINUATION, bytes('90'), { fin: false })], fails: 1007,
});
it('6.4.3', 'fails at the end of the message at the latest, whole frame in chops', {
  send: frame(TEXT, Buffer.concat([start, bytes('f4908080'), Buffer.from('edited')])), fails: 1007,
});
it('6.4.4', 'the same, cut inside the bad character', {
  send: [frame(TEXT, Buffer.concat([start, bytes('f490')]), { fin: false }), frame(CONTINUATION, bytes('8080'))], fails: 1007,
});

const range = (from, to, after = '') =>
  Array.from({ length: to - from + 1 }, (_, i) => (from + i).toString(16) + after).join('');
const INCOMPLETE = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'];
const planes = Array.from({ length: 17 }, (_, plane) => [0xfffe, 0xffff].map((low) =>
  Buffer.from(String.fromCodePoint(plane * 0x10000 + low)).toString('hex'))).flat();

/** By section: what it is about, and its sequences. */
const VALID = {
  '6.5': ['valid sequences', ['68656c6c6f24776f726c64', '68656c6c6fc2a2776f726c64', '68656c6c6fe282ac776f726c64', '68656c6c6ff0a4ada2776f726c64', 'cebae1bdb9cf83cebcceb5']],
  '6.6v': ['whole prefixes of a valid text', ['ceba', 'cebae1bdb9', 'cebae1bdb9cf83', 'cebae1bdb9cf83cebc', 'cebae1bdb9cf83cebcceb5']],
  '6.7': ['first sequence of each length', ['20', 'c280', 'e0a080', 'f0908080']],
  '6.9': ['last sequence of each length', ['7f', 'dfbf', 'efbfbf', 'f48fbfbf']],
  '6.11v': ['boundaries', ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf']],
  '6.22': ['non-characters', planes],
  '6.23': ['specials', ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf']],
};
const INVALID = {
  '6.6i': ['cut prefixes of a valid text', ['ce', 'cebae1', 'cebae1bd', 'cebae1bdb9cf', 'cebae1bdb9cf83ce', 'cebae1bdb9cf83cebcce']],
  '6.8': ['first sequence of 5 and 6 bytes', ['f888808080', 'fc8480808080']],
  '6.10': ['last sequence of 4, 5 and 6 bytes', ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf']],
  '6.11i': ['beyond U+10FFFF', ['f4908080']],
  '6.12': ['unexpected continuation bytes', ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', range(0x80, 0xbf)]],
  '6.13': ['lonely start bytes', [range(0xc0, 0xdf, '20'), range(0xe0, 0xef, '20'), range(0xf0, 0xf7, '20'), range(0xf8, 0xfb, '20'), range(0xfc, 0xfd, '20')]],
  '6.14': ['last continuation byte missing', INCOMPLETE],
  '6.15': ['incomplete sequences in a row', [INCOMPLETE.join('')]],
  '6.16': ['impossible bytes', ['fe', 'ff', 'fefeffff']],
  '6.17': ['overlong ASCII', ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af']],
  '6.18': ['longest overlong', ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf']],
  '6.19': ['overlong NUL', ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080']],
  '6.20': ['single surrogates', ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf']],
  '6.21': ['paired surrogates', ['eda080edb080', 'eda080edbfbf', 'edadbfedb080', 'edadbfedbfbf', 'edae80edb080', 'edae80edbfbf', 'edafbfedb080', 'edafbfedbfbf']],
};

for (const [section, [about, all]] of Object.entries(VALID)) {
  all.forEach((hex, i) => {
    it(`${section}.${i + 1}`, `${about}: ${hex} is accepted`, {
      send: [frame(TEXT, around(bytes(hex))), ...fragments(TEXT, around(bytes(hex)), 1)], expect: ['pong', 'pong'],
    });
  });
}
for (const [section, [about, all]] of Object.entries(INVALID)) {
  all.forEach((hex, i) => {
    it(`${section}.${i + 1}`, `${about}: ${hex.slice(0, 24)} closes with 1007`, { send: frame(TEXT, around(bytes(hex))), fails: 1007 });
    it(`${section}.${i + 1}f`, `${about}: ${hex.slice(0, 24)} in fragments`, { send: fragments(TEXT, around(bytes(hex)), 1), fails: 1007 });
  });
}
