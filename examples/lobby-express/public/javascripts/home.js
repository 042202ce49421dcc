// SPDX-License-Identifier: MIT OR Apache-2.0
// The open games, and the way from a link to its game.
'use strict';

const gamesList = document.querySelector('#games');

const gamesChannel = pusher.subscribe('private-GAMES');
gamesChannel.bind('GAMES', (data) => updateGamesList(data));
gamesChannel.bind('pusher:subscription_error', showRefused);

function updateGamesList(games) {
  gamesList.replaceChildren(...games.map(gameRow));
}

function gameRow({ id, host, players }) {
  const row = document.querySelector('#games-row').content.firstElementChild.cloneNode(true);
  row.dataset.gameId = id;
  row.querySelector('a').href = `/lobby/${id}`;
  row.querySelector('.avatar').textContent = host[0];
  row.querySelector('.name').textContent = host;
  row.querySelector('.count').textContent = players;
  return row;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

document.querySelector('#join-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const [id] = event.target.link.value.match(UUID) ?? [];
  document.querySelector('#join-error').textContent = id ? '' : 'This does not look like a link to a table.';
  if (id) location.assign(`/lobby/${id.toLowerCase()}`);
});
