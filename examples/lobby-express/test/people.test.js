// SPDX-License-Identifier: MIT OR Apache-2.0
// Registering, logging in, sessions, and who may send what.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Lobby, User } = require('./support');

test('whoever is not signed in logs in, and gets to where they wanted to go', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = new User(lobby, 'ann');
  const asked = await ann.get('/lobby/1?a=b');
  assert.deepEqual([asked.status, asked.headers.get('location')], [303, '/login?next=%2Flobby%2F1%3Fa%3Db']);
  assert.equal((await ann.send('/games')).status, 401);
  assert.equal((await ann.post('/register', { username: 'ann', password: 'correct horse', next: '/lobby/1?a=b' })).headers.get('location'), '/lobby/1?a=b');
  assert.match(ann.setCookie, /; HttpOnly; SameSite=Lax$/);
  assert.doesNotMatch(ann.setCookie, /Secure/);
  assert.equal((await ann.get('/')).status, 200);
  const elsewhere = await ann.post('/login', { username: 'ANN', password: 'correct horse', next: '//evil.test' });
  assert.deepEqual([elsewhere.status, elsewhere.headers.get('location')], [303, '/']);
});

test('what is wrong is said on the page again', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  await lobby.user('ann');
  const stranger = new User(lobby, 'stranger');
  for (const [path, username, password, status, text] of [
    ['/login', 'ann', 'wrong password', 401, /do not go together/],
    ['/login', 'nobody', 'wrong password', 401, /do not go together/],
    ['/login', 'ann', '', 401, /do not go together/],
    ['/register', 'an', 'correct horse', 422, /3 to 20/],
    ['/register', 'a"><script>', 'correct horse', 422, /3 to 20/],
    ['/register', 'ben', 'short', 422, /8 to 128/],
    ['/register', 'Ann', 'correct horse', 409, /taken/],
  ]) {
    const answer = await stranger.post(path, { username, password });
    const page = await answer.text();
    assert.equal(answer.status, status, `${path} ${username}`);
    assert.match(page, /role="alert"/);
    assert.match(page, text);
    assert.doesNotMatch(page, /"><script>/);
  }
  assert.equal(stranger.cookie, '', 'nobody gets a session before they are signed in');
});

test('a session outlives kill -9 of the app, and ends at the log-out wherever its cookie is', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  await lobby.kill(lobby.web);
  await lobby.startWeb();
  assert.equal((await ann.get('/')).status, 200);
  const { cookie } = ann;
  assert.equal((await ann.post('/logout')).headers.get('location'), '/login');
  ann.cookie = cookie;
  assert.equal((await ann.get('/')).status, 303);
});

test('a form of another site changes nothing', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: lobby.url },
    { origin: 'http://evil.test' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
  ]) assert.equal((await ann.post('/games', {}, headers)).status, 403, JSON.stringify(headers));
  assert.equal((await ann.post('/games', {}, { 'sec-fetch-site': 'same-origin' })).status, 303);
});

test('too many tries are refused, by address and by name', async (t) => {
  const lobby = await Lobby.prepare(t, { settings: { LOBBY_LOGINS_PER_MINUTE: '3', LOBBY_REGISTRATIONS_PER_MINUTE: '1' } });
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  const second = await ann.post('/register', { username: 'ben', password: 'correct horse' });
  assert.equal(second.status, 429);
  assert.match(await second.text(), /role="alert">Many have registered from where you are. Please try again in \d+ seconds?\./);
  for (let tries = 0; tries < 3; tries++) assert.equal((await ann.post('/login', { username: 'ann', password: 'wrong password' })).status, 401);
  const fourth = await ann.post('/login', { username: 'ann', password: 'password of ann' });
  assert.equal(fourth.status, 429);
  assert.ok(Number(fourth.headers.get('retry-after')) > 0);
});

test('pages let no script stand in them, and are not kept', async (t) => {
  const lobby = await Lobby.prepare(t, { settings: { PUSHER_PUBLIC_PORT: '7777' } });
  await lobby.startWeb();
  const { headers } = await new User(lobby, 'x').get('/login');
  assert.match(headers.get('content-security-policy'), /^default-src 'self'; connect-src 'self' ws:\/\/127\.0\.0\.1:7777 wss:\/\/127\.0\.0\.1:7777; /);
  assert.equal(headers.get('cache-control'), 'no-store');
});
