// SPDX-License-Identifier: MIT OR Apache-2.0
// Encrypted channels of our own client against a real server: order while a new key is fetched.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendFor } from '../support/backend.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';
import './switch.js';

const { connectedFor, recorded, subscribed } = await import('../support/official.js');
const server = await useServer({});
const master = (byte) => ({ encryptionMasterKeyBase64: Buffer.alloc(32, byte).toString('base64') });

test('P-051 events that come while the new key is fetched keep their order', async (t) => {
  const backend = await backendFor(t, server.library(master(1)));
  const channel = await subscribed(await connectedFor(t, server, { backend }), fresh('private-encrypted-'));
  const library = server.library(master(2));
  backend.library = library;
  for (let n = 1; n <= 20; n++) await library.trigger(channel.name, 'secret', { n });
  await channel.events.until((items) => items.length >= 20, '20 events');
  assert.deepEqual(channel.events.items.map(({ data }) => data.n), Array.from({ length: 20 }, (_, n) => n + 1));
  assert.equal(backend.calls.length, 2);
});

test('P-051 an event that no key opens is told as a gap, and the next is shown', async (t) => {
  const backend = await backendFor(t, server.library(master(1)));
  const channel = await subscribed(await connectedFor(t, server, { backend }), fresh('private-encrypted-'));
  await server.library(master(3)).trigger(channel.name, 'secret', 'for somebody else');
  await backend.library.trigger(channel.name, 'secret', 'for you');
  assert.equal((await channel.events.event('oyez:gap')).data.reason, 'undecryptable');
  assert.equal((await channel.events.event('secret')).data, 'for you');
});

test('P-051 without tweetnacl the page is told what to use', async (t) => {
  const backend = await backendFor(t, server.library(master(1)));
  const client = await connectedFor(t, server, { backend, nacl: undefined });
  const events = recorded(client.subscribe(fresh('private-encrypted-')), 'encrypted');
  assert.match((await events.event('pusher:subscription_error')).data.error, /with-encryption/);
});
