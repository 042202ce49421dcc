// SPDX-License-Identifier: MIT OR Apache-2.0
// Oyez and the app, when either of them is away: nothing that was done is undone, and what pages
// show is true again in the end.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');
const { Lobby, eventually, freePort } = require('./support');

const names = (players) => players?.map(({ username }) => username).join();

test('only Oyez is told what is true', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const ann = await lobby.user('ann');
  const id = (await ann.makeGame()).split('/').pop();
  const ask = (channel, secret) => {
    const body = JSON.stringify({ app_id: lobby.app.id, channel });
    const headers = {
      'content-type': 'application/json',
      'x-pusher-key': lobby.app.key,
      'x-pusher-signature': crypto.createHmac('sha256', secret).update(body).digest('hex'),
    };
    return fetch(`${lobby.url}/truth`, { method: 'POST', headers, body });
  };
  const { secret } = lobby.app;
  assert.deepEqual(await (await ask(`LOBBY_${id}`, secret)).json(), [{ id: 1, username: 'ann', ready: false, host: true, playing: false }]);
  assert.deepEqual(await (await ask(`private-GAME_${id}`, secret)).json(), { status: 'lobby' });
  assert.deepEqual(await (await ask(`private-CHAT_${id}`, secret)).json(), []);
  assert.deepEqual(await (await ask('private-GAMES', secret)).json(), [{ id, host: 'ann', players: 1 }]);
  for (const channel of ['LOBBY_none', 'private-CHAT_none', 'private-GAME_none', 'other']) assert.equal((await ask(channel, secret)).status, 404, channel);
  assert.equal((await ask(`LOBBY_${id}`, 'another secret')).status, 401);
  assert.equal((await fetch(`${lobby.url}/truth`, { method: 'POST' })).status, 401);
});

test('while Oyez is away everything works but the news, which come with Oyez', async (t) => {
  const lobby = await Lobby.start(t);
  const [ann, ben, cid] = [await lobby.user('ann'), await lobby.user('ben'), await lobby.user('cid')];
  const game = await ann.makeGame();
  await cid.post(`${game}/join`);
  const list = lobby.subscribe(t, `LOBBY_${game.split('/').pop()}`, 'PLAYER_JOIN');
  await eventually(() => names(list.data) === 'ann,cid', 'the first two');
  await lobby.kill(lobby.oyez);
  assert.equal((await ben.send(`${game}/join`)).status, 204);
  assert.equal((await ben.send(`${game}/messages`, { text: 'hello?' })).status, 201);
  assert.equal((await cid.send(`${game}/leave`)).status, 204);
  assert.match(lobby.web.output, /The connections of user 3 were not ended: ECONN\w+\./);
  assert.match(lobby.web.output, /Oyez was not told that LOBBY_.* changed: ECONN\w+\. It will ask by itself/);
  await lobby.startOyez();
  await eventually(() => names(list.data) === 'ann,ben', 'the page that has come back', 40_000);
});

test('whoever was refused while the app was away hears that it is back, also if Oyez was first', async (t) => {
  const lobby = await Lobby.start(t);
  const app = lobby.subscribe(t, 'APP', 'APP_STARTED');
  const first = (await eventually(() => app.data, 'the app')).started;
  await lobby.kill(lobby.web);
  await lobby.kill(lobby.oyez);
  await lobby.startOyez();
  const page = lobby.subscribe(t, 'APP', 'APP_STARTED'); // a page that is back before the app is
  await eventually(() => lobby.library.get({ path: '/channels/APP' }).then((answer) => answer.json()).then(({ occupied }) => occupied), 'the page');
  await lobby.startWeb();
  for (const each of [page, app]) await eventually(() => each.data?.started > first, 'the app that is back', 40_000);
});

test('what the app could not say any more, `refresh` finds out', async (t) => {
  const lobby = await Lobby.prepare(t, { edit: (text) => text.replaceAll('refresh = "30s"', 'refresh = "500ms"') });
  // The app cannot reach Oyez, as if it died after each commit. Oyez can reach the app.
  await lobby.startWeb({ PUSHER_HOST: '127.0.0.1', OYEZ_PORT: String(await freePort()) });
  await lobby.startOyez();
  const [ann, ben] = [await lobby.user('ann'), await lobby.user('ben')];
  const game = await ann.makeGame();
  const list = lobby.subscribe(t, `LOBBY_${game.split('/').pop()}`, 'PLAYER_JOIN');
  await eventually(() => names(list.data) === 'ann', 'the host');
  assert.equal((await ben.send(`${game}/join`)).status, 204);
  await eventually(() => names(list.data) === 'ann,ben', 'the join of which nobody spoke');
});

test('kill -9 of the app: what it has answered is there again, and so are the news', async (t) => {
  const lobby = await Lobby.start(t);
  const ann = await lobby.user('ann');
  const game = await ann.makeGame();
  const list = lobby.subscribe(t, `LOBBY_${game.split('/').pop()}`, 'PLAYER_JOIN');
  for (const name of ['ben', 'cid']) {
    assert.equal((await (await lobby.user(name)).send(`${game}/join`)).status, 204);
    await lobby.kill(lobby.web);
    await lobby.startWeb();
  }
  await eventually(() => names(list.data) === 'ann,ben,cid', 'everybody');
});
