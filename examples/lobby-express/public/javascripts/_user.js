// SPDX-License-Identifier: MIT OR Apache-2.0
// Whose connection this is, which the app must know to end it. The library asks for that once with
// each connection; if the web app is away then, the page asks again when it asks for its channels
// again.
'use strict';

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
appChannel.bind('APP_STARTED', () => signInAgain());
window.addEventListener('online', () => signInAgain());
document.addEventListener('visibilitychange', () => signInAgain());

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
