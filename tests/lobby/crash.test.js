// SPDX-License-Identifier: MIT OR Apache-2.0
// `kill -9`, and the start after it: every page comes back by itself, to the same cards and the same
// turn, or to what has become true meanwhile.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { agree, dealt, move, onTurn } from '../support/card-table.js';
import { KINDS, lobbyFor } from '../support/lobby.js';
import { connection, messagesOn, showsMessages, showsPlayers, until } from '../support/lobby-page.js';
import { LIBRARIES, OUTAGE, register } from '../support/player.js';

/** A client that has failed for that long waits this long at most before it tries again. */
const BACK = 45_000;
const MOVES = 4;
/** When the crash comes, as shares of the time that a move takes. */
const CRASHES = [0.2, 0.5, 0.8, 1.1];

const browser = await launch();
after(() => browser.close());

/** A page for each of them, with either library by turns, whose network troubles are no errors. */
const pagesOf = (t, players, path, more = {}) => Promise.all(players.map((player, at) => player.page(t, browser, path, { library: LIBRARIES[at % LIBRARIES.length], tolerates: [OUTAGE], ...more })));

const isGone = (page) => until(page, () => document.querySelector('#connection').dataset.state !== 'connected', null, 'that the connection is gone', BACK);
const areBack = (pages) => Promise.all(pages.map((page) => connection(page, 'connected', BACK)));

describe('kill -9', { concurrency: true }, () => {
  if (KINDS.includes('rust')) {
    test('rust: in the middle of a card game; pages come back to the same hands and the same turn, and play on', async (t) => {
      const lobby = await lobbyFor(t, 'rust');
      const players = await register(lobby, 'ann', 'bob', 'cat');
      const game = await dealt(players);
      const pages = await pagesOf(t, players, `/game/${game}`);
      const playOn = async () => {
        for (let n = 0; n < MOVES; n++) {
          if ((await agree(lobby, game, pages)).status !== 'playing') return;
          await move(await onTurn(pages));
        }
      };
      await playOn();
      const [table, hands] = [await agree(lobby, game, pages), await lobby.database.hands(game)];
      await lobby.kill();
      await Promise.all(pages.map(isGone));
      for (const page of pages) assert.equal(await page.locator('#hand button').count(), hands[page.player.id].length, 'the cards stay in sight');
      await lobby.restart();
      await areBack(pages);
      assert.deepEqual(await lobby.database.hands(game), hands);
      assert.deepEqual(await agree(lobby, game, pages), table);
      await playOn();
    });

    test('rust: in the very moment of a move; it was made or it was not, and all pages say the same', async (t) => {
      const lobby = await lobbyFor(t, 'rust');
      const [ann, bob] = await register(lobby, 'ann', 'bob');
      const game = await dealt([ann, bob]);
      const pages = await pagesOf(t, [ann, bob], `/game/${game}`, { library: 'oyez.js' });
      const start = performance.now();
      await ann.does(`/game/${game}/draw`, { move: 1 });
      const took = performance.now() - start;
      let made = 0;
      for (const share of CRASHES) {
        const { move: before } = await agree(lobby, game, pages);
        const end = performance.now() + share * took;
        const moved = ann.post(`/game/${game}/draw`, { move: before }).then(({ status }) => status, () => 'no answer');
        while (performance.now() < end) await new Promise(setImmediate);
        await lobby.kill();
        const answer = await moved;
        await lobby.restart();
        await areBack(pages);
        const { move: now } = await agree(lobby, game, pages, BACK);
        assert.ok(now === before + 1 || (now === before && answer !== 200), `move ${before}, answered ${answer}, is ${now} after the crash`);
        made += now - before;
      }
      t.diagnostic(`${made} of ${CRASHES.length} moves were made`);
    });

    test('rust: in the lobby; players, chat and sessions are still there', async (t) => {
      const lobby = await lobbyFor(t, 'rust');
      const players = await register(lobby, 'ann', 'bob');
      const [ann, bob] = players;
      const game = await ann.creates();
      await bob.joins(game);
      await bob.says(game, 'before');
      const pages = await pagesOf(t, players, `/lobby/${game}`);
      await Promise.all(pages.map((page) => showsMessages(page, lobby, game)));
      await lobby.kill();
      await Promise.all(pages.map(isGone));
      await lobby.restart();
      await bob.ready(game);
      await bob.says(game, 'after');
      await areBack(pages);
      for (const page of pages) {
        await showsPlayers(page, lobby, game);
        await showsMessages(page, lobby, game);
        assert.equal((await messagesOn(page)).length, 2);
      }
      await online(pages, players);
    });
  }

  if (KINDS.includes('express')) {
    test('express: of Oyez; who joined and what was said meanwhile is there when it is back', async (t) => {
      const lobby = await lobbyFor(t, 'express');
      const players = await register(lobby, 'ann', 'bob');
      const [[ann, bob], [cat]] = [players, await register(lobby, 'cat')];
      const game = await ann.creates();
      await bob.joins(game);
      const pages = await pagesOf(t, players, `/lobby/${game}`);
      await Promise.all(pages.map((page) => showsPlayers(page, lobby, game)));
      await lobby.kill('oyez');
      await Promise.all(pages.map(isGone));
      await cat.joins(game);
      await bob.ready(game);
      await cat.says(game, 'nobody was told');
      await lobby.restart();
      await areBack(pages);
      for (const page of pages) {
        await showsPlayers(page, lobby, game);
        await showsMessages(page, lobby, game);
      }
      await online(pages, players);
      await cat.says(game, 'everybody is told');
      await Promise.all(pages.map((page) => showsMessages(page, lobby, game)));
    });

    test('express: of the web app; pages keep their connection, and go on when it is back', async (t) => {
      const lobby = await lobbyFor(t, 'express');
      const players = await register(lobby, 'ann', 'bob');
      const [ann, bob] = players;
      const game = await ann.creates();
      const pages = await pagesOf(t, players, `/lobby/${game}`);
      await Promise.all(pages.map((page) => showsPlayers(page, lobby, game)));
      const joining = bob.post(`/lobby/${game}/join`).catch(() => {});
      await lobby.kill('app');
      await joining;
      for (const page of pages) await connection(page);
      await lobby.restart();
      await bob.joins(game);
      await ann.says(game, 'still here');
      await pages[1].reload();
      for (const page of pages) await showsPlayers(page, lobby, game);
      for (const page of pages) await showsMessages(page, lobby, game);
    });

    test('express: of both; also pages that were back before the web app are let in when that is', async (t) => {
      const lobby = await lobbyFor(t, 'express');
      const [ann, bob, cat] = await register(lobby, 'ann', 'bob', 'cat');
      const game = await ann.creates();
      await bob.joins(game);
      const pages = await pagesOf(t, [ann, bob], `/lobby/${game}`);
      await Promise.all(pages.map((page) => showsPlayers(page, lobby, game)));
      await lobby.kill('app');
      await lobby.kill('oyez');
      await Promise.all(pages.map(isGone));
      await lobby.restart('oyez');
      await areBack(pages);
      await lobby.restart('app');
      await cat.joins(game);
      await cat.says(game, 'everybody is told');
      for (const page of pages) {
        await showsPlayers(page, lobby, game, BACK);
        await showsMessages(page, lobby, game, BACK);
      }
      await online(pages, [ann, bob]);
    });
  }
});

/** Everybody sees everybody else's page. */
async function online(pages, players) {
  for (const page of pages) {
    await until(page, (ids) => ids.every((id) => document.querySelector(`#players [data-user-id="${id}"]`)?.dataset.online === 'true'), players.map(({ id }) => id), 'who is online', BACK);
  }
}
