// SPDX-License-Identifier: MIT OR Apache-2.0
// The official `pusher-js` in Node, pointed at a server under test, with promises around it.
import PusherModule from 'pusher-js';
import { Inbox } from './inbox.js';

export const PusherJs = PusherModule.default ?? PusherModule;

/** Options that point any build of `pusher-js` at a server, with a backend for authorisation. */
export function options(server, backend) {
  return {
    wsHost: '127.0.0.1', wsPort: server.port, wsPath: server.prefix, cluster: '',
    forceTLS: false, enabledTransports: ['ws'],
    ...(backend && {
      channelAuthorization: { endpoint: `${backend.url}/auth`, transport: 'ajax' },
      userAuthentication: { endpoint: `${backend.url}/user-auth`, transport: 'ajax' },
    }),
  };
}

/** A client for one test, not yet connected for sure; `states` records every state it went through. */
export function clientFor(t, server, { backend, key = server.app.key, ...more } = {}) {
  const client = new PusherJs(key, { ...options(server, backend), ...more });
  client.states = new Inbox('connection states');
  client.errors = new Inbox('connection errors');
  client.connection.bind('state_change', ({ current }) => client.states.push(current));
  client.connection.bind('error', (error) => client.errors.push(error));
  t.after(() => client.disconnect());
  return client;
}

/** The same, once it is connected. */
export async function connectedFor(t, server, more) {
  const client = clientFor(t, server, more);
  await client.states.take((state) => state === 'connected', 'connected');
  return client;
}

/** Everything that an emitter (channel, user, watchlist) emits, as `{name, data}`. */
export function recorded(emitter, what) {
  const inbox = new Inbox(what);
  emitter.bind_global((name, data) => inbox.push({ name, data }));
  inbox.event = (name, deadline) => inbox.take((event) => event.name === name, name, deadline);
  return inbox;
}

/** Subscribes and waits for the answer; resolves to the channel with its `events`. */
export async function subscribed(client, name) {
  const channel = client.subscribe(name);
  channel.events = recorded(channel, name);
  channel.first = (await channel.events.event('pusher:subscription_succeeded')).data;
  return channel;
}
