// SPDX-License-Identifier: MIT OR Apache-2.0
// The table of Crazy Eights. Two truths say everything: what all may see (GAME_STATE) and what only
// I may see (HAND). The page draws them and sends moves; it decides nothing and remembers nothing.
'use strict';

const table = document.querySelector('#table');
const hand = document.querySelector('#hand');
const suits = document.querySelector('#suits');
const gameError = document.querySelector('#error');

const LANDING = [{ translate: '0 -1.2rem', rotate: '-8deg', opacity: 0.3 }, {}];
const calm = matchMedia('(prefers-reduced-motion: reduce)');

const renderedMove = Number(document.body.dataset.move);

let game = null; // GAME_STATE as last heard
let mine = null; // HAND as last heard
let sending = false; // a move of mine is on its way
let focused = null; // the button that sent it, which loses the focus while it is disabled
let cardsBefore = null; // the hand before its last change, to show what was drawn
let errorUntil = Infinity; // the last move of which the error is true
let seenUpTo = 0; // the server has answered with this move, so older truths are on their way out

const gameChannel = pusher.subscribe(`private-GAME_${roomId}`);
gameChannel.bind('GAME_STATE', (data) => {
  game = data;
  // A lobby of before the first deal is old news: the server would not have rendered this page.
  if (game.status === 'lobby' && game.move >= renderedMove) location.replace(`/lobby/${roomId}`);
  if (game.move > errorUntil) sayError('', Infinity);
  update();
});
// With a new subscription the server's word counts, also if a crash took a move with it.
gameChannel.bind('pusher:subscription_succeeded', () => (seenUpTo = 0));

const handChannel = pusher.subscribe(`private-HAND_${roomId}_${userId}`);
handChannel.bind('HAND', (data) => {
  if (String(mine?.cards) !== String(data.cards)) cardsBefore = mine?.cards ?? data.cards;
  mine = data;
  update();
});

for (const channel of [gameChannel, handChannel]) {
  sayIfRefused(channel, gameError, 'The table cannot be seen right now. Reload to try again.');
}
forgetOnReturn(gameError);

// The two truths travel apart, so for a moment one may be ahead. Moves are possible when they are of
// one move, and of the newest that this page knows of.
function mayMove() {
  return !sending && game?.status === 'playing' && game.move === mine?.move && game.move >= seenUpTo;
}

function update() {
  if (!game) return;
  Object.assign(table.dataset, { status: game.status, move: game.move, turn: game.turn ?? '' });
  table.classList.toggle('my-turn', game.turn === userId);
  drawSeats();
  drawPile();
  drawHand();
  drawMoves();
  say(document.querySelector('#announcement .last'), lastMove());
  say(document.querySelector('#announcement .now'), game.status === 'finished' ? result() : whoseTurn());
  if (!mayMove() && suits.open && !sending) suits.close();
}

function nameOf(id) {
  return game.players.find((player) => player.id === id)?.username ?? 'somebody';
}

function inPoints(number) {
  return number === 1 ? '1 point' : `${number} points`;
}

function drawSeats() {
  redraw(document.querySelector('#seats'), 'userId', game.players, (player) => player.id, (row, player) => {
    const { id, username, cards, points, away, left, called } = player;
    const onTurn = game.status === 'playing' && game.turn === id;
    const winner = game.winner === id;
    Object.assign(row.dataset, { cards, away, left, called, winner, turn: onTurn, me: id === userId });
    drawAvatar(row, player);
    row.ariaCurrent = String(onTurn);
    say(row.querySelector('.name'), id === userId ? 'You' : username);
    row.querySelector('.name').title = username;
    row.querySelector('.backs').style.setProperty('--cards', Math.min(cards, 6));
    say(row.querySelector('.count'), cards);
    say(row.querySelector('.points'), points > 0 ? inPoints(points) : '');
    say(row.querySelector('.state'), stateOf(player, onTurn));
  });
}

function stateOf({ id, away, left, called, cards }, onTurn) {
  if (game.winner === id) return 'Winner';
  if (left) return 'Has left';
  if (away) return 'Away';
  if (called && cards === 1) return 'Last card!';
  if (game.catchable === id) return 'No call!';
  return onTurn ? 'On turn' : '';
}

function drawPile() {
  const top = document.querySelector('#top');
  const suit = game.suit ?? game.top?.[1] ?? '';
  Object.assign(top.dataset, { card: game.top ?? '', suit });
  top.classList.toggle('none', !game.top);
  const landed = game.top && drawCard(top, game.top);
  if (landed && !calm.matches) top.animate(LANDING, { duration: 250, easing: 'ease-out' });

  const follow = document.querySelector('#follow');
  follow.dataset.colour = 'HD'.includes(suit) ? 'red' : 'black';
  follow.dataset.chosen = Boolean(game.top) && suit !== game.top[1];
  say(follow.querySelector('.sign'), SUIT_SIGNS[suit] ?? '');
  say(follow.querySelector('.words'), suit && `${SUIT_NAMES[suit]} to follow`);

  const draw = document.querySelector('#draw');
  draw.dataset.stock = game.stock;
  say(draw.querySelector('.label'), `Draw (${game.stock} left)`);
}

function drawHand() {
  if (!mine) return;
  hand.dataset.move = mine.move;
  hand.style.setProperty('--cards', mine.cards.length);
  redraw(hand, 'card', inOrder(mine.cards), (card) => card, (button, card) => {
    drawCard(button, card);
    button.disabled = !(mayMove() && mine.playable.includes(card));
    button.dataset.drawn = !cardsBefore.includes(card);
  });
}

function drawMoves() {
  const { catchable } = game;
  const canCatch = catchable !== null && catchable !== userId;
  const can = { draw: mine?.may_draw, pass: mine?.may_pass, call: mine?.may_call, catch: canCatch };
  for (const [move, possible] of Object.entries(can)) {
    document.querySelector(`#${move}`).disabled = !(mayMove() && possible);
  }
  say(document.querySelector('#catch .whom'), canCatch ? nameOf(catchable) : '');
  document.querySelector('#again').disabled = sending;
  if (focused && !focused.disabled && document.activeElement === document.body) focused.focus();
}

function lastMove() {
  if (!game.last) return '';
  const { player, action, card, suit, other } = game.last;
  const who = player === userId ? 'You' : nameOf(player);
  const whom = other === userId ? 'you' : nameOf(other);
  const chosen = card?.[0] === '8' && suit ? ` and chose ${SUIT_NAMES[suit]}` : '';
  switch (action) {
    case 'deal': return 'The cards are dealt.';
    case 'play': return `${who} played the ${cardName(card)}${chosen}.`;
    case 'win': return card ? `${who} played the ${cardName(card)}.` : '';
    case 'draw': return `${who} drew a card.`;
    case 'pass': return `${who} passed.`;
    case 'call': return `${who} called: last card!`;
    case 'catch': return `${who} caught ${whom} without a call: two cards.`;
    case 'skip': return player === userId ? 'You were away and were skipped.' : `${who} is away and was skipped.`;
    case 'leave': return `${who} left the game.`;
    default: return '';
  }
}

function whoseTurn() {
  if (game.status === 'lobby') return 'This game has not begun yet.';
  if (game.turn !== userId) return `It is ${nameOf(game.turn)}’s turn.`;
  if (mine?.move !== game.move) return 'Your turn.';
  const { may_draw, may_pass, playable } = mine;
  if (playable.length === 0) return `Your turn: nothing fits, ${may_draw ? 'draw a card' : 'you have to pass'}.`;
  if (may_draw) return 'Your turn: play a card, or draw.';
  return may_pass ? 'Your turn: play a card, or pass.' : 'Your turn: play a card.';
}

function result() {
  const { winner, won } = game;
  if (winner === null) return 'Nobody can move and the points are level: nobody wins.';
  const points = won > 0 ? ` ${inPoints(won)}` : '';
  return winner === userId ? `You win${points}!` : `${nameOf(winner)} wins${points}!`;
}

// Every move names the move that this page saw. Of two at the same moment the server takes one and
// answers 409 to the other, and what happened in truth comes by itself.
async function send(action, fields = {}) {
  if (sending) return;
  sending = true;
  sayError('', Infinity);
  focused = hand.contains(document.activeElement) ? hand : document.activeElement;
  update();
  const seen = game.move;
  const { error, status, move } = await post(`/game/${roomId}/${action}`, { ...fields, move: seen });
  sending = false;
  // That the game moved on is said of the move after the one that was seen.
  if (status === 409) sayError('The game has moved on. This is how it stands now.', Math.max(seen + 1, game.move));
  else if (error) sayError(error, seen);
  else if (move) seenUpTo = Math.max(seenUpTo, move);
  update();
}

function sayError(text, until) {
  errorUntil = until;
  say(gameError, text);
}

function play(card, suit) {
  send('play', suit ? { card, suit } : { card });
}

hand.addEventListener('click', (event) => {
  const card = event.target.closest('button')?.dataset.card;
  if (!card) return;
  if (card[0] !== '8') return play(card);
  suits.dataset.card = card;
  suits.showModal();
});
suits.addEventListener('click', (event) => {
  const suit = event.target.closest('button')?.dataset.suit;
  if (!suit) return;
  suits.close();
  play(suits.dataset.card, suit);
});
for (const action of ['draw', 'pass', 'call', 'catch', 'again']) {
  document.querySelector(`#${action}`).addEventListener('click', () => send(action));
}
