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
 * A simple player: says "last card" when that is due, plays the first card that fits, else draws,
 * else passes; with the page's buttons. Answers what it did.
 */
export async function move(page) {
  const { move: before } = await tableOn(page);
  await until(page, () => document.querySelector('#hand button:enabled, #draw:enabled, #pass:enabled'), null, `${page.player.name} may do something`);
  const enabled = async (selector) => (await page.locator(`${selector}:enabled`).count()) > 0;
  const { hand } = await tableOn(page);
  let did;
  if (hand.cards.length === 2 && await enabled('#call')) did = 'call';
  else if (await enabled('#hand button')) did = 'play';
  else did = (await enabled('#draw')) ? 'draw' : 'pass';
  if (did === 'play') await playFirst(page);
  else await page.locator(`#${did}`).click();
  await showsMove(page, before + 1);
  return did;
}

/** Plays the first card that fits; after an eight, the suit that the player has most of. */
async function playFirst(page) {
  const button = page.locator('#hand button:enabled').first();
  const card = await button.getAttribute('data-card');
  await button.click();
  if (card[0] !== '8') return;
  const { hand } = await tableOn(page);
  const suits = hand.cards.filter((held) => held !== card).map((held) => held[1]);
  const count = (suit) => suits.filter((other) => other === suit).length;
  const [most] = ['S', 'H', 'C', 'D'].sort((a, b) => count(b) - count(a));
  await page.locator(`#suits button[data-suit="${most}"]`).click();
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
