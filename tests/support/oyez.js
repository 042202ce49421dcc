// SPDX-License-Identifier: MIT OR Apache-2.0
// Our own client in Node, pointed at a server (or at a wire in front of it), with promises around it.
import Oyez from '../oyez-js/library.js';
import { Inbox } from './inbox.js';
import { options, recorded } from './official.js';

/** A client for one test; it comes back fast, so that tests need not wait. */
export function oyezFor(t, server, { port = server.port, backend, ...more } = {}) {
  const client = new Oyez(server.app.key, {
    ...options(server, backend), wsPort: port, backoff: { base: 20, cap: 50 }, ...more,
  });
  client.states = new Inbox('connection states');
  client.connection.bind('state_change', ({ current }) => client.states.push(current));
  t.after(() => client.disconnect());
  return client;
}

/** A channel of it, with all it is told in `events`; resolves once it is subscribed. */
export async function joined(client, name) {
  const channel = client.subscribe(name);
  channel.events = recorded(channel, name);
  channel.first = (await channel.events.event('pusher:subscription_succeeded')).data;
  return channel;
}
