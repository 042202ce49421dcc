// SPDX-License-Identifier: MIT OR Apache-2.0
// Pages as the server renders them, which is all that somebody without scripts has: they say what is
// true, and offer what can be done.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Lobby } = require('./support');

const TEMPLATE = /<template[^]*?<\/template>/g; // blank rows for scripts

/** The HTML of a page, without what only scripts see. */
async function pageOf(user, path) {
  return (await (await user.get(path)).text()).replace(TEMPLATE, '');
}

const count = (page, pattern) => (page.match(pattern) ?? []).length;

test('the home page lists the open games, and finds the game of a link', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  const game = await ann.makeGame();
  assert.match(await pageOf(ann, '/'), new RegExp(`<li data-game-id="${game.split('/').pop()}">[^]*>ann</b>[^]*>1</span> of 6`));
  const found = await ann.get(`/?link=${encodeURIComponent(` ${lobby.url}${game.toUpperCase()} `)}`);
  assert.deepEqual([found.status, found.headers.get('location')], [303, game]);
  assert.match(await pageOf(ann, '/?link=nothing'), /role="alert">This does not look like a link/);
});

test('a script that makes a game is told where it is', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  const made = await ann.post('/games', {}, { accept: 'application/json' });
  assert.equal(made.status, 201);
  assert.match(made.headers.get('location'), /^\/lobby\/[0-9a-f-]{36}$/);
});

test('the lobby lists players and messages, and offers what each may do', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const [ann, ben, cid] = [await lobby.user('ann'), await lobby.user('ben'), await lobby.user('cid')];
  const game = await ann.makeGame();
  await ben.post(`${game}/join`);
  await ben.post(`${game}/ready`, { ready: 'true' });
  await ben.post(`${game}/messages`, { text: '<b>hello</b>' });
  const [anns, bens, cids] = [await pageOf(ann, game), await pageOf(ben, game), await pageOf(cid, game)];
  for (const page of [anns, bens, cids]) {
    assert.match(page, /data-user-id="1" data-ready="false" data-host="true"/);
    assert.match(page, /data-user-id="2" data-ready="true" data-host="false"/);
    assert.match(page, /id="count">2</);
  }
  for (const page of [anns, bens]) assert.match(page, /<li data-number="1"[^]*>&lt;b&gt;hello&lt;\/b&gt;<\/p>/);
  assert.doesNotMatch(cids, /hello|id="mine"/, 'the chat is for players');
  assert.equal(count(anns, /class="remove"[^>]* data-live>/g), 1, 'the host may remove ben');
  assert.equal(count(bens, /class="remove"[^>]* data-live>/g), 0);
  assert.match(anns, /I am ready/);
  assert.match(bens, /Wait, I am not ready/);
  assert.match(cids, /id="join"[^>]*"><button/);
});

test('no seat is offered where nobody can sit down', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const [host, ...guests] = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => lobby.user(`user-${n}`)));
  const last = guests.pop();
  const game = await host.makeGame();
  for (const guest of guests) await guest.post(`${game}/join`);
  assert.match(await pageOf(last, game), /id="join"[^>]* hidden>[^]*id="full" class="notice">/, 'it is full');
  const removed = guests.pop();
  const [, id] = (await pageOf(removed, game)).match(/<body data-user-id="(\d+)"/);
  await host.post(`${game}/remove`, { user_id: id });
  assert.match(await pageOf(removed, game), /class="notice">The host has removed you/);
  assert.match(await pageOf(last, game), /id="join"[^>]*"><button/, 'a seat is free again');
  for (const guest of guests) await guest.post(`${game}/ready`, { ready: 'true' });
  assert.equal((await host.send(`${game}/start`)).status, 204);
  const onlookers = await pageOf(last, game);
  assert.match(onlookers, /id="join"[^>]* hidden>[^]*id="started" class="notice">This game has already started\.[^]*id="full" class="notice" hidden>/);
  assert.doesNotMatch(await pageOf(removed, game), /id="join"|id="started"/);
  assert.match(await pageOf(host, game), /id="begun"[^>]*>The game has begun\./);
});
