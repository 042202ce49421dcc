// SPDX-License-Identifier: MIT OR Apache-2.0
// The founding app as people use it: an account, a table, a link to share, a chat, and a list that
// is always true. Everything is done with what the pages offer.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { eventually } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { messagesOn, showsMessages, showsPlayers, until } from '../support/lobby-page.js';
import { Player, REFUSAL, register } from '../support/player.js';

const browser = await launch();
after(() => browser.close());

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  return { lobby, players: await register(lobby, 'ann', 'bob', 'cat', 'dan', 'eve', 'flo', 'gus') };
}));

const press = (page, action) => page.locator(`form[action$="${action}"] button`).click();
const at = (page, path) => until(page, (wanted) => location.pathname === wanted && document.readyState === 'complete', path, `it is at ${path}`);
const says = (page, selector, pattern) => until(page, ([where, source]) => {
  const text = document.querySelector(where)?.textContent ?? '';
  return new RegExp(source).test(text) && { text };
}, [selector, pattern.source], `${selector} says ${pattern}`);
const row = (page, player, attributes) => until(page, ([id, wanted]) => {
  const element = document.querySelector(`#players [data-user-id="${id}"]`);
  return element && Object.entries(wanted).every(([name, value]) => element.dataset[name] === value);
}, [player.id, attributes], `${player.name} is shown as ${JSON.stringify(attributes)}`);
const isListed = (page, game, count) => until(page, ([id, wanted]) => {
  const text = document.querySelector(`#games [data-game-id="${id}"] .count`)?.textContent;
  return (text ?? null) === wanted;
}, [game, count === null ? null : String(count)], `the home page lists the game with ${count}`);

/** A game with these players, and their lobby pages. */
async function together(t, [host, ...others], lookers = [host, ...others], tolerates = []) {
  const game = await host.creates();
  for (const player of others) await player.joins(game);
  const pages = await Promise.all(lookers.map((player) => player.page(t, browser, `/lobby/${game}`, { tolerates })));
  await Promise.all(pages.map((page) => showsPlayers(page, host.lobby, game)));
  return [game, ...pages];
}

describe('people', { concurrency: 2 }, () => {
  for (const { lobby, players: [ann, bob, cat, ...others] } of lobbies) {
    test(`${lobby.kind}: whoever follows a link registers, or logs in, and is where they wanted to go`, async (t) => {
      const [game, hostPage] = await together(t, [ann]);
      const link = await hostPage.locator('#link').innerText();
      assert.equal(link, `${lobby.url}/lobby/${game}`);
      const guest = Player.stranger(lobby);
      const page = await guest.page(t, browser, `/lobby/${game}`, { tolerates: [REFUSAL] });
      assert.equal(new URL(page.url()).pathname, '/login');
      await page.getByRole('link', { name: /account/i }).click();
      await page.getByLabel('Name').fill('newcomer');
      await page.getByLabel('Password').fill('a long password');
      await press(page, '/register');
      await at(page, `/lobby/${game}`);
      await press(page, '/join');
      await eventually(async () => (await lobby.database.players(game)).length === 2, 'the newcomer has joined');
      await showsPlayers(page, lobby, game);
      await showsPlayers(hostPage, lobby, game);

      await press(page, '/logout');
      await at(page, '/login');
      await page.goto(`${lobby.url}/lobby/${game}`);
      await at(page, '/login');
      await page.getByLabel('Name').fill('NEWCOMER');
      await page.getByLabel('Password').fill('a wrong password');
      await press(page, '/login');
      await says(page, '[role=alert]', /\w/);
      await page.getByLabel('Password').fill('a long password');
      await press(page, '/login');
      await at(page, `/lobby/${game}`);
      await showsPlayers(page, lobby, game);
    });

    test(`${lobby.kind}: a game is made, its link is pasted, and everybody sees who is ready`, async (t) => {
      const page = await ann.page(t, browser, '/');
      await press(page, '/games');
      await page.waitForURL(/\/lobby\/[0-9a-f-]{36}$/);
      const game = new URL(page.url()).pathname.split('/')[2];
      const friend = await bob.page(t, browser, '/');
      await friend.locator('#join-form [name=link]').fill(`  ${await page.locator('#link').innerText()} `);
      await friend.locator('#join-form button').click();
      await at(friend, `/lobby/${game}`);
      assert.equal(await friend.locator('#messages').count(), 0, 'the chat is for players');
      await press(friend, '/join');
      await row(page, bob, { ready: 'false', host: 'false' });
      await press(friend, '/ready');
      await Promise.all([page, friend].map((each) => row(each, bob, { ready: 'true' })));
      await press(friend, '/ready');
      await Promise.all([page, friend].map((each) => row(each, bob, { ready: 'false' })));
      await showsPlayers(page, lobby, game);
    });

    test(`${lobby.kind}: the host removes a player, whose page says so, and who does not come back`, async (t) => {
      const everybody = [ann, bob, cat];
      const [game, annPage, bobPage, catPage] = await together(t, everybody, everybody, [REFUSAL]);
      assert.equal(await bobPage.locator('form[action$="/remove"]:visible').count(), 0, 'only the host can');
      await annPage.locator(`#players [data-user-id="${bob.id}"] form[action$="/remove"] button`).click();
      await eventually(async () => (await lobby.database.players(game)).length === 2, 'bob is removed');
      for (const page of [annPage, bobPage, catPage]) await showsPlayers(page, lobby, game);
      await says(bobPage, '#gone', /not|no longer|any more/);
      assert.equal(await bobPage.locator('#chat-form:visible').count(), 0);
      const answer = await bob.post(`/lobby/${game}/join`);
      assert.equal(answer.status, 409);
      assert.match(answer.json.error, /removed/);
    });

    test(`${lobby.kind}: when the host leaves the next one is host, on every page`, async (t) => {
      const [game, annPage, bobPage, catPage] = await together(t, [ann, bob, cat]);
      assert.equal(await bobPage.locator('form[action$="/start"]:visible').count(), 0);
      await press(annPage, '/leave');
      await at(annPage, '/');
      for (const page of [bobPage, catPage]) {
        await row(page, bob, { host: 'true' });
        await showsPlayers(page, lobby, game);
      }
      assert.equal(await bobPage.locator('form[action$="/start"]:visible').count(), 1);
      assert.equal(await catPage.locator('form[action$="/start"]:visible').count(), 0);
    });

    test(`${lobby.kind}: whoever looks on is offered a seat while there is one, and not while the cards are dealt`, async (t) => {
      const [game, page] = await together(t, [ann, bob], [cat]);
      const offers = (wanted) => until(page, (visible) => document.querySelector('#join').checkVisibility() === visible, wanted, `a seat is ${wanted ? '' : 'not '}offered`);
      await offers(true);
      await bob.ready(game);
      await ann.does(`/lobby/${game}/start`);
      await offers(false);
      assert.match(await page.locator('main').innerText(), /already started/);
      await page.reload();
      await offers(false);
      assert.match(await page.locator('main').innerText(), /already started/);
      if (!lobby.hasCards) return;
      await ann.does(`/lobby/${game}/leave`);
      await bob.does(`/game/${game}/again`);
      await offers(true);
      assert.doesNotMatch(await page.locator('main').innerText(), /already started/);
      await press(page, '/join');
      await row(page, cat, { ready: 'false' });
    });

    test(`${lobby.kind}: the host starts, and every page goes on`, async (t) => {
      const [game, annPage, bobPage] = await together(t, [ann, bob]);
      await bob.ready(game);
      await row(annPage, bob, { ready: 'true' });
      await press(annPage, '/start');
      for (const page of [annPage, bobPage]) {
        if (lobby.hasCards) await at(page, `/game/${game}`);
        else await says(page, '#begun', /has begun/);
      }
      assert.equal(await lobby.database.status(game), 'playing');
    });

    test(`${lobby.kind}: the home page shows games as they come, fill, empty and go`, async (t) => {
      const home = await others[0].page(t, browser, '/');
      const game = await ann.creates();
      await isListed(home, game, 1);
      assert.equal(await home.locator(`#games [data-game-id="${game}"] .name`).innerText(), 'ann');
      await bob.joins(game);
      await isListed(home, game, 2);
      for (const player of [cat, ...others.slice(0, 3)]) await player.joins(game);
      await isListed(home, game, null);
      assert.equal((await others[3].post(`/lobby/${game}/join`)).status, 409, 'it is full');
      await ann.does(`/lobby/${game}/leave`);
      await isListed(home, game, 5);
      assert.equal(await home.locator(`#games [data-game-id="${game}"] .name`).innerText(), 'bob');
      await Promise.all([cat, ...others.slice(0, 3)].map((player) => player.ready(game)));
      await bob.does(`/lobby/${game}/start`);
      await isListed(home, game, null);
    });

    test(`${lobby.kind}: it is seen who is there`, async (t) => {
      const [, annPage, bobPage] = await together(t, [ann, bob, cat], [ann, bob]);
      for (const page of [annPage, bobPage]) {
        await row(page, ann, { online: 'true' });
        await row(page, bob, { online: 'true' });
        await row(page, cat, { online: 'false' });
      }
      await bobPage.close();
      await row(annPage, bob, { online: 'false' });
    });

    test(`${lobby.kind}: it is seen who is typing, until they have said it`, async (t) => {
      const [game, annPage, bobPage] = await together(t, [ann, bob]);
      for (const page of [annPage, bobPage]) for (const player of [ann, bob]) await row(page, player, { online: 'true' });
      const input = bobPage.locator('#chat-form [name=text]');
      await input.pressSequentially('hel');
      await says(annPage, '#typing', /^bob is typing …$/);
      await input.press('Enter');
      await says(annPage, '#typing', /^$/);
      await eventually(async () => (await lobby.database.messages(game)).length === 1, 'the message');
      await showsMessages(annPage, lobby, game);
      await input.pressSequentially('no, ');
      await says(annPage, '#typing', /bob is typing/);
      await input.fill('');
      await says(annPage, '#typing', /^$/);
      await input.pressSequentially('well');
      await says(annPage, '#typing', /bob is typing/);
      await bobPage.close();
      await says(annPage, '#typing', /^$/);
      assert.equal(await lobby.database.messages(game).then(({ length }) => length), 1);
    });

    test(`${lobby.kind}: the chat is in order, as it was written, and kept: older messages can be read`, async (t) => {
      const [game, annPage, bobPage] = await together(t, [ann, bob]);
      const texts = ['<script>alert(1)</script>', '<img src=x onerror="document.title=1">', '& "quotes" \' `', 'grün 💥 ‮rtl', 'a'.repeat(500)];
      for (const [n, text] of texts.entries()) {
        const page = [annPage, bobPage][n % 2];
        await page.locator('#chat-form [name=text]').fill(text);
        await page.locator('#chat-form [name=text]').press('Enter');
        await until(page, (wanted) => document.querySelectorAll('#messages > li').length === wanted, n + 1, `message ${n + 1}`);
      }
      for (const page of [annPage, bobPage]) {
        await showsMessages(page, lobby, game);
        assert.deepEqual((await messagesOn(page)).map(({ text }) => text), texts);
        assert.equal(await page.locator('#messages script, #messages img').count(), 0, 'what people write is text');
      }
      for (let n = 0; n < 120; n++) await bob.says(game, `number ${n}`);
      const late = await ann.page(t, browser, `/lobby/${game}`);
      await until(late, () => document.querySelectorAll('#messages > li').length === 50, null, 'the last fifty');
      for (const shown of [100, 125]) {
        await late.locator('#earlier').click();
        await until(late, (wanted) => document.querySelectorAll('#messages > li').length === wanted, shown, `${shown} messages`);
      }
      await showsMessages(late, lobby, game);
      assert.equal(await late.locator('#earlier:visible').count(), 0);
    });
  }
});
