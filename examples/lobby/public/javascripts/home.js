// SPDX-License-Identifier: MIT OR Apache-2.0
// The open tables, live, and the way from a link to its table.
'use strict';

const gamesChannel = pusher.subscribe('private-GAMES');
gamesChannel.bind('GAMES', (data) => updateGamesList(data));
const gamesError = document.querySelector('#error');
sayIfRefused(gamesChannel, gamesError, 'The open tables cannot be seen right now. Reload to try again.');
forgetOnReturn(gamesError);

function updateGamesList(games) {
  redraw(document.querySelector('#games'), 'gameId', games, (game) => game.id, (row, game) => {
    drawAvatar(row, { id: 0, username: game.host });
    row.querySelector('a').href = `/lobby/${game.id}`;
    say(row.querySelector('.name'), game.host);
    say(row.querySelector('.count'), game.players);
  });
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

document.querySelector('#join-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = event.target.link.value.match(UUID)?.[0];
  say(document.querySelector('#join-error'), id ? '' : 'This does not look like a link to a table.');
  if (id) location.assign(`/lobby/${id.toLowerCase()}`);
});
