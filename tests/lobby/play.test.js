// SPDX-License-Identifier: MIT OR Apache-2.0
// Crazy Eights as it is played: with the buttons of three browsers, to a winner and on to the next
// round; and one player with two tabs.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { agree, dealt, move, onTurn, start } from '../support/card-table.js';
import { eventually } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { showsMove, showsPlayers, tableOn, until } from '../support/lobby-page.js';
import { LIBRARIES, REFUSAL, register } from '../support/player.js';

/** No game between simple players was ever seen to last so long. */
const MOVES_MAX = 600;

const browser = await launch();
after(() => browser.close());

const goesTo = (page, path) => until(page, (wanted) => location.pathname === wanted && document.readyState === 'complete', path, `it goes to ${path}`);

describe('playing', { skip: !KINDS.includes('rust') && 'only the Rust version has cards' }, async () => {
  const lobby = await useLobby('rust');
  const players = await register(lobby, 'ann', 'bob', 'cat');
  const [ann, bob] = players;

  test('three browsers play to a winner, see the points, and play again', async (t) => {
    const game = await ann.creates();
    const pages = await Promise.all(players.map(async (player, at) => {
      if (at > 0) await player.joins(game);
      return player.page(t, browser, `/lobby/${game}`, { library: LIBRARIES[at % LIBRARIES.length] });
    }));
    await Promise.all(pages.slice(1).map((page) => page.locator('form[action$="/ready"] button').click()));
    await eventually(async () => (await lobby.database.players(game)).every(({ ready, host }) => ready || host), 'all are ready');
    await Promise.all(pages.map((page) => showsPlayers(page, lobby, game)));
    await pages[0].locator('form[action$="/start"] button').click();
    await Promise.all(pages.map((page) => goesTo(page, `/game/${game}`)));

    const did = {};
    let seen = await agree(lobby, game, pages);
    for (let moves = 0; seen.status === 'playing'; moves++) {
      assert.ok(moves < MOVES_MAX, 'somebody wins at last');
      const hands = await lobby.database.hands(game);
      const seat = seen.seats.findIndex(({ id }) => id === seen.turn);
      const what = await move(await onTurn(pages), hands[seen.seats[(seat + 1) % seen.seats.length].id]);
      did[what] = (did[what] ?? 0) + 1;
      seen = await agree(lobby, game, pages);
    }
    t.diagnostic(JSON.stringify(did));
    assert.equal(seen.status, 'finished');

    const { seats, phase } = await lobby.database.cards(game);
    const winner = phase.finished.player;
    for (const page of pages) {
      const expected = page.player.id === winner ? /You win \d+ points?!$/ : /wins \d+ points?!$/;
      assert.match(await page.locator('#announcement').innerText(), expected);
      const points = await page.locator('#seats .points').allInnerTexts();
      assert.deepEqual(points.map((text) => Number.parseInt(text || '0', 10)), seats.map((seat) => seat.points));
    }
    assert.equal(worth(seats.flatMap(({ hand }) => hand)), phase.finished.points, 'the winner gets what the others hold');

    await pages[2].locator('#again').click();
    await Promise.all(pages.map((page) => goesTo(page, `/lobby/${game}`)));
    await Promise.all(pages.map((page) => showsPlayers(page, lobby, game)));
    assert.deepEqual((await lobby.database.players(game)).map(({ ready }) => ready), [false, false, false]);
    await start(game, players);
    await Promise.all(pages.map((page) => goesTo(page, `/game/${game}`)));
    const second = await agree(lobby, game, pages);
    assert.deepEqual([second.status, ...second.seats.map(({ cards }) => cards)], ['playing', 5, 5, 5]);
    assert.equal((await lobby.database.cards(game)).seats.find(({ player }) => player === winner).points, phase.finished.points, 'points stay');
    await move(await onTurn(pages));
    await agree(lobby, game, pages);
  });

  test('two tabs of one player agree, and either can move', async (t) => {
    const game = await dealt([ann, bob]);
    const context = await ann.window(t, browser);
    const tabs = [await ann.page(t, browser, `/game/${game}`, { context }), await ann.page(t, browser, `/game/${game}`, { context })];
    for (const [at, tab] of [...tabs, ...tabs].entries()) {
      await agree(lobby, game, tabs);
      await tab.locator('#draw').click();
      await Promise.all(tabs.map((each) => showsMove(each, at + 2)));
    }
    assert.equal((await agree(lobby, game, tabs)).seats[0].cards, 11);
  });

  test('of two moves at the same moment from two tabs one is made, and the other is told', async (t) => {
    const game = await dealt([ann, bob]);
    const context = await ann.window(t, browser);
    const tabs = await Promise.all([0, 1].map(() => ann.page(t, browser, `/game/${game}`, { context, tolerates: [REFUSAL] })));
    await agree(lobby, game, tabs);
    // Both have left their tabs before either is on its way to the server.
    let bothSent;
    const both = new Promise((resolve) => (bothSent = resolve));
    let sent = 0;
    await context.route('**/draw', async (route) => {
      if (++sent === 2) bothSent();
      await both;
      await route.continue();
    });
    const answers = await Promise.all(tabs.map(async (tab) => {
      const answered = tab.waitForResponse(/\/draw$/);
      await tab.locator('#draw').click();
      return (await answered).status();
    }));
    assert.deepEqual(answers.sort(), [200, 409]);
    const { move: now, seats } = await agree(lobby, game, tabs);
    assert.deepEqual({ now, cards: seats[0].cards }, { now: 2, cards: 8 }, 'one card was drawn');
    const errors = await Promise.all(tabs.map((tab) => tab.locator('#error').innerText()));
    assert.deepEqual(errors.map((text) => /moved on/.test(text)).sort(), [false, true], 'one tab says so');
    assert.equal((await tableOn(tabs[0])).turn, ann.id, 'and goes on');
    await context.unroute('**/draw');
    const told = tabs[errors.findIndex(Boolean)];
    await told.locator('#draw').click();
    await showsMove(told, 3);
    assert.equal((await agree(lobby, game, tabs)).seats[0].cards, 9);
  });

  test('of many moves at the same moment exactly one is made', async () => {
    const game = await dealt([ann, bob]);
    for (let seen = 1; seen <= 10; seen++) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => ann.post(`/game/${game}/draw`, { move: seen })));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409]);
      assert.match(answers.find(({ status }) => status === 409).json.error, /moved on/);
      assert.equal((await lobby.database.cards(game)).moves, seen + 1);
    }
    assert.equal((await lobby.database.hands(game))[ann.id].length, 17);
  });
});

/** What cards are worth to a winner. */
function worth(cards) {
  const points = { 8: 50, K: 10, Q: 10, J: 10, T: 10, A: 1 };
  return cards.reduce((sum, [rank]) => sum + (points[rank] ?? Number(rank)), 0);
}
