// SPDX-License-Identifier: MIT OR Apache-2.0
// The laptop was closed for a while. Whoever comes back sees exactly what is true now: players,
// chat without holes or doubles, the table; and was told in words that they were offline.
//
// OYEZ_TEST_OFFLINE says for how many seconds; 20 otherwise.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launch } from '../support/browser.js';
import { cableFor } from '../support/cable.js';
import { agree, dealt } from '../support/card-table.js';
import { passing } from '../support/inbox.js';
import { KINDS, useLobby } from '../support/lobby.js';
import { connection, messagesOn, showsMessages, showsPlayers, until } from '../support/lobby-page.js';
import { LIBRARIES, OUTAGE, register } from '../support/player.js';

const OFFLINE = Number(process.env.OYEZ_TEST_OFFLINE ?? 20) * 1000;
/** A client that has failed for that long waits this long at most before it tries again. */
const BACK = 45_000;
/** More than two pages of the chat, so that it takes several calls to fill the hole. */
const SAID = 130;

const browser = await launch();
after(() => browser.close());

const lobbies = await Promise.all(KINDS.map(async (kind) => {
  const lobby = await useLobby(kind);
  return { lobby, players: await register(lobby, 'host', 'ann', 'bob', 'cat', 'dan') };
}));

/** A page whose network can be taken away. */
async function wired(t, player, path, library) {
  const cable = await cableFor(t);
  const page = await player.page(t, browser, path, { library, cable, tolerates: [OUTAGE] });
  await connection(page);
  return {
    page,
    /** What the browser notices: its connections end, and the system says so. */
    async off() {
      cable.unplug();
      await page.context().setOffline(true);
      await until(page, () => document.querySelector('#connection').dataset.state !== 'connected', null, 'that it is offline', BACK);
    },
    async on() {
      cable.plug();
      await page.context().setOffline(false);
    },
  };
}

/** Takes a page's network away while something happens, and for as long as is said above. */
async function away({ page, off, on }, meanwhile) {
  await off();
  const time = passing(OFFLINE);
  await meanwhile();
  await time;
  assert.match(await page.locator('#connection').innerText(), /^(Offline, trying again|Connecting) …$/);
  await on();
  await connection(page, 'connected', BACK);
}

describe('offline', { concurrency: true }, () => {
  for (const { lobby, players: [host, ann, bob, cat, dan] } of lobbies) {
    for (const library of LIBRARIES) {
      const kind = `${lobby.kind}, ${library}`;

      test(`${kind}: whoever was offline sees the players and the whole chat as they are`, async (t) => {
        const game = await host.creates();
        for (const player of [ann, bob, cat]) await player.joins(game);
        await host.says(game, 'before');
        const laptop = await wired(t, ann, `/lobby/${game}`, library);
        const { page } = laptop;
        await showsPlayers(page, lobby, game);
        await showsMessages(page, lobby, game);
        await away(laptop, async () => {
          await dan.joins(game);
          await cat.does(`/lobby/${game}/leave`);
          await bob.ready(game);
          for (let n = 1; n <= SAID; n++) await [host, bob, dan][n % 3].says(game, `message ${n}`);
          await page.locator('#chat-form [name=text]').fill('into the void');
          await page.locator('#chat-form [name=text]').press('Enter');
          await until(page, () => document.querySelector('#chat-error').textContent !== '', null, 'that the message was not sent');
          assert.equal(await page.locator('#chat-form [name=text]').inputValue(), 'into the void', 'it is not lost');
        });
        await showsPlayers(page, lobby, game, BACK);
        await showsMessages(page, lobby, game, BACK);
        // It follows again, and nothing older is on its way.
        await host.says(game, 'after');
        await host.ready(game);
        await showsPlayers(page, lobby, game);
        await showsMessages(page, lobby, game);
        assert.deepEqual((await messagesOn(page)).map(({ number }) => number), Array.from({ length: SAID + 2 }, (_, at) => at + 1));
      });

      if (!lobby.hasCards) continue;
      test(`${kind}: whoever was offline sees the table as it is, and follows on`, async (t) => {
        const game = await dealt([host, ann]);
        const laptop = await wired(t, ann, `/game/${game}`, library);
        await agree(lobby, game, [laptop.page]);
        await away(laptop, async () => {
          for (let move = 1; move <= 5; move++) await host.does(`/game/${game}/draw`, { move });
        });
        const { move, seats } = await agree(lobby, game, [laptop.page], BACK);
        assert.deepEqual({ move, cards: seats.map(({ cards }) => cards) }, { move: 6, cards: [12, 7] });
        await host.does(`/game/${game}/draw`, { move });
        assert.equal((await agree(lobby, game, [laptop.page])).move, move + 1);
      });
    }
  }
});
