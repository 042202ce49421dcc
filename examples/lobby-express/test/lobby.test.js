// SPDX-License-Identifier: MIT OR Apache-2.0
// What may be done in a lobby and its chat, and who may subscribe to what.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Lobby, User, eventually } = require('./support');

const names = (players) => players?.map(({ username }) => username).join();

test('a game from its making to its start, as pages hear it', async (t) => {
  const lobby = await Lobby.start(t);
  const [ann, ben, cid] = await Promise.all(['ann', 'ben', 'cid'].map((name) => lobby.user(name)));
  const game = await ann.makeGame();
  const id = game.split('/').pop();
  const list = lobby.subscribe(t, `LOBBY_${id}`, 'PLAYER_JOIN');
  await eventually(() => names(list.data) === 'ann', 'the host');
  assert.deepEqual(Object.keys(list.data[0]), ['id', 'username', 'ready', 'host', 'playing']);

  assert.equal((await ben.send(`${game}/ready`, { ready: 'true' })).status, 403, 'not a player yet');
  await Promise.all([ben, cid].map((user) => user.post(`${game}/join`)));
  assert.equal((await ben.send(`${game}/join`)).status, 204, 'twice is once');
  await eventually(() => list.data?.length === 3, 'three players');

  assert.deepEqual(await ben.send(`${game}/start`), { status: 403, error: 'Only the host can do that.' });
  assert.match((await ann.send(`${game}/start`)).error, /is not ready yet\.$/);
  await ben.post(`${game}/ready`, { ready: 'true' });
  await eventually(() => list.data?.some(({ username, ready }) => username === 'ben' && ready), 'ben is ready');

  const cidsId = list.data.find(({ username }) => username === 'cid').id;
  assert.equal((await ben.send(`${game}/remove`, { user_id: cidsId })).status, 403);
  assert.equal((await ann.send(`${game}/remove`, { user_id: cidsId })).status, 204);
  await eventually(() => names(list.data) === 'ann,ben', 'cid is removed');
  assert.deepEqual(await cid.send(`${game}/join`), { status: 409, error: 'The host has removed you from this game.' });

  assert.ok(list.data.every(({ playing }) => playing === false));
  assert.equal((await ann.send(`${game}/start`)).status, 204);
  await eventually(async () => (await lobby.truth(`private-GAME_${id}`))?.status === 'playing', 'the game has begun');
  await eventually(() => list.data.every(({ playing }) => playing === true), 'onlookers hear it, too');
  const dan = await lobby.user('dan');
  assert.deepEqual(await dan.send(`${game}/join`), { status: 409, error: 'This game has already started.' });
  await ann.post(`${game}/leave`);
  await eventually(() => names(list.data) === 'ben' && list.data[0].host, 'the next one is host');

  await ben.post(`${game}/leave`);
  await eventually(() => list.data.length === 0, 'the game is back in its lobby');
  assert.equal((await dan.send(`${game}/join`)).status, 204);
  await eventually(() => names(list.data) === 'dan' && list.data[0].playing === false, 'dan sits there');
});

test('a game has six seats, and a user so many games', async (t) => {
  const lobby = await Lobby.start(t, { settings: { LOBBY_GAMES_PER_USER: '2' } });
  const [host, ...guests] = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => lobby.user(`user-${n}`)));
  const game = await host.makeGame();
  const answers = await Promise.all(guests.map((guest) => guest.send(`${game}/join`)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 204, 204, 204, 204, 409]);
  assert.deepEqual(await lobby.truth('private-GAMES') ?? [], [], 'a full game is not offered');
  await host.makeGame();
  assert.deepEqual(await host.send('/games'), { status: 409, error: 'You are in 2 games: leave one of them first.' });
  assert.equal((await host.get('/lobby/00000000-0000-4000-8000-000000000000')).status, 404);
});

test('the chat counts without holes, keeps to its limits, and gives what is older', async (t) => {
  const lobby = await Lobby.start(t, { settings: { LOBBY_MESSAGES_PER_MINUTE: '280' } });
  const [ann, ben] = [await lobby.user('ann'), await lobby.user('ben')];
  const game = await ann.makeGame();
  await ben.post(`${game}/join`);
  const said = await Promise.all(Array.from({ length: 70 }, (_, n) => (n % 2 ? ann : ben).send(`${game}/messages`, { text: ` no ${n}\0 ` })));
  assert.deepEqual(said.map(({ number }) => number).sort((a, b) => a - b), Array.from({ length: 70 }, (_, n) => n + 1));

  const channel = `private-CHAT_${game.split('/').pop()}`;
  const call = await ann.send('/pusher/auth', { socket_id: '1.2', channel_name: channel });
  assert.match(call.auth, /^[^:]+:[0-9a-f]{64}$/);
  const older = await (await ann.get(`${game}/messages?before=21`)).json();
  assert.deepEqual(older.map(({ number }) => number), Array.from({ length: 20 }, (_, n) => n + 1));
  assert.match(older[0].text, /^no \d+$/);
  assert.equal((await (await ann.get(`${game}/messages`)).json()).length, 50);

  assert.equal((await ann.send(`${game}/messages`, { text: ' ' })).status, 422);
  assert.equal((await ann.send(`${game}/messages`, { text: '🂡'.repeat(500) })).status, 201);
  assert.match((await ann.send(`${game}/messages`, { text: 'a'.repeat(501) })).error, /at most 500 characters; this one has 501/);
  const answers = await Promise.all(Array.from({ length: 150 }, () => ann.send(`${game}/messages`, { text: 'fast' }))); // more than two windows hold
  assert.match(answers.find(({ status }) => status === 429).error, /^You write faster than others read\. Please try again in \d+ seconds?\.$/);
});

test('whoever leaves or is removed hears no more of the chat', async (t) => {
  const lobby = await Lobby.start(t);
  const [ann, ben] = [await lobby.user('ann'), await lobby.user('ben')];
  for (const goes of [(game) => ben.send(`${game}/leave`), (game) => ann.send(`${game}/remove`, { user_id: 2 })]) {
    const game = await ann.makeGame();
    await ben.post(`${game}/join`);
    const chat = lobby.subscribe(t, `private-CHAT_${game.split('/').pop()}`, 'CHAT_MESSAGES', ben);
    await eventually(() => chat.data && chat.client.user.user_data?.id === '2', 'the chat');
    assert.equal((await goes(game)).status, 204);
    assert.equal((await ann.send(`${game}/messages`, { text: 'now that he is gone' })).status, 201);
    await eventually(() => chat.client.connection.state === 'disconnected', 'the end of his connection');
    assert.deepEqual(chat.data, []);
  }
});

test('nobody gets into a channel that is not theirs', async (t) => {
  const lobby = await Lobby.prepare(t);
  await lobby.startWeb();
  const [ann, ben] = [await lobby.user('ann'), await lobby.user('ben')];
  const id = (await ann.makeGame()).split('/').pop();
  const ask = (user, channel_name, socket_id = '1.2') => user.send('/pusher/auth', { socket_id, channel_name });
  for (const channel of [`private-CHAT_${id}`, `private-GAME_${id}`, `presence-LOBBY_${id}`]) {
    assert.equal((await ask(ann, channel)).status, 200, channel);
    assert.deepEqual(await ask(ben, channel), { status: 403, error: 'This channel is not yours.' });
  }
  assert.equal((await ask(ben, 'private-GAMES')).status, 200);
  for (const channel of [`private-OTHER_${id}`, `private-CHAT_${id}x`, `private-CHAT_${id.toUpperCase()}`, 'private-CHAT_', `LOBBY_${id}`, '']) {
    assert.equal((await ask(ann, channel)).status, 403, channel);
  }
  assert.equal((await ask(ann, 'private-GAMES', '1.2:x')).status, 403);
  assert.deepEqual(JSON.parse((await ask(ann, `presence-LOBBY_${id}`)).channel_data), { user_id: '1', user_info: { username: 'ann' } });
  assert.deepEqual(JSON.parse((await ben.send('/pusher/user-auth', { socket_id: '1.2' })).user_data), { id: '2', user_info: { username: 'ben' } });
  assert.equal((await ben.send('/pusher/user-auth', { socket_id: '1.2::user::' })).status, 403);
  assert.equal((await new User(lobby, 'nobody').post('/pusher/user-auth', { socket_id: '1.2' })).status, 401);
  const page = await ben.post('/pusher/auth', { socket_id: '1.2', channel_name: `private-CHAT_${id}` });
  assert.equal(page.status, 403, 'pusher-js does not say that it wants JSON');
  assert.match((await ben.get(`/lobby/${id}/messages`, { accept: 'application/json' })).status.toString(), /403/);
});
