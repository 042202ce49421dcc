// SPDX-License-Identifier: MIT OR Apache-2.0
// What nobody may hear or say is refused: by connections and by pages of other sites.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch, webServer } from '../support/browser.js';
import { agree, dealt } from '../support/card-table.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { connection, messagesOn, showsMessages, showsPlayers, tableOn, until } from '../support/lobby-page.js';
import { LIBRARIES, REFUSAL, register } from '../support/player.js';

const browser = await launch();
const evil = await webServer({ '/': '<!doctype html><title>evil</title>' });
after(async () => {
  await browser.close();
  await evil.stop();
});

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  return { lobby, players: await register(lobby, 'ann', 'bob', 'cat', 'eve') };
}));

/** The server refuses that subscription. */
async function isRefused(socket, channel, auth, data) {
  await socket.send(socket.subscription(channel, { auth, data }));
  const { event, data: said } = await socket.messages.take((message) => message.channel === channel || message.event === 'pusher:error', `an answer about ${channel}`);
  assert.ok(event === 'pusher:subscription_error' || event === 'pusher:error', `${channel}: ${event} ${JSON.stringify(said)}`);
}

/** Subscribes as somebody's page would; resolves to what the app signed. */
async function subscribe(socket, player, channel) {
  const { status, json } = await player.auth(socket.socketId, channel);
  assert.equal(status, 200, channel);
  await socket.subscribe(channel, { auth: json.auth, data: json.channel_data });
  return json;
}

/** Says whose connection it is, as the pages of the Express version do: none other can be ended there. */
async function signIn(socket, player) {
  const { status, json } = await player.post('/pusher/user-auth', { socket_id: socket.socketId });
  assert.equal(status, 200);
  await socket.signin(json.user_data, { auth: json.auth });
}

/** How somebody, here bob, comes to be in a game no more. */
const WAYS_OUT = {
  removed: (game, ann, bob) => ann.does(`/lobby/${game}/remove`, { user_id: bob.id }),
  left: (game, ann, bob) => bob.does(`/lobby/${game}/leave`),
};

const seesHimself = (page, bob) => until(page, (id) => document.querySelector(`#players [data-user-id="${id}"]`)?.dataset.online === 'true', bob.id, 'that he is there');
const socketIdOf = (page) => page.evaluate(() => pusher.connection.socket_id);

for (const { lobby, players: [ann, bob, cat, eve] } of lobbies) {
  describe(lobby.kind, () => {
    /** Ann and bob are in one game, which goes on if it can; cat and eve are in another. */
    const games = async () => {
      if (lobby.hasCards) return [await dealt([ann, bob]), await dealt([cat, eve])];
      const pairs = [[ann, bob], [cat, eve]];
      return Promise.all(pairs.map(async ([host, other]) => {
        const game = await host.creates();
        await other.joins(game);
        return game;
      }));
    };

    test('nobody is let into a channel that is not theirs', async (t) => {
      const [game, elsewhere] = await games();
      const socket = await ann.socket(t);
      const refuses = async (player, channel, socketId = socket.socketId) => {
        const { status, json } = await player.auth(socketId, channel);
        assert.ok([403, 422].includes(status), `${player.name} and ${channel} (${socketId}): ${status}`);
        assert.match(json.error, /\w/);
        assert.equal(json.auth, undefined);
      };
      const theirs = [`private-CHAT_${game}`, `private-GAME_${game}`, `presence-LOBBY_${game}`];
      for (const channel of theirs) {
        assert.equal((await ann.auth(socket.socketId, channel)).status, 200, channel);
        await refuses(eve, channel);
      }
      for (const channel of [
        `private-HAND_${game}_${bob.id}`, `private-HAND_${elsewhere}_${ann.id}`, `private-HAND_${game}_0${ann.id}`, `private-HAND_${game}`,
        `private-CHAT_${elsewhere}`, `private-CHAT_${game.toUpperCase()}`, `private-CHAT_${game}x`, `private-CHAT_${game}_${elsewhere}`,
        `private-encrypted-CHAT_${game}`, `presence-CHAT_${game}`, 'private-', 'private-anything', 'presence-anything', 'private-GAMES_1', '',
      ]) await refuses(ann, channel);
      // What is signed is "socket:channel": neither may smuggle in the other.
      for (const socketId of [`${socket.socketId}:private-CHAT_${elsewhere}`, '', '1', 'x.y', `${socket.socketId}\n`, `1.1::user::{"id":"1"}`]) {
        await refuses(ann, `private-CHAT_${game}`, socketId);
      }
    });

    test('a signature is for one connection and one channel, and cannot be made up', async (t) => {
      const [game, elsewhere] = await games();
      const [mine, other] = [await ann.socket(t), await eve.socket(t)];
      const channel = `private-CHAT_${game}`;
      const { json: { auth } } = await ann.auth(mine.socketId, channel);
      await isRefused(other, channel, auth);
      await isRefused(mine, `private-CHAT_${elsewhere}`, auth);
      if (lobby.hasCards) await isRefused(mine, `private-HAND_${game}_${bob.id}`, auth);
      await isRefused(mine, channel, auth.replace(/.$/, (last) => (last === '0' ? '1' : '0')));
      await isRefused(mine, channel, `${mine.app.key}:${'0'.repeat(64)}`);
      await isRefused(mine, channel, 'nonsense');
      await isRefused(mine, channel, '');
      const presence = `presence-LOBBY_${game}`;
      const { json: member } = await ann.auth(mine.socketId, presence);
      await isRefused(mine, presence, member.auth, member.channel_data.replace(`"${ann.id}"`, `"${bob.id}"`));
      await isRefused(mine, presence, member.auth);
      await mine.subscribe(channel, { auth });
      await other.alive();
      assert.deepEqual(other.messages.items.filter((message) => message.channel === channel), [], 'nothing was heard');
    });

    test('nothing that a player sends is taken for a truth', async (t) => {
      const [game] = await games();
      const page = await ann.page(t, browser, lobby.hasCards ? `/game/${game}` : `/lobby/${game}`);
      await connection(page);
      await bob.says(game, 'true');
      await showsMessages(page, lobby, game);
      const shown = lobby.hasCards ? await agree(lobby, game, [page]) : await showsPlayers(page, lobby, game);
      const socket = await bob.socket(t);
      const forged = {
        [`private-CHAT_${game}`]: ['CHAT_MESSAGES', [{ number: 2, user_id: bob.id, username: 'ann', text: 'forged', time: 1 }]],
        [`private-GAME_${game}`]: ['GAME_STATE', { status: 'lobby', move: 99, players: [], turn: bob.id }],
        [`presence-LOBBY_${game}`]: ['pusher_internal:member_removed', { user_id: String(ann.id) }],
        [`LOBBY_${game}`]: ['PLAYER_JOIN', []],
      };
      for (const [channel, [event, data]] of Object.entries(forged)) {
        if (channel.startsWith('LOBBY')) await socket.subscribe(channel);
        else await subscribe(socket, bob, channel);
        for (const name of [event, `client-${event}`, 'oyez:set', 'oyez:changed', 'client-oyez:set', 'pusher:error']) {
          await socket.trigger(channel, name, data);
          await socket.trigger(channel, name, { data });
        }
      }
      await socket.alive();
      // Behind all that, something true.
      await bob.says(game, 'also true');
      await showsMessages(page, lobby, game);
      assert.deepEqual((await messagesOn(page)).map(({ text }) => text), ['true', 'also true']);
      if (lobby.hasCards) {
        await ann.does(`/game/${game}/draw`, { move: 1 });
        assert.equal((await agree(lobby, game, [page])).top, shown.top);
        return;
      }
      await ann.ready(game);
      await showsPlayers(page, lobby, game);
    });

    test('who is typing is what the server says, not what they say', async (t) => {
      const game = await ann.creates();
      for (const player of [bob, cat]) await player.joins(game);
      const page = await ann.page(t, browser, `/lobby/${game}`);
      await connection(page);
      const channel = `presence-LOBBY_${game}`;
      await cat.present(t, game);
      const socket = await bob.present(t, game);
      await until(page, (ids) => ids.every((id) => document.querySelector(`#players [data-user-id="${id}"]`)?.dataset.online === 'true'), [bob.id, cat.id], 'that they are there');
      const claim = { user_id: String(cat.id), id: cat.id, username: 'cat', metadata: { user_id: String(cat.id) } };
      await socket.send({ event: 'client-typing', channel, data: claim, user_id: String(cat.id), metadata: { user_id: String(cat.id) } });
      const said = await until(page, () => document.querySelector('#typing').textContent, null, 'that somebody is typing');
      assert.equal(said, 'bob is typing …');
    });

    test("another site's page cannot act for whoever looks at it", async (t) => {
      const [game] = await games();
      const before = await lobby.database.snapshot(game);
      const context = await ann.window(t, browser);
      const page = await ann.page(t, browser, '/', { context, tolerates: [REFUSAL] });
      const actions = [`/lobby/${game}/leave`, `/lobby/${game}/messages`, '/logout', ...(lobby.hasCards ? [`/game/${game}/draw`] : [])];
      // The same machine with another port is another origin of the same site, with whose requests
      // cookies are sent; "localhost" is another site.
      for (const origin of [evil.url, evil.url.replace('127.0.0.1', 'localhost')]) {
        for (const action of actions) {
          const to = lobby.url + action;
          await page.goto(`${origin}/`);
          const heard = await page.evaluate((url) => fetch(url, { method: 'POST', credentials: 'include', body: new URLSearchParams({ move: 1, text: 'forged' }) }).then(() => 'an answer', () => 'nothing'), to);
          assert.equal(heard, 'nothing');
          assert.equal(await lobby.database.snapshot(game), before, `${origin}: a call of ${action}`);
          const answered = page.waitForResponse((response) => response.url() === to);
          await page.evaluate((url) => {
            const form = document.createElement('form');
            Object.assign(form, { method: 'post', action: url });
            for (const [name, value] of [['text', 'forged'], ['move', '1']]) form.append(Object.assign(document.createElement('input'), { name, value }));
            document.body.append(form);
            form.submit();
          }, to);
          assert.equal((await answered).status(), 403, `${origin}: a form to ${action}`);
          await page.waitForURL(to);
          assert.equal(await lobby.database.snapshot(game), before, `${origin}: a form to ${action}`);
        }
      }
      page.errors = page.errors.filter((error) => !/CORS policy|ERR_FAILED/.test(error));
      await page.goto(`${lobby.url}/`);
      assert.equal(new URL(page.url()).pathname, '/', 'still signed in');
    });

    test('who is in a game no more hears nothing more of it, however they hold on', async (t) => {
      for (const [how, goes] of Object.entries(WAYS_OUT)) {
        const game = await ann.creates();
        await bob.joins(game);
        const socket = await bob.socket(t);
        if (!lobby.hasCards) await signIn(socket, bob);
        const channel = `private-CHAT_${game}`;
        await subscribe(socket, bob, channel);
        await goes(game, ann, bob);
        await ann.says(game, 'now that he is gone');
        await socket.ended();
        assert.ok(!socket.messages.items.some(({ raw }) => raw.includes('now that he is gone')), `${how}: nothing was heard`);
        const again = await bob.socket(t);
        assert.equal((await bob.auth(again.socketId, channel)).status, 403, how);
      }
    });

    for (const library of LIBRARIES) {
      test(`their pages say so, and come back at once to what is still theirs (${library})`, async (t) => {
        for (const goes of Object.values(WAYS_OUT)) {
          const [game, other] = [await ann.creates(), await cat.creates()];
          for (const id of [game, other]) await bob.joins(id);
          const [gone, still] = await Promise.all([game, other].map((id) => bob.page(t, browser, `/lobby/${id}`, { library, tolerates: [REFUSAL] })));
          for (const page of [gone, still]) {
            await seesHimself(page, bob);
            if (!lobby.hasCards) await page.waitForFunction(() => pusher.user.user_data);
          }
          const before = await socketIdOf(gone);
          await goes(game, ann, bob);
          await ann.says(game, 'now that he is gone');
          await until(gone, () => document.querySelector('#gone').textContent, null, 'that it says so');
          await until(gone, (old) => pusher.connection.state === 'connected' && pusher.connection.socket_id !== old, before, 'that it is back');
          await cat.says(other, 'still here?');
          await showsMessages(still, lobby, other);
          await seesHimself(still, bob);
          await showsPlayers(gone, lobby, game);
          assert.deepEqual(await messagesOn(gone), [], 'nothing was heard');
        }
      });
    }

    if (!lobby.hasCards) return;

    test('what everybody hears of the table names no card that is hidden', async (t) => {
      const game = await dealt([ann, bob]);
      const socket = await bob.socket(t);
      const channel = `private-GAME_${game}`;
      await subscribe(socket, bob, channel);
      const { raw } = await socket.event('GAME_STATE', channel);
      for (let move = 1; move <= 4; move++) await ann.does(`/game/${game}/draw`, { move });
      const heard = [raw];
      while (!/"move\\?":5/.test(heard.at(-1))) heard.push((await socket.event('GAME_STATE', channel)).raw);
      const { seats, stock } = await lobby.database.cards(game);
      const hidden = [...stock, ...seats.flatMap(({ hand }) => hand)];
      assert.equal(hidden.length, 51);
      for (const card of hidden) for (const text of heard) assert.ok(!text.includes(`"${card}`) && !text.includes(`${card}\\"`), card);
      const { text } = await bob.get(`/game/${game}`, { accept: 'text/html' });
      for (const card of hidden) assert.ok(!new RegExp(`\\b${card}\\b`).test(text), `${card} is in the page`);
    });

    test('a page cannot listen to the hand of another', async (t) => {
      const game = await dealt([ann, bob]);
      const page = await ann.page(t, browser, `/game/${game}`, { tolerates: [REFUSAL] });
      await agree(lobby, game, [page]);
      const status = await page.evaluate((channel) => new Promise((resolve) => {
        const spy = pusher.subscribe(channel);
        spy.bind('HAND', () => resolve('heard it'));
        spy.bind('pusher:subscription_error', (error) => resolve(error.status));
      }), `private-HAND_${game}_${bob.id}`);
      assert.equal(status, 403);
      assert.deepEqual((await tableOn(page)).hand.cards, (await lobby.database.hands(game))[ann.id]);
    });
  });
}
