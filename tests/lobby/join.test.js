// SPDX-License-Identifier: MIT OR Apache-2.0
// Five people take their seats at the same moment, again and again, and no page is left with an old
// list.
//
// OYEZ_TEST_ROUNDS=100 does it so often with each app; 24 times otherwise.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { eventually } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { allShowPlayers, playersOn, showsPlayers } from '../support/lobby-page.js';
import { LIBRARIES, register } from '../support/player.js';
import { PYTHON } from '../support/server.js';

const ROUNDS = Number(process.env.OYEZ_TEST_ROUNDS ?? 24);
const SEATED = 6;
/** A small window takes less time to paint, and pages load hundreds of times here. */
const WINDOW = { viewport: { width: 360, height: 200 } };
/** With the button the pages load twice: every so many rounds. */
const BUTTON_ROUNDS = 4;

const browser = await launch();
after(() => browser.close());

/** Notes every list that a page has shown, in the window. */
const noteLists = (context) => context.addInitScript(() => {
  window.lists = [];
  const note = () => {
    const rows = document.querySelectorAll('#players > li');
    if (rows.length > 0) window.lists.push([...rows].map((row) => row.dataset.userId).join());
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true });
});

/** Ways to come at one moment: with the button of a page that is open, or straight in. */
const WAYS = {
  async button(pages, game) {
    await Promise.all(pages.map((page) => page.goto(`${page.player.lobby.url}/lobby/${game}`)));
    await Promise.all(pages.map((page) => page.evaluate(() => document.querySelector('form[action$="/join"] button').click())));
  },
  async link(pages, game) {
    await Promise.all(pages.map(async (page) => {
      await page.player.joins(game);
      await page.goto(`${page.player.lobby.url}/lobby/${game}`);
    }));
  },
};

for (const kind of KINDS) {
  const lobby = await useLobby(kind);

  describe(kind, () => {
    for (const library of LIBRARIES) {
      test(`${library}: five join at the same moment, and each page at rest shows what is in the database`, async (t) => {
        const [host, ...players] = await register(lobby, ...['host', 'ann', 'bob', 'cat', 'dan', 'eve'].map((name) => `${name}-${library.slice(0, 4)}`));
        const pages = await Promise.all(players.map(async (player) => {
          const context = await player.window(t, browser, WINDOW);
          await noteLists(context);
          return player.page(t, browser, '/', { library, context });
        }));
        const rounds = Math.ceil(ROUNDS / LIBRARIES.length);
        for (let round = 0; round < rounds; round++) {
          const game = await host.creates();
          await (round % BUTTON_ROUNDS === 0 ? WAYS.button : WAYS.link)(pages, game);
          await eventually(async () => (await lobby.database.players(game)).length === SEATED, 'all have joined');
          await allShowPlayers(pages, lobby, game);
          // Nothing older is still on its way: this change arrives behind it.
          await host.ready(game);
          await allShowPlayers(pages, lobby, game);
          assert.equal((await playersOn(pages[0])).length, SEATED);
          for (const page of pages) assert.deepEqual(wentBack(await page.evaluate(() => window.lists)), []);
        }
      });
    }

    // Express keeps its file to itself while it runs; there tests/truth/resolved.test.js has this.
    if (kind !== 'rust') return;
    test('a page that is opened between a commit and its `changed` is not taken back to the list of before', async (t) => {
      const [host, ben, eve] = await register(lobby, 'before-host', 'before-ben', 'before-eve');
      const game = await host.creates();
      const there = await host.page(t, browser, `/lobby/${game}`);
      await showsPlayers(there, lobby, game);
      for (const [player, library] of [[ben, 'pusher-js'], [eve, 'oyez.js']]) {
        joinsBesideTheApp(lobby, game, player);
        const context = await player.window(t, browser, WINDOW);
        await noteLists(context);
        const page = await player.page(t, browser, `/lobby/${game}`, { library, context });
        // Its subscription makes Oyez ask, so whoever was there hears of it too.
        await showsPlayers(there, lobby, game);
        await player.ready(game);
        await showsPlayers(page, lobby, game);
        assert.deepEqual(wentBack(await page.evaluate(() => window.lists)), []);
      }
    });
  });
}

/** A commit of which nobody tells Oyez: as in the moment before `changed`, which lasts here. */
function joinsBesideTheApp(lobby, game, player) {
  const statement = 'INSERT INTO game_users (game_id, user_id, seat) SELECT ?1, ?2, 1 + max(seat) FROM game_users WHERE game_id = ?1';
  const script = `import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as database:
    database.execute(sys.argv[2], [sys.argv[3], int(sys.argv[4])])`;
  execFileSync(PYTHON, ['-c', script, lobby.database.file, statement, game, String(player.id)]);
}

/** Each list that was followed by one that lacks somebody, with that one. */
function wentBack(lists) {
  const lacks = (list, before) => before.split(',').some((id) => !list.split(',').includes(id));
  return lists.slice(1).map((list, at) => [lists[at], list]).filter(([before, list]) => lacks(list, before));
}
