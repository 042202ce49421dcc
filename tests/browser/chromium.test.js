// SPDX-License-Identifier: MIT OR Apache-2.0
// The official browser builds of `pusher-js` in a real Chromium.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Backend } from '../support/backend.js';
import { BUILDS, launch, pageOf, webServer } from '../support/browser.js';
import { fresh, member } from '../support/names.js';
import { options } from '../support/official.js';
import { useServer } from '../support/server.js';

const server = await useServer({ app: { subscription_count: true, allowed_origins: ['*'] } });
const encryption = { encryptionMasterKeyBase64: Buffer.alloc(32, 5).toString('base64') };
const backend = await Backend.start(server.library(encryption));
const browser = await launch();
const web = await webServer({
  '/': '<!doctype html><title>page</title><script src="/plain.js"></script>',
  '/encrypted': '<!doctype html><title>page</title><script src="/with-encryption.js"></script>',
  '/plain.js': { file: BUILDS.plain },
  '/with-encryption.js': { file: BUILDS['with-encryption'] },
});
after(async () => {
  await browser.close();
  await backend.stop();
  await web.stop();
});

/** A page with a connected client; `window.seen` keeps every event of every channel it joins. */
async function connectedPage(t, path, more = {}) {
  const page = await pageOf(browser);
  t.after(() => page.close());
  await page.goto(web.url + path);
  await page.evaluate(({ key, given }) => {
    window.seen = [];
    window.states = [];
    window.pusher = new window.Pusher(key, given);
    window.pusher.connection.bind('state_change', ({ current }) => window.states.push(current));
    window.join = (name) => {
      window.pusher.subscribe(name).bind_global((event, data) => window.seen.push({ channel: name, event, data }));
    };
  }, { key: server.app.key, given: { ...options(server, backend), ...more } });
  await page.waitForFunction(() => window.pusher.connection.state === 'connected');
  return page;
}

const saw = async (page, channel, event) => {
  const handle = await page.waitForFunction(([c, e]) => window.seen.find((seen) => seen.channel === c && seen.event === e), [channel, event]);
  return (await handle.jsonValue()).data;
};
const join = async (page, channel) => {
  await page.evaluate((name) => window.join(name), channel);
  return saw(page, channel, 'pusher:subscription_succeeded');
};

for (const [build, path] of [['plain', '/'], ['with-encryption', '/encrypted']]) {
  describe(`pusher-js ${build} build in Chromium`, () => {
    test(`P-001 P-017 P-011 ${build}: connects, subscribes, receives what Node published`, async (t) => {
      const page = await connectedPage(t, path);
      const channel = fresh();
      await join(page, channel);
      const data = { text: 'grün 💥 \u0000 "x"', list: [1, null] };
      await server.library().trigger(channel, 'event', data);
      assert.deepEqual(await saw(page, channel, 'event'), data);
      assert.deepEqual(page.errors, []);
    });

    test(`P-029 P-039 ${build}: presence and client events between two pages`, async (t) => {
      const users = ['anna', 'bo'];
      backend.channelData = () => member(users.shift());
      t.after(() => { backend.channelData = () => undefined; });
      const [one, two] = [await connectedPage(t, path), await connectedPage(t, path)];
      const room = fresh('presence-');
      assert.deepEqual((await join(one, room)).members, { anna: { name: 'anna' } });
      assert.equal((await join(two, room)).count, 2);
      assert.equal((await saw(one, room, 'pusher:member_added')).id, 'bo');
      await two.evaluate((name) => window.pusher.channel(name).trigger('client-wave', { hand: 'left' }), room);
      assert.deepEqual(await saw(one, room, 'client-wave'), { hand: 'left' });
      await two.close();
      assert.equal((await saw(one, room, 'pusher:member_removed')).id, 'bo');
    });

    test(`P-046 ${build}: a cache channel replays`, async (t) => {
      const channel = fresh('cache-');
      await server.library().trigger(channel, 'state', { n: 1 });
      const page = await connectedPage(t, path);
      await join(page, channel);
      assert.deepEqual(await saw(page, channel, 'state'), { n: 1 });
    });

    test(`P-054 P-056 ${build}: signs in and hears what is sent to the user`, async (t) => {
      backend.user = () => ({ id: `user-${build}` });
      const page = await connectedPage(t, path);
      await page.evaluate(() => {
        window.pusher.signin();
        window.pusher.user.bind('letter', (data) => window.seen.push({ channel: 'user', event: 'letter', data }));
      });
      await page.waitForFunction(() => window.pusher.user.serverToUserChannel?.subscribed);
      await server.library().sendToUser(`user-${build}`, 'letter', { text: 'hello' });
      assert.deepEqual(await saw(page, 'user', 'letter'), { text: 'hello' });
    });
  });
}

test('P-051 with-encryption: an encrypted event arrives in clear', async (t) => {
  const page = await connectedPage(t, '/encrypted');
  const channel = fresh('private-encrypted-');
  await join(page, channel);
  await server.library(encryption).trigger(channel, 'secret', { text: 'for you only' });
  assert.deepEqual(await saw(page, channel, 'secret'), { text: 'for you only' });
});

test('P-004 in Chromium a wrong key goes to failed', async (t) => {
  const page = await pageOf(browser);
  t.after(() => page.close());
  await page.goto(web.url);
  await page.evaluate((given) => { window.pusher = new window.Pusher('nobody', given); }, options(server));
  await page.waitForFunction(() => ['failed', 'disconnected'].includes(window.pusher.connection.state));
});

test('the founding page in a browser shows the event', async (t) => {
  const page = await connectedPage(t, '/');
  await page.evaluate(() => {
    const roomId = 7;
    const updatePlayersList = (data) => { document.title = data.players.join(' and '); };
    const { pusher } = window;
    const lobbyChannel = pusher.subscribe(`LOBBY_${roomId}`);
    lobbyChannel.bind('PLAYER_JOIN', (data) => { updatePlayersList(data); });
    lobbyChannel.bind('pusher:subscription_succeeded', () => { window.joined = true; });
  });
  await page.waitForFunction(() => window.joined);
  await server.library().trigger('LOBBY_7', 'PLAYER_JOIN', { players: ['Anna', 'Bo'] });
  await page.waitForFunction(() => document.title === 'Anna and Bo');
});
