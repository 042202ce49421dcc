// SPDX-License-Identifier: MIT OR Apache-2.0
// The connection of this page, and what the page says about it. Loaded first: the scripts after it
// subscribe at once, before the connection stands, and each binds in the same breath. What the
// server knows then comes with the subscription, however late that is, so no script waits or asks.
'use strict';

const { pusherKey, roomId } = document.body.dataset;
const userId = Number(document.body.dataset.userId);

const pusher = new Pusher(pusherKey, {
  cluster: '', // pusher-js wants to hear of one, although the host below decides
  wsHost: location.hostname,
  wsPort: location.port || 80,
  wssPort: location.port || 443,
  forceTLS: location.protocol === 'https:',
  enabledTransports: ['ws', 'wss'],
  channelAuthorization: { endpoint: '/pusher/auth' },
});

const CONNECTION_WORDS = {
  initialized: 'Connecting …',
  connecting: 'Connecting …',
  connected: 'Connected',
  unavailable: 'Offline, trying again …',
  disconnected: 'Disconnected',
  failed: 'This browser cannot connect',
};

// A browser that lost its network knows before the connection does, which would notice by silence.
function showConnection(state = pusher.connection.state) {
  const element = document.querySelector('#connection');
  element.dataset.state = state;
  element.textContent = CONNECTION_WORDS[state];
}

pusher.connection.bind('state_change', ({ current }) => showConnection(current));
window.addEventListener('offline', () => showConnection('unavailable'));
window.addEventListener('online', () => showConnection());
showConnection();
