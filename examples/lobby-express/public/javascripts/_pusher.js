// SPDX-License-Identifier: MIT OR Apache-2.0
// The connection of this page, and what the page says about it. It is loaded first: the scripts
// after it subscribe at once, before the connection stands. What is true comes with each
// subscription, however late that is, so no script waits, and none asks.
'use strict';

const { pusherKey, pusherHost, pusherPort, roomId } = document.body.dataset;
const userId = Number(document.body.dataset.userId);

const isSecure = location.protocol === 'https:';

const pusher = new Pusher(pusherKey, {
  cluster: 'oyez', // pusher-js wants one, although the host below decides
  wsHost: pusherHost || location.hostname,
  wsPort: pusherPort,
  wssPort: pusherPort,
  forceTLS: isSecure,
  enabledTransports: [isSecure ? 'wss' : 'ws'],
  pongTimeout: 10_000, // milliseconds in which Oyez answers, or the connection is taken for dead
  channelAuthorization: { endpoint: '/pusher/auth', transport: 'ajax' },
  userAuthentication: { customHandler: (question, done) => signIn(question, done) }, // see _user.js
});

const CONNECTION_WORDS = {
  initialized: 'Connecting …',
  connecting: 'Connecting …',
  connected: 'Connected',
  unavailable: 'Offline, trying again …',
  disconnected: 'Disconnected',
  failed: 'This browser cannot connect',
};

function showConnection(state) {
  const connection = document.querySelector('#connection');
  connection.dataset.state = state;
  connection.textContent = CONNECTION_WORDS[state];
}

pusher.connection.bind('state_change', ({ current }) => showConnection(current));
showConnection(pusher.connection.state);

// The library asks the web app once to be let into a channel. When that fails, because the app is
// just being restarted, say, the page tells so, and asks again: when the app has started, which Oyez
// hears from it, and when the network or somebody comes back to the page. 403 is an answer: the
// channel is not for us any more, and lobby.js says so.
function sayIfRefused(channel) {
  channel.bind('pusher:subscription_error', ({ status }) => {
    if (status !== 403) document.querySelector('#connection').textContent = 'Waiting for the server …';
  });
  channel.bind('pusher:subscription_succeeded', () => showConnection(pusher.connection.state));
}

function subscribeAgain() {
  for (const { name } of pusher.allChannels()) pusher.subscribe(name); // where it has, nothing happens
}

const appChannel = pusher.subscribe('APP');
appChannel.bind('APP_STARTED', subscribeAgain);
window.addEventListener('online', subscribeAgain);
document.addEventListener('visibilitychange', subscribeAgain);
