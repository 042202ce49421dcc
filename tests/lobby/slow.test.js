// SPDX-License-Identifier: MIT OR Apache-2.0
// A page whose scripts take five seconds shows what happened meanwhile: what the timer of one second
// between rendering and triggering was for, and could not do.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { dealt, start } from '../support/card-table.js';
import { passing } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { showsMessages, showsMove, showsPlayers, tableOn, until } from '../support/lobby-page.js';
import { LIBRARIES, register } from '../support/player.js';

const DELAY = 5_000;
/** After the scripts have come, a page shows what is true in this time. */
const DEADLINE = 15_000;

const browser = await launch();
after(() => browser.close());

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  return { lobby, players: await register(lobby, 'host', 'ann', 'bob', 'eve') };
}));

/**
 * Opens a page as far as its HTML, does something `meanwhile`, and lets its scripts come: when that
 * is done, and five seconds have passed.
 */
async function late(t, player, path, library, meanwhile) {
  let come;
  const held = new Promise((resolve) => (come = resolve));
  const page = await player.page(t, browser, path, { library, held, goto: { waitUntil: 'commit' } });
  await page.waitForSelector('main');
  await Promise.all([meanwhile(), passing(DELAY)]);
  assert.equal(await page.evaluate(() => typeof Pusher), 'undefined', 'the scripts are still on their way');
  come();
  return page;
}

const goesTo = (page, path) => until(page, (wanted) => location.pathname === wanted, path, `it goes to ${path}`, DEADLINE);

describe('with scripts that take five seconds', { concurrency: true }, () => {
  for (const { lobby, players } of lobbies) {
    const [host, ann, bob, eve] = players;
    for (const library of LIBRARIES) {
      const kind = `${lobby.kind}, ${library}`;

      test(`${kind}: the lobby shows who joined, who is ready and what was said meanwhile`, async (t) => {
        const game = await host.creates();
        const page = await late(t, host, `/lobby/${game}`, library, async () => {
          await ann.joins(game);
          await bob.joins(game);
          await ann.ready(game);
          for (const text of ['hello', 'is anybody there?']) await bob.says(game, text);
        });
        await showsPlayers(page, lobby, game, DEADLINE);
        await showsMessages(page, lobby, game, DEADLINE);
        assert.equal((await lobby.database.players(game)).length, 3);
      });

      test(`${kind}: whoever only looks on sees it too`, async (t) => {
        const game = await host.creates();
        const page = await late(t, eve, `/lobby/${game}`, library, () => ann.joins(game));
        await showsPlayers(page, lobby, game, DEADLINE);
      });

      test(`${kind}: the home page shows the game that was opened meanwhile, and not the one that is gone`, async (t) => {
        const gone = await host.creates();
        let game;
        const page = await late(t, ann, '/', library, async () => {
          await host.does(`/lobby/${gone}/leave`);
          game = await host.creates();
        });
        await until(page, ([there, missing]) => {
          const row = (id) => document.querySelector(`#games [data-game-id="${id}"]`);
          return row(there) && !row(missing);
        }, [game, gone], 'the list as it is', DEADLINE);
      });

      if (!lobby.hasCards) {
        test(`${kind}: the lobby says that the game has begun meanwhile`, async (t) => {
          const game = await host.creates();
          await ann.joins(game);
          const page = await late(t, ann, `/lobby/${game}`, library, () => start(game, [host, ann]));
          await until(page, () => /has begun/.test(document.querySelector('#begun').textContent), null, 'that it has begun', DEADLINE);
        });
        continue;
      }

      test(`${kind}: the lobby goes on to the table that was dealt meanwhile`, async (t) => {
        const game = await host.creates();
        await ann.joins(game);
        const page = await late(t, ann, `/lobby/${game}`, library, () => start(game, [host, ann]));
        await goesTo(page, `/game/${game}`);
        await showsMove(page, 1, DEADLINE);
      });

      test(`${kind}: the table shows the moves that were made meanwhile`, async (t) => {
        const game = await dealt([host, ann]);
        const page = await late(t, ann, `/game/${game}`, library, async () => {
          await host.does(`/game/${game}/draw`, { move: 1 });
          await host.does(`/game/${game}/draw`, { move: 2 });
        });
        await showsMove(page, 3, DEADLINE);
        assert.deepEqual((await tableOn(page)).hand.cards, (await lobby.database.hands(game))[ann.id]);
      });

      test(`${kind}: the table goes back to the lobby that was opened again meanwhile`, async (t) => {
        const game = await dealt([host, ann, bob]);
        await host.does(`/lobby/${game}/leave`);
        await ann.does(`/lobby/${game}/leave`);
        assert.equal(await lobby.database.status(game), 'finished');
        const page = await late(t, bob, `/game/${game}`, library, () => bob.does(`/game/${game}/again`));
        await goesTo(page, `/lobby/${game}`);
        await showsPlayers(page, lobby, game, DEADLINE);
      });
    }
  }
});
