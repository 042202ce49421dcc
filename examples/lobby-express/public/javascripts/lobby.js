// SPDX-License-Identifier: MIT OR Apache-2.0
// Who sits at the table. Whatever happened, a join, a leave, somebody ready, another host, comes as
// one list, and the page draws what the list says. The forms are ordinary forms.
'use strict';

const joined = document.body.dataset.joined === 'true';
const playersList = document.querySelector('#players');

let players; // as the last list said
let hasBegun = false;

const lobbyChannel = pusher.subscribe(`LOBBY_${roomId}`);
lobbyChannel.bind('PLAYER_JOIN', (data) => updatePlayersList(data));

function updatePlayersList(data) {
  players = data;
  const me = players.find((player) => player.id === userId);
  playersList.replaceChildren(...players.map((player) => playerRow(player, me)));
  document.querySelector('#count').textContent = players.length;
  document.querySelector('#title').textContent = players[0] ? `${players[0].username}’s game` : 'An empty game';
  if (joined) updateMine(me);
  else document.querySelector('#gone').textContent = me ? 'You sit here in another window. Reload to sit here, too.' : '';
  updateOnline();
}

function playerRow({ id, username, ready, host }, me) {
  const row = document.querySelector('#players-row').content.firstElementChild.cloneNode(true);
  Object.assign(row.dataset, { userId: id, ready, host, me: id === userId, online: '' });
  row.querySelector('.avatar').textContent = username[0];
  row.querySelector('.avatar').dataset.hue = id % 6;
  row.querySelector('.name').textContent = username;
  row.querySelector('.ready').textContent = ready ? 'Ready' : 'Not ready';
  const remove = row.querySelector('.remove');
  remove.hidden = !me?.host || id === userId || hasBegun;
  remove.user_id.value = id;
  remove.querySelector('button').ariaLabel = `Remove ${username}`;
  return row;
}

// What I may do. Nothing is decided here: the server refuses all the same.
function updateMine(me) {
  document.querySelector('#gone').textContent = me ? '' : 'You do not sit at this table any more.';
  for (const selector of ['#mine', '.chat']) document.querySelector(selector).hidden = !me;
  document.querySelector('#begun').textContent = me && hasBegun ? 'The game has begun.' : '';
  if (!me) return;
  document.querySelector('#before').hidden = hasBegun;
  document.querySelector('#ready').value = !me.ready;
  const button = document.querySelector('#ready-button');
  button.textContent = me.ready ? 'Wait, I am not ready' : 'I am ready';
  button.classList.toggle('primary', !me.ready);
  document.querySelector('#start').hidden = !me.host;
  document.querySelector('#hint').textContent = hintFor(me);
}

function hintFor(me) {
  const waiting = players.filter((player) => !player.ready && !player.host);
  if (players.length < 2) return 'It takes two to play. Send the link to a friend.';
  if (waiting.length > 0) return `Waiting for ${waiting.map((player) => player.username).join(', ')} to be ready.`;
  return me.host ? 'Everybody is ready: start!' : 'Everybody is ready. The host starts the game.';
}

function updateOnline() {
  const { members, subscribed } = pusher.channel(`presence-LOBBY_${roomId}`) ?? {};
  if (!subscribed) return;
  for (const row of playersList.children) {
    const online = members.get(row.dataset.userId) !== null;
    row.dataset.online = online;
    row.querySelector('.online').textContent = online ? '' : 'away';
  }
}

if (joined) {
  const presenceChannel = pusher.subscribe(`presence-LOBBY_${roomId}`);
  for (const event of ['subscription_succeeded', 'member_added', 'member_removed']) {
    presenceChannel.bind(`pusher:${event}`, updateOnline);
  }
  presenceChannel.bind('pusher:subscription_error', showRefused);

  const gameChannel = pusher.subscribe(`private-GAME_${roomId}`);
  gameChannel.bind('GAME_STATE', ({ status }) => {
    hasBegun = status === 'playing';
    if (players) updatePlayersList(players);
  });
  gameChannel.bind('pusher:subscription_error', showRefused);
}
