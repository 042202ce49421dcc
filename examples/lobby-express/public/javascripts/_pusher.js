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
  userAuthentication: { customHandler: signIn },
});

// Says whose connection this is. The library asks for that once with each connection; if the web app
// is away then, the page asks again when it asks for its channels again.
let signInAgain = () => {};

async function signIn({ socketId }, done) {
  signInAgain = () => {};
  const body = new URLSearchParams({ socket_id: socketId });
  const answer = await fetch('/pusher/user-auth', { method: 'POST', body }).catch(() => null);
  if (socketId !== pusher.connection.socket_id) return; // there is another connection by now
  if (answer?.ok) done(null, await answer.json());
  else signInAgain = () => signIn({ socketId }, done);
}

pusher.signin();

// When somebody is in a game no more the app ends all their connections, with 4009, after which the
// library stays away. But their other games are still theirs: so the page comes back at once, and is
// refused what is not. A page that is about to be left anyway, by its own form, does not.
const ENDED = 4009;

let wasEnded = false;
let isLeaving = false; // see _page.js

// Whoever was not signed in was not ended but refused, and would be again and again.
pusher.connection.bind('error', ({ error }) => {
  wasEnded = error?.data?.code === ENDED && pusher.user.user_data !== null;
});
pusher.connection.bind('disconnected', () => {
  if (wasEnded && !isLeaving) pusher.connect();
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
  signInAgain();
  for (const { name } of pusher.allChannels()) pusher.subscribe(name); // where it has, nothing happens
}

const appChannel = pusher.subscribe('APP');
appChannel.bind('APP_STARTED', subscribeAgain);
window.addEventListener('online', subscribeAgain);
document.addEventListener('visibilitychange', subscribeAgain);
