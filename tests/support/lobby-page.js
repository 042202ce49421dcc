// SPDX-License-Identifier: MIT OR Apache-2.0
// What a page of the founding app shows, and waiting until it shows something. The page itself
// tells when it has changed, so nothing here asks it again and again.
import assert from 'node:assert/strict';
import { DEADLINE, Late, within } from './inbox.js';

/**
 * Waits until `holds(arg)`, a function that runs in the page, answers something truthy there;
 * answers that. Also when the page moves on to another one meanwhile.
 */
export async function until(page, holds, arg, what, deadline = DEADLINE) {
  const end = performance.now() + deadline;
  const watch = `new Promise((resolve) => {
    const holds = ${holds};
    const watcher = new MutationObserver(() => check());
    // Of a page that has half arrived it cannot be told yet.
    const attempt = () => { try { return holds(${JSON.stringify(arg)}); } catch { return false; } };
    const check = () => {
      const value = attempt();
      if (!value) return;
      watcher.disconnect();
      document.removeEventListener('readystatechange', check);
      resolve(value);
    };
    watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    document.addEventListener('readystatechange', check);
    check();
  })`;
  for (;;) {
    try {
      return await within(Math.max(1, end - performance.now()), what, page.evaluate(watch));
    } catch (error) {
      if (error instanceof Late) throw new Late(`${error.message} (${deadline} in all); the page: ${await seen(page)}`);
      if (!/context was destroyed|navigat/i.test(error.message)) throw error;
      await page.waitForLoadState('domcontentloaded');
    }
  }
}

/** A page in a few words, for errors. */
async function seen(page) {
  const text = page.evaluate(() => document.querySelector('main')?.innerText.replaceAll(/\s+/g, ' ').slice(0, 700));
  return `${page.url()}: ${await within(2_000, 'looking', text).catch((error) => error.message)}`;
}

// What follows reads also a page that has not arrived as a whole yet.

/** Who is in the lobby, as `LobbyDatabase.players` tells it. */
export const playersOn = (page) => page.evaluate(readPlayers);

function readPlayers() {
  return [...document.querySelectorAll('#players > li')].map((row) => ({
    id: Number(row.dataset.userId), username: row.querySelector('.name')?.textContent,
    ready: row.dataset.ready === 'true', host: row.dataset.host === 'true',
  }));
}

/** The chat, as `LobbyDatabase.messages` tells it. */
export const messagesOn = (page) => page.evaluate(readMessages);

function readMessages() {
  return [...document.querySelectorAll('#messages > li')].map((row) => ({
    number: Number(row.dataset.number), username: row.querySelector('.author')?.textContent,
    text: row.querySelector('.text')?.textContent,
  }));
}

/** Waits until a page shows exactly that; a reader is one of those above. */
async function shows(page, read, expected, what, deadline) {
  const equal = `(wanted) => JSON.stringify((${read})()) === wanted`;
  await until(page, equal, JSON.stringify(expected), what, deadline).catch(async (error) => {
    if (!(error instanceof Late)) throw error;
    assert.deepEqual(await page.evaluate(read), expected, `${what}, after ${deadline ?? DEADLINE} ms`);
    throw error;
  });
}

/** Waits until a page lists exactly those who are in the database. */
export async function showsPlayers(page, lobby, game, deadline) {
  await showList(page, await lobby.database.players(game), deadline);
}

/** The same for several pages, of what is in the database now. */
export async function allShowPlayers(pages, lobby, game) {
  const players = await lobby.database.players(game);
  await Promise.all(pages.map((page) => showList(page, players)));
}

function showList(page, players, deadline) {
  return shows(page, readPlayers, players, `${page.player.name} sees the players that there are`, deadline);
}

/** Waits until a page shows exactly the chat that is in the database. */
export async function showsMessages(page, lobby, game, deadline) {
  await shows(page, readMessages, await lobby.database.messages(game), `${page.player.name} sees the chat as it is`, deadline);
}

/** Waits until the page's connection stands, or is in that state; answers its words. */
export function connection(page, state = 'connected', deadline) {
  return until(page, (wanted) => {
    const element = document.querySelector('#connection');
    return element?.dataset.state === wanted && element.textContent;
  }, state, `${page.player.name}'s page is ${state}`, deadline);
}

/** What a page shows of the card game: to everybody, and to its player alone. */
export const tableOn = (page) => page.evaluate(readTable);

function readTable() {
  const { dataset: table } = document.querySelector('#table');
  const { dataset: top } = document.querySelector('#top');
  const hand = document.querySelector('#hand');
  const seats = [...document.querySelectorAll('#seats > li')].map(({ dataset }) => ({
    id: Number(dataset.userId), cards: Number(dataset.cards),
  }));
  return {
    status: table.status, move: Number(table.move), turn: Number(table.turn) || null,
    top: top.card, suit: top.suit, seats,
    hand: { move: Number(hand.dataset.move), cards: [...hand.querySelectorAll('[data-card]')].map(({ dataset }) => dataset.card).sort() },
  };
}

/** Waits until the page has table and hand of that move (or a later one). */
export function showsMove(page, move, deadline) {
  return until(page, (wanted) => {
    const [table, hand] = ['#table', '#hand'].map((id) => document.querySelector(id));
    return hand && Number(table.dataset.move) >= wanted && table.dataset.move === hand.dataset.move;
  }, move, `${page.player.name}'s page shows move ${move}`, deadline);
}
