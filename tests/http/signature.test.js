// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 6, "Signature".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/http.js';
import { fresh } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import { hmac, md5, signedPath, stringToSign } from '../support/sign.js';

const server = await useServer({ apps: [{}, { id: '2', key: 'other-key', secret: 'other-secret' }, { id: '3', key: 'off', secret: 'secret-off', enabled: false }] });
const body = () => JSON.stringify({ name: 'event', channel: fresh(), data: 'x' });
const now = () => Math.floor(Date.now() / 1000);

const DOCUMENTED = {
  app: { id: '3', key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' },
  body: '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}',
  at: 1353088179,
  md5: 'ec365a775a4cd0599faeb73354201b6f',
  signature: 'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c',
};

test('P-061 the worked example of the documentation', async (t) => {
  const { app, at } = DOCUMENTED;
  assert.equal(md5(DOCUMENTED.body), DOCUMENTED.md5);
  const path = signedPath(app, 'POST', '/apps/3/events', { body: DOCUMENTED.body, at });
  assert.ok(path.endsWith(`auth_signature=${DOCUMENTED.signature}`), path);
  const own = await serverFor(t, { app });
  const old = await request(own.port, { method: 'POST', path, body: DOCUMENTED.body });
  assert.equal(old.status, 401);
  assert.match(old.json.error, /auth_timestamp|clock/, 'its signature is right, only its time is long past');
  const today = signedPath(app, 'POST', '/apps/3/events', { body: DOCUMENTED.body });
  const socket = await own.connect();
  await socket.subscribe('project-3');
  assert.equal((await request(own.port, { method: 'POST', path: today, body: DOCUMENTED.body })).status, 200);
  assert.equal((await socket.event('foo', 'project-3')).data, '{"some":"data"}');
});

const WRONG = {
  'an unknown key': [{ change: { auth_key: 'nobody' } }, /key/],
  'another app\'s key': [{ change: { auth_key: 'other-key' } }, /key/],
  'no key': [{ change: { auth_key: undefined } }, /auth_key/],
  'no timestamp': [{ change: { auth_timestamp: undefined } }, /auth_timestamp/],
  'a timestamp that is no number': [{ change: { auth_timestamp: 'yesterday' } }, /auth_timestamp/],
  'a timestamp in milliseconds': [{ change: { auth_timestamp: String(Date.now()) } }, /auth_timestamp|clock/],
  'a negative timestamp': [{ change: { auth_timestamp: '-1' } }, /auth_timestamp|clock/],
  'a timestamp beyond all integers': [{ change: { auth_timestamp: '9'.repeat(40) } }, /auth_timestamp|clock/],
  'no version': [{ change: { auth_version: undefined } }, /auth_version/],
  'another version': [{ change: { auth_version: '2.0' } }, /auth_version/],
  'no body_md5': [{ change: { body_md5: undefined } }, /body_md5/],
  'the md5 of another body': [{ change: { body_md5: md5('another') } }, /body_md5/],
  'no signature': [{ forge: { auth_signature: undefined } }, /auth_signature/],
  'an empty signature': [{ forge: { auth_signature: '' } }, /signature/],
  'a short signature': [{ forge: { auth_signature: 'abc' } }, /signature/],
  'a signature that is not hex': [{ forge: { auth_signature: 'z'.repeat(64) } }, /signature/],
  'a parameter added afterwards': [{ forge: { extra: '1' } }, /signature/],
  'a parameter changed afterwards': [{ query: { info: 'a' }, forge: { info: 'b' } }, /signature/],
};

for (const [what, [options, reason]] of Object.entries(WRONG)) {
  test(`P-062 ${what}: 401 and the reason`, async () => {
    const answer = await server.api.post('/events', body(), options);
    assert.equal(answer.status, 401, answer.text);
    assert.match(answer.json.error, reason);
    assert.equal(typeof answer.json.code, 'string');
    assert.ok(!answer.text.includes(server.app.secret));
    assert.match(answer.headers['content-type'], /^application\/json/);
  });
}

test('P-062 another secret, method, path or case: 401 with the string that the server signed, without the secret', async () => {
  const text = body();
  const sign = (app, method, path) => signedPath(app, method, path, { body: text });
  const right = sign(server.app, 'POST', '/apps/4711/events');
  const cases = [
    sign({ ...server.app, secret: 'guess' }, 'POST', '/apps/4711/events'),
    sign(server.app, 'PUT', '/apps/4711/events'),
    sign(server.app, 'POST', '/apps/4711/batch_events').replace('batch_events', 'events'),
    sign(server.app, 'POST', '/apps/4711/events/').replace('events/', 'events'),
    right.replace(/auth_signature=.*/, (all) => all.toUpperCase().replace('AUTH_SIGNATURE', 'auth_signature')),
  ];
  for (const path of cases) {
    const answer = await request(server.port, { method: 'POST', path, body: text });
    assert.equal(answer.status, 401, path);
    const at = /auth_timestamp=(\d+)/.exec(path)[1];
    const signed = stringToSign('POST', '/apps/4711/events', { auth_key: server.app.key, auth_timestamp: at, auth_version: '1.0', body_md5: md5(text) });
    assert.ok(answer.json.error.includes(signed), answer.json.error);
    assert.ok(!answer.text.includes(hmac(server.app.secret, signed)), 'the answer tells the right signature');
    assert.ok(!answer.text.includes(server.app.secret));
  }
  const answer = await request(server.port, { method: 'POST', path: right, body: text });
  assert.equal(answer.status, 200, answer.text);
});

test('P-062 the signature is checked before the body is parsed, and on every call', async () => {
  const wrong = { forge: { auth_signature: '00' } };
  assert.equal((await server.api.post('/events', 'not json', wrong)).status, 401);
  for (const [method, path] of [
    ['GET', '/channels'], ['GET', '/channels/x'], ['GET', '/channels/presence-x/users'], ['POST', '/batch_events'],
    ['POST', '/users/x/terminate_connections'],
  ]) {
    assert.equal((await server.api.call(method, path, method === 'POST' ? '{}' : undefined, wrong)).status, 401, path);
    assert.equal((await request(server.port, { method, path: server.api.path(path) })).status, 401, `${path} unsigned`);
  }
});

test('P-062 a disabled app: 403; an unknown app: 404', async () => {
  const off = server.apps[2];
  const text = body();
  const call = (app) => request(server.port, { method: 'POST', path: signedPath(app, 'POST', `/apps/${app.id}/events`, { body: text }), body: text });
  assert.equal((await call(off)).status, 403);
  assert.equal((await call({ ...server.app, id: '999' })).status, 404);
});

for (const [seconds, status] of [[500, 200], [-500, 200], [700, 401], [-700, 401]]) {
  test(`P-063 a clock ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead'}: ${status}`, async () => {
    const answer = await server.api.post('/events', body(), { at: now() + seconds });
    assert.equal(answer.status, status, answer.text);
    if (status === 401) assert.match(answer.json.error, /(69\d|70\d) ?s/, 'it says by how much');
  });
}

test('P-064 queries in every encoding that clients use', async () => {
  const channel = fresh('presence-cache-');
  const socket = await server.connect();
  await socket.subscribe(channel, { data: { user_id: '1' } });
  const query = { filter_by_prefix: 'presence-cache-', info: 'user_count,subscription_count' };
  const all = (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  for (const escape of [encodeURIComponent, (text) => text, all, (text) => encodeURIComponent(text).toLowerCase()]) {
    const answer = await server.api.get('/channels', query, { escape });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json.channels[channel], { user_count: 1, subscription_count: 1 });
  }
});

test('P-064 values are signed unescaped, whatever stands in them; keys sort by their lower case', async () => {
  for (const query of [{ x: 'ä 100% & more = ; / ? 💥' }, { Zeta: '1', alpha: '2' }, { empty: '' }, { AUTHOR: 'x', auth_author: 'y' }]) {
    const answer = await server.api.get('/channels', query);
    assert.equal(answer.status, 200, answer.text);
  }
});

test('P-064 the order of parameters on the wire does not matter', async () => {
  const path = signedPath(server.app, 'GET', server.api.path('/channels'), { query: { info: 'subscription_count' } });
  const [target, query] = path.split('?');
  const answer = await request(server.port, { path: `${target}?${query.split('&').reverse().join('&')}` });
  assert.equal(answer.status, 200, answer.text);
});

test('P-062 an empty body may carry the MD5 of nothing, or none', async () => {
  assert.equal((await server.api.get('/channels', {}, { change: { body_md5: md5('') } })).status, 200);
  assert.equal((await server.api.get('/channels')).status, 200);
  assert.equal((await server.api.get('/channels', {}, { change: { body_md5: md5('x') } })).status, 401);
});

test('P-065 a body replaced under way: 401, and nothing is published', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const good = JSON.stringify({ name: 'event', channel, data: 'true' });
  for (const sent of [good.replace('true', 'lies'), `${good} `, '', good.slice(0, -1)]) {
    const answer = await server.api.post('/events', good, { sent });
    assert.equal(answer.status, 401, answer.text);
    assert.match(answer.json.error, /body_md5/);
  }
  assert.deepEqual(await socket.fence(channel), []);
});
