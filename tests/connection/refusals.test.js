// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 1: every refusal is an accepted upgrade, one pusher:error, a close frame.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverFor, useServer } from '../support/server.js';
import { Socket } from '../support/socket.js';

const apps = [
  {},
  { id: '2', key: 'off', secret: 'secret-off', enabled: false },
  { id: '3', key: 'tls', secret: 'secret-tls', tls_only: true },
  { id: '4', key: 'small', secret: 'secret-small', max_connections: 2 },
  { id: '5', key: 'shop', secret: 'secret-shop', allowed_origins: ['https://shop.example.com', 'https://*.example.org'] },
];
const server = await useServer({ apps });
const app = (key) => server.apps.find((each) => each.key === key);

/** Connects, and checks that it is refused with that code in the error and in the close frame. */
async function refusal(code, options, on = server) {
  const socket = await Socket.open(on, options);
  assert.equal(socket.status, 101);
  const first = await socket.messages.take();
  assert.equal(first.event, 'pusher:error');
  assert.equal(first.data.code, code);
  assert.equal(typeof first.data.message, 'string');
  const closed = await socket.closed();
  assert.equal(closed.code, code);
  assert.equal(closed.reason, first.data.message);
  assert.deepEqual(socket.messages.items, [], 'nothing stands between the error and the close frame');
  for (const { secret } of on.apps) assert.ok(!first.raw.includes(secret));
  return first.data;
}

describe('P-003 refusals', () => {
  for (const protocol of ['abc', 'seven', '7x', '%37x', '0x7']) {
    test(`P-003 protocol=${protocol} closes with 4006`, () => refusal(4006, { query: { protocol } }));
  }

  for (const protocol of [0, 1, 4, 8, 99, 100000]) {
    test(`P-003 protocol=${protocol} closes with 4007`, () => refusal(4007, { query: { protocol } }));
  }

  test('P-003 no protocol closes with 4008', () => refusal(4008, { query: { protocol: undefined } }));

  test('P-003 an unknown key closes with 4001', async () => {
    const { message } = await refusal(4001, { app: { key: 'nobody' } });
    assert.match(message, /^Application does not exist/);
  });

  test('P-003 keys are compared whole and with their case', async () => {
    for (const key of ['APP-KEY', 'app-key2', 'app-ke', 'app-key%00', '%61pp']) await refusal(4001, { app: { key } });
  });

  test('P-003 a disabled app closes with 4003', () => refusal(4003, { app: app('off') }));

  test('P-003 a plain connection to an app with tls_only closes with 4000', () => refusal(4000, { app: app('tls') }));

  test('P-003 an app with tls_only is reached through a proxy that says it spoke TLS', async () => {
    const socket = await server.connect({ app: app('tls'), headers: { 'x-forwarded-proto': 'https' } });
    await socket.alive();
    await refusal(4000, { app: app('tls'), headers: { 'x-forwarded-proto': 'http' } });
  });

  test('P-003 beyond the app\'s max_connections closes with 4004, and a place that is free again is given', async () => {
    const small = app('small');
    const [first] = await server.connectAll(2, { app: small });
    await refusal(4004, { app: small });
    await first.close();
    const next = await server.connect({ app: small });
    await next.alive();
    await server.connect(); // the other app is not affected
  });

  test('P-003 a full server closes with 4100', async (t) => {
    const full = await serverFor(t, { limits: { max_connections: 3 } });
    const sockets = await full.connectAll(3);
    await refusal(4100, {}, full);
    await sockets[0].close();
    await full.connect();
  });

  for (const path of ['/', '/app', '/app/', '/apps', '/app/app-key/more?protocol=7', '/nothing?protocol=7', '/APP/app-key?protocol=7']) {
    test(`P-003 an upgrade on ${path} is a 404 or closes with 4005 (or 4001)`, async () => {
      const socket = await Socket.open(server, { path });
      if (socket.status !== 101) return assert.ok([400, 404, 405, 426].includes(socket.status), String(socket.status));
      const { data } = await socket.event('pusher:error');
      const { code } = await socket.closed();
      assert.equal(code, data.code);
      assert.ok(code === 4005 || (code === 4001 && path === '/app/'), `closed with ${code}`);
    });
  }
});

describe('P-010 origins', () => {
  for (const origin of ['https://shop.example.com', 'https://a.example.org', 'https://a.b.example.org']) {
    test(`P-010 ${origin} may connect`, async () => {
      const socket = await server.connect({ app: app('shop'), headers: { origin } });
      await socket.alive();
    });
  }

  for (const origin of [
    'https://example.com', 'https://evil.com', 'https://shop.example.com.evil.com', 'https://evilexample.org',
    'https://a.example.org.evil.com', 'null', 'http://evil.com/https://shop.example.com', 'https://shop.example.com@evil.com',
  ]) {
    test(`P-010 ${origin} is refused with 4009`, () => refusal(4009, { app: app('shop'), headers: { origin } }));
  }

  test('P-010 "*" lets every origin in', async () => {
    for (const origin of ['https://anything.at.all', 'null']) await server.connect({ headers: { origin } });
  });
});
