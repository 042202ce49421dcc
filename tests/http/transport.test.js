// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 6: HTTP/1.1 itself, and what a hostile or broken client makes of it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { RawConnection } from '../support/http.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';
import { signedPath } from '../support/sign.js';

const server = await useServer({ limits: { request_seconds: 2, keep_alive_seconds: 3 } });

/** The bytes of a signed publish. */
function publish(channel, data, { headers = '', chunked = false, version = '1.1' } = {}) {
  const body = JSON.stringify({ name: 'event', channel, data });
  const path = signedPath(server.app, 'POST', server.api.path('/events'), { body });
  const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${Buffer.byteLength(body)}`;
  const sent = chunked
    ? [...body.match(/.{1,7}/gs).map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`), '0\r\n\r\n'].join('')
    : body;
  const head = `POST ${path} HTTP/${version}\r\nhost: localhost\r\ncontent-type: application/json\r\n${length}\r\n${headers}\r\n`;
  return { head, body: sent, whole: head + sent };
}

test('P-072 one connection answers and delivers ten pipelined publishes in order', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const connection = await RawConnection.open(server.port);
  await connection.write(Array.from({ length: 10 }, (_, n) => publish(channel, String(n)).whole).join(''));
  const answers = await connection.responses(10);
  assert.deepEqual(answers.map(({ status, body }) => [status, body]), Array(10).fill([200, '{}']));
  assert.deepEqual((await socket.fence(channel)).map(({ data }) => Number(data)), Array.from({ length: 10 }, (_, n) => n));
  connection.destroy();
});

test('P-072 pipelined requests of several kinds are answered in the order in which they came', async () => {
  const connection = await RawConnection.open(server.port);
  const get = (path) => `GET ${signedPath(server.app, 'GET', server.api.path(path))} HTTP/1.1\r\nhost: x\r\n\r\n`;
  await connection.write([
    get('/channels'), publish('a', 'x').whole, get('/nothing'), 'GET /up HTTP/1.1\r\nhost: x\r\n\r\n', publish('not a name', 'x').whole, get('/channels/c'),
  ].join(''));
  const answers = await connection.responses(6);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 404, 200, 400, 200]);
  assert.match(answers[0].body, /"channels"/);
  assert.match(answers[5].body, /"occupied"/);
  connection.destroy();
});

test('P-072 keep-alive: many requests over one connection; HTTP/1.0 and connection: close end it', async () => {
  const connection = await RawConnection.open(server.port);
  for (let n = 1; n <= 50; n++) {
    await connection.write(publish('c', 'x').whole);
    await connection.responses(n);
  }
  assert.equal(connection.closed, false);
  await connection.write(publish('c', 'x', { headers: 'connection: close\r\n' }).whole);
  await connection.until((_, closed) => closed, 'the end after connection: close');
  const old = await RawConnection.open(server.port);
  await old.write(publish('c', 'x', { version: '1.0' }).whole);
  await old.until((text, closed) => closed && / 200 /.test(text), 'the answer to HTTP/1.0 and the end');
});

test('P-072 chunked bodies, in one packet and byte by byte', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const connection = await RawConnection.open(server.port);
  await connection.write(publish(channel, 'chunked', { chunked: true }).whole);
  await connection.responses(1);
  for (const byte of Buffer.from(publish(channel, 'slowly', { chunked: true }).whole)) await connection.write(Buffer.from([byte]));
  const answers = await connection.responses(2);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  assert.deepEqual((await socket.fence(channel)).map(({ data }) => data), ['chunked', 'slowly']);
  connection.destroy();
});

test('P-072 Expect: 100-continue is answered before the body is sent', async () => {
  const connection = await RawConnection.open(server.port);
  const { head, body } = publish('c', 'x', { headers: 'expect: 100-continue\r\n' });
  await connection.write(head);
  await connection.until((text) => text.includes('100'), '100 Continue');
  await connection.write(body);
  assert.equal((await connection.responses(1))[0].status, 200);
  connection.destroy();
});

test('P-073 oversized bodies are refused with 413, announced or not', async () => {
  const announced = await RawConnection.open(server.port);
  const path = signedPath(server.app, 'POST', server.api.path('/events'), { body: 'x' });
  await announced.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n`);
  await announced.until((text) => text.startsWith('HTTP/1.1 413'), '413');
  const chunked = await RawConnection.open(server.port);
  await chunked.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  for (let n = 0; n < 64 && !chunked.closed && !chunked.text; n++) await chunked.write(chunk);
  await chunked.until((text, closed) => text.startsWith('HTTP/1.1 413') || closed, '413 or the end');
  announced.destroy();
  chunked.destroy();
});

describe('P-073 slow and huge requests', { concurrency: true }, () => {
  /** Sends the rest byte by byte, one each 200 ms, until the server has had enough. */
  async function drip(start, rest) {
    const connection = await RawConnection.open(server.port);
    await connection.write(start);
    const began = performance.now();
    let at = 0;
    const timer = setInterval(() => connection.socket.write(rest[at++ % rest.length]), 200);
    await connection.until((_, closed) => closed, 'an end to dripping', 10_000);
    clearInterval(timer);
    assert.ok(performance.now() - began < 6_000);
    assert.match(connection.text, /^(HTTP\/1.1 4\d\d|$)/);
    return connection;
  }

  test('P-073 a body that drips is bounded by request_seconds', () => drip(publish('c', 'x').head, 'x'));
  test('P-073 headers that drip are bounded by request_seconds', () => drip('GET /up HTTP/1.1\r\n', 'x-header: y\r\n'));
  test('P-073 a request line that drips is bounded', () => drip('GET /', 'a'));
  test('P-073 a handshake that drips is bounded', () => drip('GET /app/app-key?protocol=7 HTTP/1.1\r\nupgrade: websocket\r\n', 'x-a: b\r\n'));

  test('P-073 a connection that says nothing at all is closed', async () => {
    const connection = await RawConnection.open(server.port);
    await connection.until((_, closed) => closed, 'the end of silence', 10_000);
  });

  test('P-073 an idle keep-alive connection is closed after keep_alive_seconds', async () => {
    const connection = await RawConnection.open(server.port);
    await connection.write('GET /up HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.responses(1);
    await connection.until((_, closed) => closed, 'the end of idleness', 10_000);
  });

  for (const [what, bytes] of Object.entries({
    '1 MB of headers': `GET /up HTTP/1.1\r\n${'x-header: something\r\n'.repeat(50_000)}\r\n`,
    'one header of 1 MB': `GET /up HTTP/1.1\r\nx-big: ${'y'.repeat(1_000_000)}\r\n\r\n`,
    '101 headers': `GET /up HTTP/1.1\r\n${Array.from({ length: 101 }, (_, n) => `x-${n}: y\r\n`).join('')}\r\n`,
    '200 KB of URL': `GET /apps/${'a'.repeat(200_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    '200 KB of query': `GET /apps/4711/channels?${'a=b&'.repeat(50_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    'a handshake with 1 MB of headers': `GET /app/app-key?protocol=7 HTTP/1.1\r\nupgrade: websocket\r\n${'x: y\r\n'.repeat(170_000)}\r\n`,
  })) {
    test(`P-073 ${what}: refused or closed, without buffering it`, async () => {
      const connection = await RawConnection.open(server.port);
      connection.write(bytes);
      await connection.until((text, closed) => /^HTTP\/1.1 4\d\d/.test(text) || closed, 'a refusal');
      assert.ok(!/^HTTP\/1.1 [235]/.test(connection.text), connection.text.slice(0, 100));
      connection.destroy();
    });
  }
});

const HELLO = '16030100c8010000c40303' + randomBytes(32).toString('hex') + '20' + randomBytes(32).toString('hex');
for (const [what, bytes] of Object.entries({
  'a TLS hello': Buffer.from(HELLO, 'hex'),
  'random bytes': randomBytes(4_000),
  'NULs': Buffer.alloc(5_000),
  'newlines': Buffer.from('\r\n'.repeat(10_000)),
  'an HTTP/2 preface': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  'HTTP/0.9': Buffer.from('GET /up\r\n'),
  'another protocol': Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'),
  'a proxy line': Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'),
  'a bad method': Buffer.from('G\u0000T / HTTP/1.1\r\nhost: x\r\n\r\n'),
  'a bad version': Buffer.from('GET / HTTP/9.9\r\nhost: x\r\n\r\n'),
  'a header without a colon': Buffer.from('GET /up HTTP/1.1\r\nhello\r\n\r\n'),
  'length and chunks at once': Buffer.from('POST /apps/4711/events HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
  'two lengths': Buffer.from('POST /apps/4711/events HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd'),
  'a negative length': Buffer.from('POST /apps/4711/events HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'),
  'a bad chunk size': Buffer.from('POST /apps/4711/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
  'a path of bytes': Buffer.from('GET /\xff\xfe/%zz/%00/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n', 'latin1'),
})) {
  test(`P-074 ${what} on the plain port: no 5xx, nobody else is affected`, async () => {
    const bystander = await server.connect();
    const connection = await RawConnection.open(server.port);
    await connection.write(bytes);
    await connection.until((text, closed) => closed || text.includes('\r\n\r\n'), 'an answer or the end', 6_000);
    assert.doesNotMatch(connection.text, /^HTTP\/1\.[01] [25]/);
    connection.destroy();
    await bystander.alive();
  });
}
