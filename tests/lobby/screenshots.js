// SPDX-License-Identifier: MIT OR Apache-2.0
// Pictures of the founding app for the documents: `node lobby/screenshots.js [FOLDER]` writes lobby,
// table and home page, on a desktop and on a phone, in light and in dark, to tests/output or there.
import fs from 'node:fs';
import path from 'node:path';
import { launch } from '../support/browser.js';
import { agree, dealt, move, onTurn } from '../support/card-table.js';
import { Lobby } from '../support/lobby.js';
import { connection, showsMessages, showsPlayers, tableOn, until } from '../support/lobby-page.js';
import { register } from '../support/player.js';
import { OUTPUT } from '../support/server.js';

const FOLDER = process.argv[2] ?? OUTPUT;
const SIZES = { 1280: { width: 1280, height: 800 }, 360: { width: 360, height: 780 } };
const SCHEMES = ['light', 'dark'];
/** A picture of the table is taken from this move on, when we are on turn with so many cards. */
const MOVES = 6;
const CARDS = 4;

const TALK = [
  [1, 'Found it! What a nice link.'], [0, 'Welcome! Two more are on their way.'], [2, 'Is it the game where eights are crazy?'],
  [0, 'It is. Say “last card” in time, or somebody catches you :)'], [3, 'Ready when you are.'],
];

fs.mkdirSync(FOLDER, { recursive: true });
const lobby = await Lobby.start('rust');
const browser = await launch();
const afters = [];
const t = { after: (work) => afters.unshift(work) };
const players = await register(lobby, 'Ada', 'Grace', 'Linus', 'Margaret');
const [ada] = players;

/** Takes the pictures of what a page shows now, in every size and scheme. */
async function picture(page, name) {
  for (const [width, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.evaluate(() => {
        scrollTo(0, 0);
        for (const log of document.querySelectorAll('[role=log]')) log.scrollTop = log.scrollHeight;
        return Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
      });
      const file = path.join(FOLDER, `lobby-${name}-${width}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: width === '360' });
      console.log(file);
    }
  }
}

const say = async (game) => {
  for (const [who, text] of TALK) await players[who].says(game, text);
};

// The lobby: one is not ready yet, everybody is there.
const game = await ada.creates();
for (const player of players.slice(1)) await player.joins(game);
for (const player of [players[1], players[3]]) await player.ready(game);
await say(game);
for (const player of players.slice(1)) await player.present(t, game);
const page = await ada.page(t, browser, `/lobby/${game}`);
await connection(page);
await showsPlayers(page, lobby, game);
await showsMessages(page, lobby, game);
await until(page, (wanted) => document.querySelectorAll('#players [data-online=true]').length === wanted, players.length, 'that all are there');
await picture(page, 'room');

// The home page, with open tables.
for (const player of players.slice(1)) await player.creates();
const home = await ada.page(t, browser, '/');
await connection(home);
await until(home, () => document.querySelectorAll('#games li').length === 4, null, 'the open tables');
await picture(home, 'home');

// The table, some moves on, when it is our turn.
const table = await dealt(players);
await say(table);
const pages = await Promise.all(players.map((player) => player.page(t, browser, `/game/${table}`)));
for (;;) {
  const { move: now, turn } = await agree(lobby, table, pages);
  const canPlay = await pages[0].locator('#hand button:enabled').count() > 0;
  if (now > MOVES && turn === ada.id && canPlay && (await tableOn(pages[0])).hand.cards.length >= CARDS) break;
  await move(await onTurn(pages));
}
await until(pages[0], (wanted) => document.querySelectorAll('#seats [data-away=false]').length === wanted, players.length, 'that nobody is away');
await picture(pages[0], 'table');

for (const work of afters) await work();
await browser.close();
await lobby.stop();
