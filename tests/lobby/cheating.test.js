// SPDX-License-Identifier: MIT OR Apache-2.0
// What nobody may do is refused, says why, and changes nothing: by calls with somebody's session.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { dealt } from '../support/card-table.js';
import { KINDS, lobbyFor, useLobby } from '../support/lobby.js';
import { Player, register } from '../support/player.js';

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  return { lobby, players: await register(lobby, 'ann', 'bob', 'cat', 'eve') };
}));

/** Each of these calls is refused with that status and a text, and the game is as it was. */
async function refused(lobby, game, calls) {
  const before = await lobby.database.snapshot(game);
  for (const [status, player, path, form, headers] of calls) {
    const what = `${player.name}: ${path} ${JSON.stringify(form ?? {})} ${JSON.stringify(headers ?? {})}`;
    const answer = await player.post(path, form, headers);
    assert.ok([status].flat().includes(answer.status), `${what}: ${answer.status} ${answer.text}, not ${status}`);
    assert.match(answer.json?.error ?? '', /\w{3}/, `${what}: says why: ${answer.text}`);
    assert.equal(await lobby.database.snapshot(game), before, `${what} changed something`);
  }
}

/** A page goes to the log-in, which knows where to go afterwards. */
async function sentToLogin(player, path) {
  const { status, headers } = await player.get(path, { accept: 'text/html' });
  assert.equal(status, 303, path);
  const login = new URL(headers.location, player.lobby.url);
  assert.deepEqual([login.pathname, login.searchParams.get('next')], ['/login', path]);
}

for (const { lobby, players: [ann, bob, cat, eve] } of lobbies) {
  describe(lobby.kind, () => {
    test('a stranger sees nothing and does nothing', async () => {
      const game = await ann.creates();
      const stranger = Player.stranger(lobby);
      for (const path of ['/', `/lobby/${game}`, ...(lobby.hasCards ? [`/game/${game}`] : [])]) await sentToLogin(stranger, path);
      assert.equal((await stranger.get(`/lobby/${game}/messages`)).status, 401);
      await refused(lobby, game, [
        ...['join', 'leave', 'ready', 'start', 'remove', 'messages'].map((action) => [401, stranger, `/lobby/${game}/${action}`, { ready: 'true', user_id: ann.id, text: 'hi' }]),
        [401, stranger, '/games'],
        [401, stranger, '/pusher/auth', { socket_id: '1.1', channel_name: `private-CHAT_${game}` }],
      ]);
      const forged = Player.stranger(lobby);
      forged.cookies = Object.fromEntries(Object.keys(ann.cookies).map((name) => [name, 'forged']));
      await sentToLogin(forged, '/');
    });

    test('who is not in a game does nothing in it, and reads nothing of it', async () => {
      const game = await ann.creates();
      await ann.says(game, 'for us');
      assert.equal((await eve.get(`/lobby/${game}/messages`)).status, 403);
      await refused(lobby, game, [
        ...['leave', 'ready', 'start', 'remove', 'messages'].map((action) => [403, eve, `/lobby/${game}/${action}`, { ready: 'true', user_id: ann.id, text: 'hi' }]),
      ]);
      const { text } = await eve.get(`/lobby/${game}`, { accept: 'text/html' });
      assert.ok(!text.includes('for us'));
    });

    test('there is no game but those there are', async () => {
      const game = await ann.creates();
      for (const id of [randomUUID(), 'nothing', `${game}x`, '%00', "' OR 1=1 --"]) {
        assert.equal((await ann.get(`/lobby/${encodeURIComponent(id)}`, { accept: 'text/html' })).status, 404, id);
        assert.equal((await ann.post(`/lobby/${encodeURIComponent(id)}/join`)).status, 404, id);
      }
    });

    test('only the host starts and removes; nobody starts too early, joins too late or comes back', async () => {
      const game = await ann.creates();
      await refused(lobby, game, [[409, ann, `/lobby/${game}/start`], [409, ann, `/lobby/${game}/remove`, { user_id: ann.id }]]);
      await bob.joins(game);
      await cat.joins(game);
      await bob.ready(game);
      await refused(lobby, game, [
        [409, ann, `/lobby/${game}/start`],
        [403, bob, `/lobby/${game}/start`],
        [403, bob, `/lobby/${game}/remove`, { user_id: cat.id }],
        [409, ann, `/lobby/${game}/remove`, { user_id: eve.id }],
        [[400, 422], ann, `/lobby/${game}/remove`, { user_id: 'cat' }],
        [[400, 422], bob, `/lobby/${game}/ready`, { ready: 'perhaps' }],
      ]);
      await ann.does(`/lobby/${game}/remove`, { user_id: cat.id });
      await refused(lobby, game, [
        [409, cat, `/lobby/${game}/join`], [403, cat, `/lobby/${game}/ready`, { ready: 'true' }], [403, cat, `/lobby/${game}/messages`, { text: 'hey' }],
      ]);
      assert.equal((await cat.get(`/lobby/${game}/messages`)).status, 403);
      await ann.does(`/lobby/${game}/start`);
      await refused(lobby, game, [
        [409, eve, `/lobby/${game}/join`], [409, ann, `/lobby/${game}/start`], [409, bob, `/lobby/${game}/ready`, { ready: 'false' }],
        [409, ann, `/lobby/${game}/remove`, { user_id: bob.id }],
      ]);
    });

    test('a message has 1 to 500 characters', async () => {
      const game = await ann.creates();
      await refused(lobby, game, ['', '   \n', 'x'.repeat(501), '💥'.repeat(501)].map((text) => [422, ann, `/lobby/${game}/messages`, { text }]));
      await refused(lobby, game, [[[413, 422], ann, `/lobby/${game}/messages`, { text: 'x'.repeat(100_000) }]]);
      await ann.says(game, '💥'.repeat(500));
      await ann.says(game, '  trimmed ');
      assert.deepEqual((await lobby.database.messages(game)).map(({ number, text }) => [number, text]), [[1, '💥'.repeat(500)], [2, 'trimmed']]);
    });

    test('what another site sends is refused', async () => {
      const game = await ann.creates();
      const origin = (value) => ({ origin: value });
      await refused(lobby, game, [
        [403, ann, `/lobby/${game}/leave`, {}, origin('https://evil.example')],
        [403, ann, `/lobby/${game}/leave`, {}, origin('null')],
        [403, ann, `/lobby/${game}/leave`, {}, origin(`http://127.0.0.1:${lobby.port + 1}`)],
        [403, ann, `/lobby/${game}/leave`, {}, origin(`http://127.0.0.1:${lobby.port}.evil.example`)],
        [403, ann, `/lobby/${game}/leave`, {}, { 'sec-fetch-site': 'cross-site' }],
        [403, ann, `/lobby/${game}/leave`, {}, { 'sec-fetch-site': 'same-site' }],
        [403, ann, '/pusher/auth', { socket_id: '1.1', channel_name: `private-CHAT_${game}` }, { 'sec-fetch-site': 'cross-site' }],
      ]);
      await refused(lobby, game, [[403, Player.stranger(lobby), '/login', { username: 'ann', password: ann.password }, origin('https://evil.example')]]);
      for (const action of ['join', 'leave', 'ready', 'start']) {
        assert.ok([404, 405].includes((await ann.get(`/lobby/${game}/${action}`)).status), `GET ${action} changes nothing`);
      }
    });

    test('names that could be something else are not taken', async () => {
      const names = ['ab', 'x'.repeat(21), '<b>ann</b>', 'ann bob', 'аnn', 'ann\u0000', 'ann\u202e', '', 'a&b', "a'b"];
      for (const username of names) {
        const answer = await Player.stranger(lobby).post('/register', { username, password: 'long enough' });
        assert.equal(answer.status, 422, JSON.stringify(username));
        assert.match(answer.json.error, /\w/);
      }
      assert.ok([409, 422].includes((await Player.stranger(lobby).post('/register', { username: 'ANN', password: 'long enough' })).status));
      for (const password of ['', 'x'.repeat(7), 'x'.repeat(129)]) {
        assert.equal((await Player.stranger(lobby).post('/register', { username: 'zoe', password })).status, 422);
      }
      const page = await Player.stranger(lobby).post('/register', { username: '"><script>alert(1)</script>', password: 'x' }, { accept: 'text/html' });
      assert.equal(page.status, 422);
      assert.ok(!page.text.includes('<script>alert') && page.text.includes('role="alert"'));
    });

    test('after a log-in one goes to a page of this site, whatever the link says', async () => {
      const targets = ['https://evil.example/', '//evil.example', '/\\evil.example', '\\\\evil.example', '/\t/evil.example', 'javascript:alert(1)', '/\r\nset-cookie: a=b', 'http:evil', '/%5cevil.example/..//', 'lobby', ''];
      for (const next of targets) {
        const answer = await Player.stranger(lobby).post('/login', { username: 'ann', password: ann.password, next }, { accept: 'text/html' });
        assert.equal(answer.status, 303, JSON.stringify(next));
        assert.equal(new URL(answer.headers.location, lobby.url).origin, lobby.url, JSON.stringify(next));
        assert.ok(!answer.headers['set-cookie'].some((cookie) => cookie.startsWith('a=')));
        const page = await Player.stranger(lobby).get(`/login?next=${encodeURIComponent(next)}`, { accept: 'text/html' });
        assert.ok(!page.text.includes('evil.example') || page.text.includes('value="/%5cevil'), JSON.stringify(next));
      }
      const answer = await Player.stranger(lobby).post('/login', { username: 'ann', password: ann.password, next: '/lobby/x?a=b' }, { accept: 'text/html' });
      assert.equal(answer.headers.location, '/lobby/x?a=b');
    });

    test('a session is a cookie that scripts and other sites do not get, new with each log-in, and over with the log-out', async () => {
      const player = Player.stranger(lobby);
      const { headers } = await player.post('/login', { username: 'ann', password: ann.password });
      const [cookie] = headers['set-cookie'];
      assert.match(cookie, /; *HttpOnly/i);
      assert.match(cookie, /; *SameSite=Lax/i);
      assert.doesNotMatch(cookie, /Domain=/i);
      const first = { ...player.cookies };
      await player.post('/login', { username: 'ann', password: ann.password });
      assert.notDeepEqual(player.cookies, first, 'a session that somebody knew before is not taken over');
      const stolen = Player.stranger(lobby);
      stolen.cookies = { ...player.cookies };
      assert.equal((await stolen.get('/', { accept: 'text/html' })).status, 200);
      await player.post('/logout');
      assert.equal((await stolen.get('/', { accept: 'text/html' })).status, 303, 'logged out is logged out');
    });

    test('pages let no foreign or inline script run, and no other site frame them', async () => {
      const { headers } = await ann.get('/', { accept: 'text/html' });
      const policy = headers['content-security-policy'];
      assert.doesNotMatch(policy, /unsafe|\*/);
      assert.match(policy, /(script|default)-src 'self'/);
      assert.match(policy, /frame-ancestors 'none'/);
    });

    test('too many log-ins, registrations and messages are slowed down', async (t) => {
      const strict = await lobbyFor(t, lobby.kind, { loginsPerMinute: 3, registrationsPerMinute: 2, messagesPerMinute: 8, gamesPerMinute: 2 });
      const [one, two] = await register(strict, 'one', 'two');
      const late = await Player.stranger(strict).post('/register', { username: 'three', password: 'long enough' });
      assert.deepEqual([late.status, await strict.database.userId('three')], [429, undefined]);
      const tries = [];
      for (let n = 0; n < 3; n++) tries.push((await Player.stranger(strict).post('/login', { username: 'one', password: 'guess number 1' })).status);
      assert.deepEqual(tries, [401, 401, 401]);
      const page = await Player.stranger(strict).post('/login', { username: 'one', password: one.password }, { accept: 'text/html' });
      assert.equal(page.status, 429, 'also the right password');
      assert.match(page.text, /role="alert"/);
      const game = await one.creates();
      await two.joins(game);
      await one.says(game, 'one');
      await one.says(game, 'two');
      await refused(strict, game, [[429, one, `/lobby/${game}/messages`, { text: 'three' }]]);
      await two.says(game, 'others may');
      if (!lobby.hasCards) return;
      await one.creates();
      const more = await one.post('/games');
      assert.deepEqual([more.status, (await strict.database.rows('SELECT id FROM games')).length], [429, 2]);
    });

    if (!lobby.hasCards) return;

    test('at the table only the rules count', async () => {
      const [game, elsewhere] = [await dealt([ann, bob]), await dealt([cat, eve])];
      const hands = await lobby.database.hands(game);
      const { pile: [top], stock } = await lobby.database.cards(game);
      const fits = ([rank, suit]) => rank === '8' || rank === top[0] || suit === top[1];
      const play = (player, card, more = {}) => [422, player, `/game/${game}/play`, { card, move: 1, ...more }];
      const misfits = hands[ann.id].filter((card) => !fits(card)).map((card) => play(ann, card));
      const eights = hands[ann.id].filter((card) => card[0] === '8').map((card) => play(ann, card));
      const others = hands[ann.id].filter((card) => card[0] !== '8' && fits(card)).map((card) => play(ann, card, { suit: 'S' }));
      const garbage = [400, 422];
      await refused(lobby, game, [
        play(ann, stock.find(fits)), play(ann, hands[bob.id][0]), play(ann, top), ...misfits, ...eights, ...others,
        play(bob, hands[bob.id][0]), [422, bob, `/game/${game}/draw`, { move: 1 }], [422, bob, `/game/${game}/pass`, { move: 1 }],
        [422, ann, `/game/${game}/pass`, { move: 1 }], [422, ann, `/game/${game}/call`, { move: 1 }],
        [422, ann, `/game/${game}/catch`, { move: 1 }], [422, bob, `/game/${game}/catch`, { move: 1 }],
        [409, ann, `/game/${game}/draw`, { move: 0 }], [409, ann, `/game/${game}/draw`, { move: 2 }],
        [409, ann, `/game/${game}/again`], [403, cat, `/game/${game}/draw`, { move: 1 }], [403, cat, `/game/${game}/again`],
        ...[{}, { move: '' }, { move: -1 }, { move: '1.0' }, { move: '99999999999999999999' }].map((form) => [garbage, ann, `/game/${game}/draw`, form]),
        ...['', '1S', '8', '10H', 'AHH', 'ah', '🂡'].map((card) => [garbage, ann, `/game/${game}/play`, { card, move: 1 }]),
        ...['', 'X', 'SS'].map((suit) => [garbage, ann, `/game/${game}/play`, { card: hands[ann.id][0], suit, move: 1 }]),
        [404, ann, `/game/${randomUUID()}/draw`, { move: 1 }],
        [403, ann, `/game/${game}/draw`, { move: 1 }, { 'sec-fetch-site': 'cross-site' }],
      ]);
      await ann.does(`/game/${game}/draw`, { move: 1 });
      await refused(lobby, game, [[409, ann, `/game/${game}/draw`, { move: 1 }], [403, ann, `/game/${elsewhere}/draw`, { move: 1 }]]);
      const { status, headers } = await ann.get(`/game/${elsewhere}`, { accept: 'text/html' });
      assert.deepEqual([status, headers.location], [303, `/lobby/${elsewhere}`], "another game's table");
    });
  });
}
