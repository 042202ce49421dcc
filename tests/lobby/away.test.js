// SPDX-License-Identifier: MIT OR Apache-2.0
// Whoever is away for too long is skipped, and is on turn again when they are back; whoever leaves
// is out, and the others play on.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { agree, move, onTurn, start } from '../support/card-table.js';
import { passing } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { showsMove, tableOn, until } from '../support/lobby-page.js';
import { register } from '../support/player.js';

const AWAY_SECONDS = 3;

const browser = await launch();
after(() => browser.close());

/**
 * A game that has been dealt to these players, and their pages; nobody was away in it, however long
 * the pages took. Answers the game and then the pages.
 */
async function seated(t, lobby, players, pageOwners = players) {
  const game = await players[0].creates();
  for (const player of players.slice(1)) await player.joins(game);
  const sockets = await Promise.all(players.map((player) => player.present(t, game)));
  await start(game, players);
  const pages = await open(t, pageOwners, `/game/${game}`);
  await agree(lobby, game, pages);
  for (const page of pages) for (const player of players) await isAway(page, player, false);
  await Promise.all(sockets.map((socket) => socket.close()));
  return [game, ...pages];
}

const open = (t, players, path) => Promise.all(players.map((player) => player.page(t, browser, path)));
const isAway = (page, player, away) => until(page, ([id, wanted]) => document.querySelector(`#seats [data-user-id="${id}"]`)?.dataset.away === wanted, [player.id, String(away)], `${page.player.name} sees that ${player.name} is ${away ? 'away' : 'there'}`);
const isOnTurn = (page, player, deadline) => until(page, (id) => document.querySelector('#table').dataset.turn === String(id), player.id, `${page.player.name} sees that ${player.name} is on turn`, deadline);
const announced = (page, pattern) => until(page, (source) => new RegExp(source).test(document.querySelector('#announcement').textContent), pattern.source, `it is said: ${pattern}`);

describe('away', { skip: !KINDS.includes('rust') && 'only the Rust version has cards', concurrency: true }, async () => {
  const lobby = await useLobby('rust', { awaySeconds: AWAY_SECONDS });
  const [ann, bob, cat] = await register(lobby, 'ann', 'bob', 'cat');

  test('a player without a page is shown as away, is skipped, and on turn again when they are back', async (t) => {
    const [game, annPage, ...others] = await seated(t, lobby, [ann, bob, cat]);
    const hand = (await lobby.database.hands(game))[ann.id];
    await annPage.close();
    for (const page of others) await isAway(page, ann, true);
    for (const page of others) {
      await isOnTurn(page, bob, AWAY_SECONDS * 1000 + 10_000);
      await announced(page, /ann is away and was skipped/);
    }
    assert.deepEqual((await lobby.database.hands(game))[ann.id], hand, 'being skipped changes no hand');

    const [back] = await open(t, [ann], `/game/${game}`);
    const pages = [back, ...others];
    for (const page of pages) await isAway(page, ann, false);
    for (;;) {
      const seen = await agree(lobby, game, pages);
      if (seen.status !== 'playing' || seen.turn === ann.id) break;
      await move(await onTurn(pages));
    }
    await move(back);
    await agree(lobby, game, pages);
  });

  test('who is back in time is not skipped', async (t) => {
    const [game, annPage, bobPage] = await seated(t, lobby, [ann, bob]);
    await annPage.close();
    await isAway(bobPage, ann, true);
    await ann.present(t, game);
    await isAway(bobPage, ann, false);
    await passing((AWAY_SECONDS + 1) * 1000);
    assert.deepEqual([(await tableOn(bobPage)).move, (await tableOn(bobPage)).turn], [1, ann.id]);
    const [back] = await open(t, [ann], `/game/${game}`);
    await move(back);
  });

  test('one of two tabs is enough to be there', async (t) => {
    const [, one, two, bobPage] = await seated(t, lobby, [ann, bob], [ann, ann, bob]);
    await one.close();
    await passing((AWAY_SECONDS + 1) * 1000);
    assert.deepEqual([(await tableOn(bobPage)).move, (await tableOn(bobPage)).turn], [1, ann.id]);
    await move(two);
  });

  test('when everybody is away the game waits for the first who is back', async (t) => {
    const [game, ...pages] = await seated(t, lobby, [ann, bob]);
    await Promise.all(pages.map((page) => page.close()));
    await passing((AWAY_SECONDS + 2) * 1000);
    const { moves } = await lobby.database.cards(game);
    // Only whoever closed last was there for a moment longer than the other.
    assert.ok(moves <= 2, `it is move ${moves}`);
    const [back] = await open(t, [bob], `/game/${game}`);
    await isOnTurn(back, bob, AWAY_SECONDS * 1000 + 10_000);
    await move(back);
  });

  test('who leaves in the middle of a game is out, and the others play on; the last one wins', async (t) => {
    const [game, annPage, bobPage, catPage] = await seated(t, lobby, [ann, bob, cat]);
    await annPage.locator('summary', { hasText: 'Leave' }).click();
    await annPage.locator('form[action$="/leave"] button').click();
    await annPage.waitForURL(`${lobby.url}/`);
    const others = [bobPage, catPage];
    await Promise.all(others.map((page) => showsMove(page, 2)));
    const seen = await agree(lobby, game, others);
    assert.deepEqual([seen.turn, seen.seats.map(({ cards }) => cards)], [bob.id, [0, 5, 5]]);
    assert.equal((await ann.post(`/game/${game}/draw`, { move: seen.move })).status, 403);
    for (let moves = 0; moves < 3; moves++) {
      await move(await onTurn(others));
      await agree(lobby, game, others);
    }
    await bob.does(`/lobby/${game}/leave`);
    await announced(catPage, /You win/);
    assert.equal((await tableOn(catPage)).status, 'finished');
  });
});
