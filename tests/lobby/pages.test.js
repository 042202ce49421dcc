// SPDX-License-Identifier: MIT OR Apache-2.0
// Every page of the founding app on a phone and on a desktop, in light and in dark, by keyboard
// alone, and as far as a program can tell for who does not see it.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { fitsItsScreen, isAccessible } from '../support/accessibility.js';
import { launch } from '../support/browser.js';
import { agree, dealt, move, onTurn } from '../support/card-table.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { connection, showsMessages, showsMove, showsPlayers, tableOn, until } from '../support/lobby-page.js';
import { Player, REFUSAL, register } from '../support/player.js';

const SCREENS = [
  { name: 'phone, light', viewport: { width: 360, height: 740 }, colorScheme: 'light' },
  { name: 'phone, dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'desktop, light', viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  { name: 'desktop, dark', viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
];

const browser = await launch();
after(() => browser.close());

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  const names = ['ann', 'bob', 'a_very_long_name-_20', 'WWWWWWWWWWWWWWWWWWWW', 'eve', 'flo'];
  return { lobby, players: await register(lobby, ...names) };
}));

async function looksRight(page, what) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  await fitsItsScreen(page, what);
  await isAccessible(page, what);
  const outline = await page.evaluate(() => ({
    title: document.title !== '', language: document.documentElement.lang,
    h1: document.querySelectorAll('h1').length, main: document.querySelectorAll('main').length,
  }));
  assert.deepEqual(outline, { title: true, language: 'en', h1: 1, main: 1 }, what);
}

/** Everything that the page with the focus can be reached with Tab: what each stop is called. */
async function reached(page, wanted) {
  for (let stops = 0; stops < 80; stops++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate((selector) => document.activeElement.matches(selector), wanted);
    if (found) return;
  }
  assert.fail(`${wanted} is not reached by Tab`);
}

describe('pages', { concurrency: 2 }, () => {
  for (const { lobby, players } of lobbies) {
    const [host, ann] = players;
    for (const { name, ...options } of SCREENS) {
      test(`${lobby.kind}, ${name}: every page fits, and says what it is`, async (t) => {
        const game = await host.creates();
        for (const player of players.slice(1)) await player.joins(game);
        await ann.ready(game);
        for (const text of ['hello', 'x'.repeat(500), 'a sentence of some words, as people write it']) await ann.says(game, text);
        const stranger = await Player.stranger(lobby).page(t, browser, '/login', { ...options, tolerates: [REFUSAL] });
        await looksRight(stranger, 'the log-in');
        await stranger.getByLabel('Name').fill('nobody');
        await stranger.getByLabel('Password').fill('wrong, wrong');
        await stranger.keyboard.press('Enter');
        await stranger.waitForSelector('[role=alert]:not(:empty)');
        await looksRight(stranger, 'the log-in that failed');
        await stranger.goto(`${lobby.url}/register`);
        await looksRight(stranger, 'the registration');

        const context = await host.window(t, browser, options);
        const page = await host.page(t, browser, `/lobby/${game}`, { context, tolerates: [REFUSAL] });
        await connection(page);
        await showsPlayers(page, lobby, game);
        await showsMessages(page, lobby, game);
        await looksRight(page, 'the lobby');
        await page.goto(lobby.url);
        await connection(page);
        await looksRight(page, 'the home page');
        await page.goto(`${lobby.url}/lobby/00000000-0000-4000-8000-000000000000`);
        await looksRight(page, 'the page of no game');
        const other = await ann.creates();
        await page.goto(`${lobby.url}/lobby/${other}`);
        await showsPlayers(page, lobby, other);
        await looksRight(page, 'the lobby from outside');
      });
    }

    if (!lobby.hasCards) continue;
    for (const { name, ...options } of SCREENS) {
      test(`${lobby.kind}, ${name}: the table fits with six players and a full hand`, async (t) => {
        const game = await dealt(players);
        const page = await host.page(t, browser, `/game/${game}`, options);
        await agree(lobby, game, [page]);
        await looksRight(page, 'the table');
        const { moves } = await lobby.database.cards(game);
        for (let n = moves; n < moves + 15; n++) await host.does(`/game/${game}/draw`, { move: n });
        await agree(lobby, game, [page]);
        await looksRight(page, 'the table with many cards');
        for (const player of players.slice(1)) await player.does(`/lobby/${game}/leave`);
        await until(page, () => document.querySelector('#table').dataset.status === 'finished', null, 'the end');
        await looksRight(page, 'the end');
      });
    }

    test(`${lobby.kind}: a whole turn is possible with the keyboard alone`, async (t) => {
      const game = await dealt([host, ann]);
      const pages = await Promise.all([host, ann].map((player) => player.page(t, browser, `/game/${game}`)));
      let did;
      for (let seen = await agree(lobby, game, pages); seen.status === 'playing' && did !== 'played'; seen = await agree(lobby, game, pages)) {
        const page = await onTurn(pages);
        await until(page, () => document.querySelector('#hand button:enabled, #draw:enabled'), null, 'something may be done');
        const { fitting } = await page.evaluate(() => ({ fitting: document.querySelectorAll('#hand button:enabled').length }));
        await page.bringToFront();
        await reached(page, fitting ? '#hand button' : '#draw');
        const card = await page.evaluate(() => document.activeElement.dataset.card ?? '');
        await page.keyboard.press('Enter');
        if (card.startsWith('8')) {
          await page.waitForSelector('#suits[open]');
          await page.keyboard.press('Escape');
          await until(page, () => !document.querySelector('#suits').open, null, 'that Escape closes the choice');
          assert.equal((await tableOn(page)).move, seen.move, 'nothing was played');
          await page.keyboard.press('Enter');
          await page.waitForSelector('#suits[open]');
          await looksRight(page, 'the choice of a suit');
          await reached(page, '#suits button[data-suit]');
          await page.keyboard.press('Enter');
        }
        await showsMove(page, seen.move + 1);
        const focus = await page.evaluate(() => document.activeElement.closest('#table, #hand') !== null || document.activeElement.id);
        assert.ok(focus, 'the focus is still at the table');
        if (card) did = 'played';
      }
      assert.equal(did, 'played');
    });

    test(`${lobby.kind}: cards have names, and what happens is announced`, async (t) => {
      const game = await dealt([host, ann]);
      const pages = await Promise.all([host, ann].map((player) => player.page(t, browser, `/game/${game}`)));
      await agree(lobby, game, pages);
      const cards = await pages[0].getByRole('group', { name: 'Your hand' }).getByRole('button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
      assert.equal(cards.length, 7);
      for (const name of cards) assert.match(name, /^(Ace|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Jack|Queen|King) of (clubs|diamonds|hearts|spades)$/);
      assert.match(await pages[1].locator('#top').getAttribute('aria-label'), / of (clubs|diamonds|hearts|spades)$/i);
      await move(await onTurn(pages));
      const announcement = pages[1].getByRole('status').filter({ hasText: /drew a card|played/ });
      await announcement.waitFor();
    });
  }
});
