// SPDX-License-Identifier: MIT OR Apache-2.0
// P-016: 20,000 random frames over real sockets. The seed is printed; SEED=… repeats a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { RawConnection } from '../support/http.js';
import { fresh, member, random, seed } from '../support/names.js';
import { useServer } from '../support/server.js';

const FRAMES = 20_000;
const server = await useServer({ limits: { messages_per_second: 100_000 } });

/** Valid messages, to be bent: whatever a fuzzer sends should get past the first `if`. */
function messages(socket, channel) {
  return [
    { event: 'pusher:ping', data: {} },
    socket.subscription(fresh()),
    socket.subscription(fresh('private-')),
    socket.subscription(fresh('presence-'), { data: member('fuzz') }),
    socket.subscription(channel),
    { event: 'pusher:unsubscribe', data: { channel } },
    { event: 'client-fuzz', channel: 'private-x', data: { a: [1, 2, { b: null }] } },
    { event: 'pusher:signin', data: { auth: 'app-key:00', user_data: '{"id":"1","watchlist":["2"]}' } },
  ];
}

const ODD = ['\u0000', '"', '\\', '{', '}', '[', ']', ':', ',', '\ud83d', 'é', '💥', '-', '1e999', 'null', '\n'];

function bent(text, { below, pick, chance }) {
  const characters = [...text];
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(characters.length + 1);
    if (chance(0.4)) characters.splice(at, 1 + below(3));
    else if (chance(0.5)) characters.splice(at, 0, pick(ODD));
    else characters.splice(at, 0, ...characters.slice(below(characters.length), below(characters.length)));
  }
  return characters.join('');
}

const bytes = (length, below) => Buffer.from(Array.from({ length }, () => below(256)));

/** One frame (or a piece of garbage) of any sort. */
function anything(dice, valid) {
  const { below, pick, chance } = dice;
  if (chance(0.35)) return frames.text(bent(JSON.stringify(pick(valid)), dice));
  if (chance(0.3)) return frames.json(pick(valid));
  if (chance(0.3)) return Buffer.concat(frames.fragments(frames.TEXT, bent(JSON.stringify(pick(valid)), dice), 1 + below(20)));
  if (chance(0.3)) return frames.frame(pick([frames.PING, frames.PONG]), bytes(below(126), below));
  if (chance(0.3)) return frames.frame(frames.TEXT, bytes(below(300), below));
  if (chance(0.3)) return frames.frame(frames.BINARY, bytes(below(300), below));
  if (chance(0.3)) return frames.frame(below(16), bytes(below(200), below), { fin: chance(0.5), rsv: below(8), masked: chance(0.8) });
  if (chance(0.3)) return frames.frame(frames.TEXT, bytes(below(50), below), { length: below(2 ** 40) });
  if (chance(0.3)) return frames.close(below(6000), bent('goodbye', dice));
  return bytes(below(200), below);
}

test('P-016 20,000 random frames: no panic, nobody else is affected', async (t) => {
  const dice = random(seed(t));
  const channel = fresh();
  const bystander = await server.connect();
  await bystander.subscribe(channel);
  let sent = 0;
  let connections = 0;
  while (sent < FRAMES) {
    const socket = await server.connect();
    connections += 1;
    socket.pongs = false;
    const valid = messages(socket, channel);
    for (let n = 0; n < 400 && sent < FRAMES && !socket.tcp.destroyed && !socket.messages.ended; n += 20) {
      const batch = Array.from({ length: 20 }, () => anything(dice, valid));
      sent += batch.length;
      await socket.write(Buffer.concat(batch));
      if (socket.control.items.some(({ opcode }) => opcode === frames.CLOSE)) break;
    }
    socket.vanish();
    if (connections % 50 === 0) {
      await server.api.publish(channel, 'marker', String(connections));
      assert.equal((await bystander.event('marker', channel)).data, String(connections));
    }
  }
  await bystander.alive();
  t.diagnostic(`${sent} frames over ${connections} connections`);
});

test('P-016 random heads of requests: answered or closed, nobody else is affected', async (t) => {
  const dice = random(seed(t));
  const bystander = await server.connect();
  const heads = [
    `GET /app/${server.app.key}?protocol=7 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n`,
    `POST /apps/${server.app.id}/events?auth_key=x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello`,
    'GET /up HTTP/1.1\r\nhost: x\r\n\r\n',
  ];
  for (let n = 0; n < 500; n++) {
    const connection = await RawConnection.open(server.port);
    await connection.write(Buffer.from(bent(dice.pick(heads), dice)));
    connection.socket.end();
    await connection.until((_, closed) => closed, 'the end of a broken request', 20_000);
    assert.ok(!/^HTTP\/1.1 5/.test(connection.text), connection.text.slice(0, 200));
  }
  await bystander.alive();
});
