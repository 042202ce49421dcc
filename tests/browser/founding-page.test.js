// SPDX-License-Identifier: MIT OR Apache-2.0
// The page that Oyez was made for, as it stands, in a real Chromium: with the official client, and
// with our own by changing one script tag. It shows the list that is true, whatever happened before
// it subscribed, and with no timer.
//
// OYEZ_TEST_LOADS=1000 loads it so often; 60 times otherwise.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BUILDS, launch, pageOf, webServer } from '../support/browser.js';
import { eventually } from '../support/inbox.js';
import { fresh, random, seed } from '../support/names.js';
import { options } from '../support/official.js';
import { serverFor, useServer } from '../support/server.js';
import { Source } from '../support/source.js';

const LOADS = Number(process.env.OYEZ_TEST_LOADS ?? 60);

const source = await Source.start();
const app = { channels: [
  { match: 'LOBBY_asked-*', truth: { url: source.url, event: 'PLAYER_JOIN' } },
  { match: 'LOBBY_*', replay: 'latest' },
] };
const server = await useServer({ app });
const browser = await launch();
const web = await webServer({ '/pusher.js': { file: BUILDS.plain }, '/': '' });
after(async () => {
  await browser.close();
  await web.stop();
  await source.stop();
});

/** The page of design 1; `script` is the one tag that differs. */
const founding = (script, of = server) => `<!doctype html><title>lobby</title><ul id="players"></ul>
<script src="${script}"></script>
<script>
  const roomId = new URLSearchParams(location.search).get('room');
  const shown = [];
  function updatePlayersList({ players, version }) {
    shown.push(version);
    document.getElementById('players').replaceChildren(...players.map((name) => {
      const item = document.createElement('li');
      item.textContent = name;
      return item;
    }));
  }
  const pusher = new Pusher(${JSON.stringify(of.app.key)}, ${JSON.stringify(options(of))});
  const lobbyChannel = pusher.subscribe(\`LOBBY_\${roomId}\`);
  lobbyChannel.bind('PLAYER_JOIN', (data) => { updatePlayersList(data); });
</script>`;

/** Both libraries; each page comes from a web server of its own. */
async function pages(of = server) {
  return { 'pusher-js': `${web.url}/pusher.js`, 'oyez.js': `http://127.0.0.1:${of.port}/oyez.js` };
}

async function site(t, script, of) {
  const served = await webServer({ '/': founding(script, of) });
  t.after(() => served.stop());
  return served.url;
}

const list = (page) => page.evaluate(() => [...document.querySelectorAll('#players li')].map((item) => item.textContent));
const isShown = (page, version) => page.waitForFunction((v) => shown.at(-1) === v, version, { timeout: 15_000, polling: 5 });

for (const [library, script] of Object.entries(await pages())) {
  test(`T-001 T-030 ${library}: an event published before the page subscribed is on the page`, async (t) => {
    const url = await site(t, script);
    for (const room of [fresh(), fresh('asked-')]) {
      const truth = { players: ['anna', 'bob'], version: 7 };
      source.truths.set(`LOBBY_${room}`, truth);
      await server.library().trigger(`LOBBY_${room}`, room.startsWith('asked') ? 'oyez:changed' : 'PLAYER_JOIN', room.startsWith('asked') ? {} : truth);
      const page = await pageOf(browser);
      await page.goto(`${url}/?room=${room}`);
      await isShown(page, 7);
      assert.deepEqual(await list(page), ['anna', 'bob']);
      assert.deepEqual(await page.evaluate(() => shown), [7], 'once');
      assert.deepEqual(page.errors, []);
      await page.close();
    }
  });

  for (const kind of ['plain', 'asked']) {
    test(`T-030 ${library}, ${kind}: loads against publishers that change the list all the time end on what is true`, async (t) => {
      const { below } = random(seed(t));
      const url = await site(t, script);
      const page = await pageOf(browser);
      const loads = Math.ceil(LOADS / 4);
      let before = 0;
      for (let load = 0; load < loads; load++) {
        const room = fresh(kind === 'asked' ? 'asked-' : '');
        const channel = `LOBBY_${room}`;
        const truth = { players: [], version: 0 };
        source.truths.set(channel, truth);
        let over = false;
        const change = async () => {
          truth.version += 1;
          truth.players = Array.from({ length: 1 + below(4) }, (_, n) => `player ${truth.version}.${n}`);
          source.truths.set(channel, { ...truth });
          if (kind === 'plain') await server.api.publish(channel, 'PLAYER_JOIN', truth);
          else await server.api.post(`/channels/${channel}/changed`, {});
        };
        // Of plain events only one may publish: whose list is older is the backend's own race,
        // which is what a truth that is asked for is there to close.
        const writers = Array.from({ length: kind === 'asked' ? 3 : 1 }, async () => {
          while (!over) await change();
        });
        const first = below(12);
        await eventually(() => truth.version >= first, 'the first changes');
        await page.goto(`${url}/?room=${room}`);
        const extra = below(5);
        await page.waitForFunction((n) => shown.length > n, extra, { timeout: 15_000, polling: 5 });
        over = true;
        await Promise.all(writers);
        await isShown(page, truth.version);
        assert.deepEqual(await list(page), truth.players);
        const shown = await page.evaluate(() => shown);
        assert.deepEqual(shown, [...shown].sort((a, b) => a - b), `load ${load}: the page went back`);
        before += shown[0] > 1 ? 1 : 0;
      }
      t.diagnostic(`${loads} loads, ${before} of them after the first change`);
      assert.deepEqual(page.errors, []);
      await page.close();
    });
  }

  test(`T-008 T-030 ${library}: a page stays true through kill -9, with what changed meanwhile`, async (t) => {
    const one = await serverFor(t, { app });
    const url = await site(t, library === 'oyez.js' ? `http://127.0.0.1:${one.port}/oyez.js` : script, one);
    for (const room of [fresh(), fresh('asked-')]) {
      const channel = `LOBBY_${room}`;
      const isAsked = room.startsWith('asked');
      const set = async (version) => {
        const truth = { players: [`player ${version}`], version };
        source.truths.set(channel, truth);
        await one.library().trigger(channel, isAsked ? 'oyez:changed' : 'PLAYER_JOIN', isAsked ? {} : truth);
      };
      await set(1);
      const page = await pageOf(browser);
      await page.goto(`${url}/?room=${room}`);
      await isShown(page, 1);
      await one.kill();
      if (isAsked) source.truths.set(channel, { players: ['changed while it was down'], version: 2 });
      await one.again();
      if (!isAsked) await set(2);
      await isShown(page, 2);
      await set(3);
      await isShown(page, 3);
      assert.deepEqual(await list(page), ['player 3']);
      await page.close();
    }
  });
}
