// SPDX-License-Identifier: MIT OR Apache-2.0
// Who sits at the table. Whatever happens, joining, leaving, being removed, getting ready, a new
// host, comes as one list, and the page draws what the list says.
'use strict';

const SEATS = 6;
const SEATED_ELSEWHERE = 'You took a seat here in another window.';
const REMOVED = 'You are not at this table any more. The host may have removed you.';
const LEFT = 'You have left this table.';

const joined = document.body.dataset.joined === 'true';
const playersList = document.querySelector('#players');
const lobbyError = document.querySelector('#error');
let leaving = false; // this page asked to leave

const lobbyChannel = pusher.subscribe(`LOBBY_${roomId}`);
lobbyChannel.bind('PLAYER_JOIN', (data) => updatePlayersList(data));

function updatePlayersList(players) {
  const me = players.find((player) => player.id === userId);
  redraw(playersList, 'userId', players, (player) => player.id, (row, player) => {
    const { id, username, ready, host } = player;
    Object.assign(row.dataset, { ready, host, me: id === userId });
    drawAvatar(row, player);
    say(row.querySelector('.name'), username);
    say(row.querySelector('.ready'), ready ? 'Ready' : 'Not ready');
    const remove = row.querySelector('.remove');
    remove.hidden = !me?.host || id === userId;
    remove.user_id.value = id;
    remove.querySelector('button').title = `Remove ${username}`;
    remove.querySelector('button').ariaLabel = `Remove ${username}`;
  });
  say(document.querySelector('#count'), players.length);
  say(lobbyError, ''); // what was refused was refused to the table as it was
  if (joined) updateMine(me, players);
  else updateJoin(me, players);
  updateOnline();
}
forgetOnReturn(lobbyError);

// A seat is offered while there is one and the cards are not dealt; whoever has it in another window
// just comes in. The form is not there at all for whom the host has removed.
function updateJoin(me, players) {
  const join = document.querySelector('#join');
  if (!join) return;
  const begun = !me && players.some((player) => player.playing);
  const full = !me && !begun && players.length >= SEATS;
  join.hidden = begun || full;
  document.querySelector('#begun').hidden = !begun;
  document.querySelector('#full').hidden = !full;
  say(join.querySelector('button'), me ? 'Sit down here, too' : 'Take a seat');
  say(document.querySelector('#gone'), me ? SEATED_ELSEWHERE : '');
  document.querySelector('#elsewhere').hidden = !begun && !full;
}

// What I may do. Nothing here is decided by the page: the server answers 403 and 409 all the same.
function updateMine(me, players) {
  document.querySelector('#mine').hidden = !me;
  document.querySelector('.chat').hidden = !me;
  say(document.querySelector('#gone'), me ? '' : leaving ? LEFT : REMOVED);
  document.querySelector('#elsewhere').hidden = Boolean(me);
  if (!me) return;
  document.querySelector('#ready').value = !me.ready;
  const button = document.querySelector('#ready-button');
  say(button, me.ready ? 'Wait, I am not ready' : 'I am ready');
  button.classList.toggle('primary', !me.ready);
  const start = document.querySelector('#start');
  start.hidden = !me.host;
  const all = players.length > 1 && players.every((player) => player.ready || player.host);
  start.querySelector('button').classList.toggle('primary', all);
  say(document.querySelector('#hint'), hintFor(me, players));
}

// The host says by dealing that they are ready.
function hintFor(me, players) {
  const isWaitedFor = (player) => !player.ready && !player.host && player.id !== userId;
  const waiting = players.filter(isWaitedFor).map((player) => player.username);
  const names = new Intl.ListFormat('en').format(waiting);
  if (players.length < 2) return 'It takes two to play. Send the link to a friend.';
  if (waiting.length > 0) return `Waiting for ${names} to be ready.`;
  if (me.host) return 'Everybody is ready: deal!';
  return me.ready ? 'Everybody is ready. The host deals the cards.' : 'The others wait for you.';
}

// Forms marked so are sent from here, and nothing is drawn on success: the list comes by itself.
document.addEventListener('submit', async (event) => {
  leaving ||= event.target.matches('[action$="/leave"]');
  if (!event.target.matches('[data-live]')) return;
  event.preventDefault();
  const { error } = await post(event.target.action, new FormData(event.target));
  say(lobbyError, error ?? '');
});

// Presence says who has the page open; only players may ask. The members are a state and not an
// event, so this reads right also when chat.js, which loads earlier, subscribed long ago.
const presence = joined && pusher.subscribe(`presence-LOBBY_${roomId}`);

function updateOnline() {
  if (!presence?.subscribed) return;
  for (const row of playersList.children) {
    const online = presence.members.get(row.dataset.userId) !== null;
    row.dataset.online = online;
    row.querySelector('.avatar').title = online ? 'Online' : 'Away';
    say(row.querySelector('.online'), online ? 'online' : 'away');
  }
}

if (joined) {
  presence.bind('pusher:subscription_succeeded', updateOnline);
  presence.bind('pusher:member_added', updateOnline);
  presence.bind('pusher:member_removed', updateOnline);
  updateOnline();

  const gameChannel = pusher.subscribe(`private-GAME_${roomId}`);
  const renderedMove = Number(document.body.dataset.move);
  gameChannel.bind('GAME_STATE', ({ status, move }) => {
    // The round before, as it was at its end, is old news: the server has rendered a lobby since.
    if (status !== 'lobby' && move > renderedMove) location.replace(`/game/${roomId}`);
  });

  // Without a clipboard, as on plain http, the link is selected, ready to be copied by hand.
  const copy = document.querySelector('#copy');
  copy.addEventListener('click', async () => {
    const link = document.querySelector('#link');
    getSelection().selectAllChildren(link);
    const copied = await navigator.clipboard?.writeText(link.href).then(() => true, () => false);
    copy.textContent = copied ? 'Copied' : 'Selected';
  });
  copy.addEventListener('blur', () => (copy.textContent = 'Copy'));
}
