// SPDX-License-Identifier: MIT OR Apache-2.0
// Binding, subscribing, authorising: what pages do, where the answer must be made by hand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { Pusher, clientFor, heardOn, peerFor } from './support/peer.js';
import { source } from './support/source.js';

const { Emitter } = await source('emitter');

test('bind, unbind, global handlers, contexts', () => {
  const emitter = new Emitter();
  const seen = [];
  const one = function (data, meta) { seen.push(['one', this?.name, data, meta]); };
  const two = () => seen.push(['two']);
  const all = (event, data) => seen.push([event, data]);
  const context = { name: 'context' };
  assert.equal(emitter.bind('e', one, context).bind('e', two).bind('constructor', two).bind_global(all), emitter);
  emitter.emit('e', 1, { user_id: 'u' });
  assert.deepEqual(seen.splice(0), [['e', 1], ['one', 'context', 1, { user_id: 'u' }], ['two']]);
  emitter.unbind('e', one, {}).emit('e', 2);
  assert.equal(seen.splice(0).length, 3, 'another context unbinds nothing');
  emitter.unbind(null, null, context).emit('e');
  assert.deepEqual(seen.splice(0), [['e', undefined], ['two']]);
  emitter.unbind_global(all).unbind('e').emit('e').emit('constructor');
  assert.deepEqual(seen.splice(0), [['two']]);
  emitter.bind('e', () => emitter.bind('e', two)).emit('e');
  assert.deepEqual(seen, [], 'bound during an event: not called for it');
  emitter.unbind_all().emit('e').emit('constructor');
  assert.deepEqual(seen, []);
});

/** A backend that answers each call as told; `calls` has method, headers and form. */
async function backendFor(t, answer) {
  const calls = [];
  const server = http.createServer(async (call, reply) => {
    const parts = [];
    for await (const part of call) parts.push(part);
    calls.push({ path: call.url, method: call.method, headers: call.headers, form: Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString())) });
    const { status = 200, text } = answer(calls.at(-1));
    reply.writeHead(status).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, calls };
}

test('the authorisation call carries params and headers, static and dynamic', async (t) => {
  const peer = await peerFor(t);
  const backend = await backendFor(t, () => ({ text: '{"auth":"key:sig"}' }));
  const more = { params: { a: '1 &' }, headers: { 'x-a': '1' } };
  const forms = [
    { channelAuthorization: { endpoint: `${backend.url}/auth`, transport: 'ajax', ...more, paramsProvider: () => ({ b: 2 }), headersProvider: () => ({ 'x-b': '2' }) } },
    { authEndpoint: `${backend.url}/auth`, auth: more },
  ];
  for (const options of forms) {
    clientFor(t, peer, options).subscribe('private-x');
    const link = await peer.next();
    assert.equal((await link.heard('pusher:subscribe')).auth, 'key:sig');
    const { form, headers, method, path } = backend.calls.pop();
    assert.equal(method + path, 'POST/auth');
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
    assert.deepEqual([form.socket_id, form.channel_name, form.a, headers['x-a']], [link.id, 'private-x', '1 &', '1']);
    if (options.channelAuthorization) assert.deepEqual([form.b, headers['x-b']], ['2', '2']);
  }
  assert.throws(() => clientFor(t, peer, { authTransport: 'jsonp' }), /jsonp/);
});

test('what a backend answers wrongly reaches subscription_error, with the status', async (t) => {
  const peer = await peerFor(t);
  const answers = [{ status: 403, text: 'no' }, { status: 500, text: '' }, { text: 'not json' }, { text: '[]' }];
  const backend = await backendFor(t, () => answers[0]);
  const client = clientFor(t, peer, { authEndpoint: backend.url });
  while (answers.length) {
    const channel = client.subscribe(`private-${answers.length}`);
    const error = await new Promise((resolve) => channel.bind('pusher:subscription_error', resolve));
    assert.equal(error.type, 'AuthError');
    assert.equal(error.status, answers[0].status ?? 200);
    assert.ok(!channel.subscriptionPending);
    answers.shift();
  }
});

test('handlers of the page\'s own, in the new form and the old', async (t) => {
  const peer = await peerFor(t);
  const customHandler = ({ channelName }, callback) => (channelName === 'private-no' ? callback(new Error('never'), null) : callback(null, { auth: 'new' }));
  const client = clientFor(t, peer, { channelAuthorization: { customHandler } });
  const link = await peer.next();
  client.subscribe('private-x');
  assert.equal((await link.heard('pusher:subscribe')).auth, 'new');
  const refused = heardOn(client.channel('private-no') ?? client.subscribe('private-no'));
  client.subscribe('private-no');
  assert.deepEqual(refused.at(-1), ['pusher:subscription_error', { type: 'AuthError', error: 'never' }]);
  const authorizer = (channel) => ({ authorize: (socketId, callback) => callback(null, { auth: `${channel.name} ${socketId}` }) });
  clientFor(t, peer, { authorizer }).subscribe('private-y');
  const second = await peer.next();
  assert.equal((await second.heard('pusher:subscribe')).auth, `private-y ${second.id}`);
});

test('an authorisation for a socket that is gone is not used', async (t) => {
  const peer = await peerFor(t);
  const asked = [];
  const client = clientFor(t, peer, { channelAuthorization: { customHandler: ({ socketId }, callback) => asked.push({ socketId, callback }) } });
  client.subscribe('private-x');
  await (await peer.next()).die();
  const link = await peer.next();
  await link.fence();
  assert.equal(asked.length, 2);
  for (const { socketId, callback } of asked) callback(null, { auth: socketId });
  await link.fence();
  assert.deepEqual(link.received.items.map(({ data }) => data.auth), [link.id]);
});

test('cancelling and taking up again while the answer is under way', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  const link = await peer.next();
  const channel = client.subscribe('room');
  await link.fence();
  client.unsubscribe('room');
  assert.equal(client.subscribe('room'), channel);
  await link.answer({ offset: 0 });
  await link.fence();
  assert.ok(channel.subscribed);
  client.unsubscribe('room');
  assert.equal(client.channel('room'), undefined);
  await link.heard('pusher:unsubscribe');
  client.subscribe('other');
  client.unsubscribe('other');
  await link.answer({ offset: 0 });
  await link.heard('pusher:unsubscribe');
  assert.deepEqual(client.allChannels(), []);
});

test('encrypted channels without tweetnacl: an error that says what to use', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  await peer.next();
  const channel = client.subscribe('private-encrypted-x');
  const error = await new Promise((resolve) => channel.bind('pusher:subscription_error', resolve));
  assert.match(error.error, /options\.nacl.*pusher-js\/with-encryption/);
});

test('subscription counts, client events, names', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer);
  const channel = client.subscribe('room');
  const heard = heardOn(channel);
  const link = await peer.next();
  await link.answer();
  link.send('pusher_internal:subscription_count', { subscription_count: 3 }, { channel: 'room' });
  await link.fence();
  assert.deepEqual([channel.subscriptionCount, channel.subscription_count], [3, 3]);
  assert.deepEqual(heard.at(-1), ['pusher:subscription_count', { subscription_count: 3 }]);
  assert.equal(channel.trigger('client-e', { a: 1 }), true);
  assert.deepEqual(await link.heard('client-e'), { a: 1 });
  assert.throws(() => channel.trigger('e', 1), /client-/);
  assert.throws(() => client.subscribe('#server-to-user-1'), /name/);
  assert.equal(client.channel('toString'), undefined);
  assert.equal(Pusher.VERSION.split('.').length, 3);
});
