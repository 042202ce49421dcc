// SPDX-License-Identifier: MIT OR Apache-2.0
// The open games, and the way from a link to its game.
'use strict';

const gamesChannel = pusher.subscribe('private-GAMES');
gamesChannel.bind('GAMES', (data) => updateGamesList(data));
sayIfRefused(gamesChannel);

function updateGamesList(games) {
  redraw(document.querySelector('#games'), 'gameId', games, (row, { id, host, players }) => {
    row.querySelector('a').href = `/lobby/${id}`;
    say(row.querySelector('.avatar'), host[0]);
    say(row.querySelector('.name'), host);
    say(row.querySelector('.count'), players);
  });
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

document.querySelector('#join-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const [id] = event.target.link.value.match(UUID) ?? [];
  say(document.querySelector('#join-error'), id ? '' : 'This does not look like a link to a table.');
  if (id) location.assign(`/lobby/${id.toLowerCase()}`);
});
