// SPDX-License-Identifier: MIT OR Apache-2.0
// Who sits at the table. Whatever happened, a join, a leave, somebody ready, another host, comes as
// one list, and the page draws what the list says.
'use strict';

const SEATS = 6;

const joined = document.body.dataset.joined === 'true';
const playersList = document.querySelector('#players');

let players; // as the last list said
let hasBegun = document.body.dataset.status === 'playing';

const lobbyChannel = pusher.subscribe(`LOBBY_${roomId}`);
lobbyChannel.bind('PLAYER_JOIN', (data) => updatePlayersList(data));

function updatePlayersList(data) {
  players = data;
  const me = players.find((player) => player.id === userId);
  redraw(playersList, 'userId', players, (row, player) => drawPlayer(row, player, me));
  say(document.querySelector('#count'), players.length);
  say(document.querySelector('#title'), players[0] ? `${players[0].username}’s game` : 'An empty game');
  say(document.querySelector('#error'), ''); // it was about the list before
  if (joined) updateMine(me);
  else updateSeat(me);
  updateOnline();
}

function drawPlayer(row, { id, username, ready, host }, me) {
  Object.assign(row.dataset, { ready, host, me: id === userId });
  const avatar = row.querySelector('.avatar');
  say(avatar, username[0]);
  avatar.dataset.hue = id % 6;
  say(row.querySelector('.name'), username);
  say(row.querySelector('.ready'), ready ? 'Ready' : 'Not ready');
  const remove = row.querySelector('.remove');
  remove.hidden = !me?.host || id === userId || hasBegun;
  remove.user_id.value = id;
  remove.querySelector('button').ariaLabel = `Remove ${username}`;
}

// What I may do. Nothing is decided here: the server refuses all the same.
function updateMine(me) {
  say(document.querySelector('#gone'), me ? '' : 'You do not sit at this table any more.');
  for (const selector of ['#mine', '.chat']) document.querySelector(selector).hidden = !me;
  say(document.querySelector('#begun'), me && hasBegun ? 'The game has begun.' : '');
  if (!me) return;
  document.querySelector('#before').hidden = hasBegun;
  document.querySelector('#ready').value = !me.ready;
  const button = document.querySelector('#ready-button');
  say(button, me.ready ? 'Wait, I am not ready' : 'I am ready');
  button.classList.toggle('primary', !me.ready);
  const start = document.querySelector('#start');
  start.hidden = !me.host;
  start.querySelector('button').classList.toggle('primary', isEverybodyReady());
  say(document.querySelector('#hint'), hintFor(me));
}

// What one may do who looks on: sit down, unless the host has removed them, the game has begun, or all
// seats are taken. What is said then the server has written, and the page shows the one that holds.
function updateSeat(me) {
  say(document.querySelector('#gone'), me ? 'You sit here in another window. Reload to sit here, too.' : '');
  const join = document.querySelector('#join');
  if (!join) return;
  const isFull = players.length >= SEATS;
  const isPlayed = players.some((player) => player.playing);
  join.hidden = Boolean(me) || isFull || isPlayed;
  document.querySelector('#started').hidden = Boolean(me) || !isPlayed;
  document.querySelector('#full').hidden = Boolean(me) || isPlayed || !isFull;
}

function isEverybodyReady() {
  return players.length > 1 && players.every((player) => player.ready || player.host);
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
    say(row.querySelector('.online'), online ? '' : 'away');
  }
}

if (joined) {
  const presenceChannel = pusher.subscribe(`presence-LOBBY_${roomId}`);
  for (const event of ['subscription_succeeded', 'member_added', 'member_removed']) {
    presenceChannel.bind(`pusher:${event}`, updateOnline);
  }
  sayIfRefused(presenceChannel);

  const gameChannel = pusher.subscribe(`private-GAME_${roomId}`);
  gameChannel.bind('GAME_STATE', ({ status }) => {
    hasBegun = status === 'playing';
    if (players) updatePlayersList(players);
  });
  sayIfRefused(gameChannel);

  // Without a clipboard, as on plain http, the link is selected, ready to be copied by hand.
  const copy = document.querySelector('#copy');
  copy.addEventListener('click', async () => {
    const link = document.querySelector('#link');
    getSelection().selectAllChildren(link);
    const copied = await navigator.clipboard?.writeText(link.href).then(() => true, () => false);
    say(copy, copied ? 'Copied' : 'Selected');
  });
  copy.addEventListener('blur', () => say(copy, 'Copy'));
}
