// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 5, "Watchlist".
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fresh } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';

const server = await useServer({});
const NAME = 'pusher_internal:watchlist_events';
const GRACE = 3_000;

let last = 0;
const people = (count) => Array.from({ length: count }, () => `person-${++last}`);

/** The next watchlist frame, as `{online: [...], offline: [...]}`. */
async function news(socket, deadline) {
  const { data, channel } = await socket.event(NAME, undefined, deadline);
  assert.equal(channel, undefined);
  assert.equal(typeof data, 'string');
  return Object.fromEntries(JSON.parse(data).events.map(({ name, user_ids }) => [name, [...user_ids].sort()]));
}

async function signedIn(id, watchlist) {
  const socket = await server.connect();
  await socket.signin({ id, watchlist });
  return socket;
}

describe('P-058 watchlists', { concurrency: true }, () => {
  test('P-058 right after sign-in: who is online and who is not, only the lists that are not empty', async () => {
    const [me, on1, on2, off] = people(4);
    await signedIn(on1);
    await signedIn(on2);
    const socket = await server.connect();
    await socket.signin({ id: me, watchlist: [on1, on2, off] });
    assert.deepEqual(await news(socket), { online: [on1, on2].sort(), offline: [off] });
    const [other] = people(1);
    assert.deepEqual(await news(await signedIn(other, [on1])), { online: [on1] });
    const [third, nobody] = people(2);
    assert.deepEqual(await news(await signedIn(third, [nobody])), { offline: [nobody] });
  });

  test('P-058 online with the first signed-in connection, offline with the last, after the grace', async () => {
    const [me, friend] = people(2);
    const watcher = await signedIn(me, [friend]);
    assert.deepEqual(await news(watcher), { offline: [friend] });
    const first = await signedIn(friend);
    assert.deepEqual(await news(watcher), { online: [friend] });
    const second = await signedIn(friend);
    await first.close();
    const gone = performance.now();
    await second.close();
    assert.deepEqual(await news(watcher), { offline: [friend] });
    assert.ok(performance.now() - gone > GRACE - 500, 'offline came before the grace was over');
    assert.deepEqual(watcher.messages.items, []);
  });

  test('P-058 a page change within the grace is silent', async () => {
    const [me, friend, marker] = people(3);
    const watcher = await signedIn(me, [friend, marker]);
    await news(watcher);
    let page = await signedIn(friend);
    assert.deepEqual(await news(watcher), { online: [friend] });
    await page.close();
    page = await signedIn(friend);
    const other = await signedIn(marker); // a fence: its going offline comes after the grace
    assert.deepEqual(await news(watcher), { online: [marker] });
    await other.close();
    assert.deepEqual(await news(watcher), { offline: [marker] }, 'the friend never left');
    await page.alive();
  });

  test('P-058 an app with watchlist = false tells nobody anything', async (t) => {
    const own = await serverFor(t, { app: { watchlist: false } });
    const [watcher, friend] = await own.connectAll(2);
    await watcher.signin({ id: 'me', watchlist: ['friend'] });
    await friend.signin({ id: 'friend' });
    const channel = fresh();
    await watcher.subscribe(channel);
    await watcher.fence(channel);
    assert.ok(!watcher.messages.items.some(({ event }) => event === NAME));
  });

  test('P-059 a watchlist of 101 ids: success, error 4302, and the first hundred count', async () => {
    const [me, within, beyond] = people(3);
    const filler = people(99);
    const socket = await server.connect();
    await socket.signin({ id: me, watchlist: [...filler, within, beyond] });
    const { code, message } = await socket.error();
    assert.equal(code, 4302);
    assert.match(message, /100/);
    const { offline } = await news(socket);
    assert.equal(offline.length, 100);
    assert.ok(offline.includes(within) && !offline.includes(beyond));
    await signedIn(beyond);
    await signedIn(within);
    assert.deepEqual(await news(socket), { online: [within] });
  });

  test('P-059 a watchlist of exactly 100 is no mistake, and repeated ids are told once', async () => {
    const [me, friend] = people(2);
    const socket = await signedIn(me, [friend, friend, ...people(98)]);
    const { offline } = await news(socket);
    assert.equal(offline.filter((id) => id === friend).length, 1);
    await socket.alive();
    assert.deepEqual(socket.messages.items, []);
  });
});
