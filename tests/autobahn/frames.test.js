// SPDX-License-Identifier: MIT OR Apache-2.0
// P-007, Autobahn sections 1 (framing), 2 (pings), 3 (reserved bits), 4 (opcodes), 10 (auto-fragmentation).
import { useServer } from '../support/server.js';
import {
  BINARY, CHOPS, CLOSE, OCTETS, PING, PONG, TEXT, fragments, frame, ping, stars, testCase, text,
} from '../support/autobahn.js';

const server = await useServer({});
const it = (...args) => testCase(server, ...args);

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];
for (const [section, opcode, name] of [['1.1', TEXT, 'text'], ['1.2', BINARY, 'binary']]) {
  SIZES.forEach((size, i) => {
    it(`${section}.${i + 1}`, `${name} message of ${size} bytes`, { send: frame(opcode, stars(size)), expect: ['error'] });
  });
  it(`${section}.8`, `${name} message of 65536 bytes in chops of 997`, {
    send: frame(opcode, stars(65_536)), how: CHOPS(997), expect: ['error'],
  });
}

const small = Buffer.from('Hello, world!');
const binary = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]);
const longest = Buffer.alloc(125, 0xfe);

it('2.1', 'ping without payload', { send: frame(PING), expect: [''] });
it('2.2', 'ping with small text payload', { send: frame(PING, small), expect: [small] });
it('2.3', 'ping with small binary payload', { send: frame(PING, binary), expect: [binary] });
it('2.4', 'ping with payload of 125 bytes', { send: frame(PING, longest), expect: [longest] });
it('2.5', 'ping with payload of 126 bytes', { send: frame(PING, Buffer.alloc(126, 0xfe)), fails: 1002 });
it('2.6', 'ping with payload of 125 bytes, octet by octet', { send: frame(PING, longest), how: OCTETS, expect: [longest] });
it('2.7', 'unsolicited pong without payload', { send: frame(PONG) });
it('2.8', 'unsolicited pong with payload', { send: frame(PONG, 'unsolicited pong payload') });
it('2.9', 'unsolicited pong, then ping', { send: [frame(PONG, 'unsolicited'), frame(PING, 'ping payload')], expect: ['ping payload'] });
const ten = Array.from({ length: 10 }, (_, n) => `payload-${n}`);
it('2.10', 'ten pings', { send: ten.map((payload) => frame(PING, payload)), expect: ten });
it('2.11', 'ten pings, octet by octet', { send: ten.map((payload) => frame(PING, payload)), how: OCTETS, expect: ten });

const good = text(stars(13));
const reserved = (rsv, opcode = TEXT) => frame(opcode, small, { rsv });
it('3.1', 'RSV = 1', { send: reserved(1), fails: 1002 });
it('3.2', 'text, text with RSV = 2, ping', { send: [good, reserved(2), frame(PING)], expect: ['error'], fails: 1002 });
it('3.3', 'text, text with RSV = 3, ping, in chops of one octet', {
  send: [good, reserved(3), frame(PING)], how: CHOPS(1), expect: ['error'], fails: 1002,
});
it('3.4', 'text, text with RSV = 4, ping, octet by octet', {
  send: [good, reserved(4), frame(PING)], how: OCTETS, expect: ['error'], fails: 1002,
});
it('3.5', 'binary with RSV = 5', { send: reserved(5, BINARY), fails: 1002 });
it('3.6', 'ping with RSV = 6', { send: reserved(6, PING), fails: 1002 });
it('3.7', 'close with RSV = 7', { send: frame(CLOSE, '\x03\xe8', { rsv: 7 }), fails: 1002 });

[[3, 7], [11, 15]].forEach(([first], section) => {
  const number = (n) => `4.${section + 1}.${n}`;
  it(number(1), `opcode ${first}`, { send: frame(first), fails: 1002 });
  it(number(2), `opcode ${first + 1} with payload`, { send: frame(first + 1, 'reserved opcode payload'), fails: 1002 });
  it(number(3), `text, opcode ${first + 2}, ping`, { send: [good, frame(first + 2), frame(PING)], expect: ['error'], fails: 1002 });
  it(number(4), `text, opcode ${first + 3} with payload, ping`, {
    send: [good, frame(first + 3, 'reserved opcode payload'), frame(PING)], expect: ['error'], fails: 1002,
  });
  it(number(5), `text, opcode ${first + 4} with payload, ping, octet by octet`, {
    send: [good, frame(first + 4, 'reserved'), frame(PING)], how: OCTETS, expect: ['error'], fails: 1002,
  });
});

it('10.1.1', 'text of 65536 bytes in frames of 1300', { send: fragments(TEXT, stars(65_536), 1300), expect: ['error'] });
it('10.1.1b', 'the same, a message with meaning', { send: fragments(TEXT, ping(stars(60_000)), 1300), expect: ['pong'] });

it('RFC 6455 5.1', 'a frame that is not masked', { send: frame(TEXT, small, { masked: false }), fails: 1002 });
it('RFC 6455 5.2', 'a length with its highest bit set', {
  send: (() => {
    const bytes = frame(TEXT, '', { length: 70_000 });
    bytes[2] = 0x80;
    return bytes;
  })(),
  fails: 1002,
});
