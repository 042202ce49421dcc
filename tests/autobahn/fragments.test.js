// SPDX-License-Identifier: MIT OR Apache-2.0
// P-007, Autobahn section 5: fragmentation. A fragmented message is `pusher:ping` cut in two.
import { useServer } from '../support/server.js';
import { CHOPS, CONTINUATION, OCTETS, PING, PONG, TEXT, frame, ping, testCase, text } from '../support/autobahn.js';

const server = await useServer({});
const it = (...args) => testCase(server, ...args);

const message = ping('in two fragments');
const first = frame(TEXT, message.slice(0, 20), { fin: false });
const last = frame(CONTINUATION, message.slice(20));
const stray = (fin) => frame(CONTINUATION, 'non-continuation payload', { fin });
const hello = text(ping('hello'));

it('5.1', 'ping in two fragments', { send: [frame(PING, 'fragment1', { fin: false }), frame(CONTINUATION, 'fragment2')], fails: 1002 });
it('5.2', 'pong in two fragments', { send: [frame(PONG, 'fragment1', { fin: false }), frame(CONTINUATION, 'fragment2')], fails: 1002 });

const ways = [undefined, OCTETS, CHOPS(1)];
const names = ['', ', octet by octet', ', in chops of one octet'];
ways.forEach((how, i) => {
  it(`5.${3 + i}`, `text in two fragments${names[i]}`, { send: [first, last], how, expect: ['pong'] });
  it(`5.${6 + i}`, `text in two fragments, a ping between them${names[i]}`, {
    send: [first, frame(PING, 'between'), last], how, expect: ['between', 'pong'],
  });
  it(`5.${9 + i}`, `continuation with FIN where there is nothing to continue, then text${names[i]}`, {
    send: [stray(true), hello], how, fails: 1002,
  });
  it(`5.${12 + i}`, `continuation without FIN where there is nothing to continue, then text${names[i]}`, {
    send: [stray(false), hello], how, fails: 1002,
  });
});

it('5.15', 'text in two fragments, continuation without FIN, text', {
  send: [first, last, stray(false), hello], expect: ['pong'], fails: 1002,
});
const twice = (parts) => [...parts, ...parts];
it('5.16', 'continuation without FIN, text without FIN, continuation with FIN, twice', {
  send: twice([stray(false), first, last]), fails: 1002,
});
it('5.17', 'continuation with FIN, text without FIN, continuation with FIN, twice', {
  send: twice([stray(true), first, last]), fails: 1002,
});
it('5.18', 'text without FIN, then text with FIN', { send: [first, text(message.slice(20))], fails: 1002 });

const five = (() => {
  const whole = ping('in five fragments');
  const cut = [0, 8, 16, 24, 32].map((at, i, all) => whole.slice(at, all[i + 1]));
  return [
    frame(TEXT, cut[0], { fin: false }), frame(CONTINUATION, cut[1], { fin: false }), frame(PING, 'first'),
    frame(CONTINUATION, cut[2], { fin: false }), frame(CONTINUATION, cut[3], { fin: false }), frame(PING, 'second'),
    frame(CONTINUATION, cut[4]),
  ];
})();
it('5.19', 'text in five fragments with two pings, frame by frame', {
  send: five, how: async (socket, bytes) => CHOPS(9)(socket, bytes), expect: ['first', 'second', 'pong'],
});
it('5.20', 'text in five fragments with two pings, in one packet', { send: five, expect: ['first', 'second', 'pong'] });
it('5.20b', 'the same, octet by octet', { send: five, how: OCTETS, expect: ['first', 'second', 'pong'] });
it('5.21', 'an empty fragment between full ones', {
  send: [first, frame(CONTINUATION, '', { fin: false }), last], expect: ['pong'],
});
