// SPDX-License-Identifier: MIT OR Apache-2.0
// A table of Crazy Eights with pages around it: dealing, and moves through the page's own buttons.
import assert from 'node:assert/strict';
import { showsMove, tableOn, until } from './lobby-page.js';

/** Makes a game with these players, the first of whom is its host, and deals; its id. */
export async function dealt(players) {
  const [host, ...others] = players;
  const game = await host.creates();
  for (const player of others) await player.joins(game);
  await start(game, players);
  return game;
}

/** Everybody gets ready and the host starts. */
export async function start(game, [host, ...others]) {
  await Promise.all(others.map((player) => player.ready(game)));
  await host.does(`/lobby/${game}/start`);
}

/** The page of whoever is on turn. */
export async function onTurn(pages) {
  const { turn } = await tableOn(pages[0]);
  return pages.find((page) => page.player.id === turn);
}

/**
 * A simple player: says "last card" when that is due, plays a card that fits, else draws, else
 * passes; with the page's buttons. Answers what it did. `wishes` are cards of the next player, who
 * is left something to play if possible: between friends a game is short.
 */
export async function move(page, wishes = []) {
  const { move: before, hand } = await tableOn(page);
  await until(page, () => document.querySelector('#hand button:enabled, #draw:enabled, #pass:enabled'), null, `${page.player.name} may do something`);
  const { call, fitting, draw } = await page.evaluate(() => ({
    call: !document.querySelector('#call').disabled,
    fitting: [...document.querySelectorAll('#hand button:enabled')].map((button) => button.dataset.card),
    draw: !document.querySelector('#draw').disabled,
  }));
  const did = hand.cards.length === 2 && call ? 'call' : fitting.length > 0 ? 'play' : draw ? 'draw' : 'pass';
  if (did === 'play') await play(page, fitting, hand.cards, wishes);
  else await page.locator(`#${did}`).click();
  await showsMove(page, before + 1);
  return did;
}

/** Plays one of the cards that fit; an eight only if nothing else does. */
async function play(page, fitting, held, wishes) {
  const count = (cards, suit) => cards.filter((card) => card[1] === suit).length;
  const pleases = (card) => wishes.some((wish) => wish[0] === card[0] || wish[1] === card[1]);
  const value = (card) => (card[0] === '8' ? -1 : 10 * pleases(card) + count(held, card[1]));
  const [card] = fitting.sort((a, b) => value(b) - value(a));
  await page.locator(`#hand button[data-card="${card}"]`).click();
  if (card[0] !== '8') return;
  const [suit] = ['S', 'H', 'C', 'D'].sort((a, b) => count(wishes, b) - count(wishes, a));
  await page.locator(`#suits button[data-suit="${suit}"]`).click();
}

/**
 * Waits until all pages show that move, and checks that they agree with each other and with the
 * database; answers what everybody sees.
 */
export async function agree(lobby, game, pages, deadline) {
  const { moves } = await lobby.database.cards(game);
  await Promise.all(pages.map((page) => showsMove(page, moves, deadline)));
  const [cards, hands, tables] = [await lobby.database.cards(game), await lobby.database.hands(game), await Promise.all(pages.map(tableOn))];
  assert.equal(cards.moves, moves, 'nobody has moved meanwhile');
  const [{ hand: _, ...seen }] = tables;
  for (const [at, { hand, ...table }] of tables.entries()) {
    const { name, id } = pages[at].player;
    assert.deepEqual(table, seen, `${name} sees the same table as ${pages[0].player.name}`);
    assert.deepEqual(hand, { move: moves, cards: hands[id] }, `${name}'s hand`);
  }
  assert.equal(seen.top, cards.pile.at(-1));
  assert.deepEqual(seen.seats.map(({ id, cards: count }) => [id, count]), cards.seats.map(({ player, hand }) => [player, hand.length]));
  return seen;
}
