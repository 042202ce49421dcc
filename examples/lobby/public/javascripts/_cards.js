// SPDX-License-Identifier: MIT OR Apache-2.0
// What a card is called and how it looks. A card is two letters, rank and suit: "TH" is the ten of
// hearts. A card is drawn from text alone; the stylesheet puts the pips where they belong.
'use strict';

const RANKS = 'A23456789TJQK';
const SUITS = 'SHCD'; // black and red by turns, as a hand is held
const SUIT_NAMES = { S: 'spades', H: 'hearts', C: 'clubs', D: 'diamonds' };
// The second character asks for text, since a heart might else be an emoji.
const SUIT_SIGNS = { S: '♠\uFE0E', H: '♥\uFE0E', C: '♣\uFE0E', D: '♦\uFE0E' };
const RANK_NAMES = {
  A: 'ace', 2: 'two', 3: 'three', 4: 'four', 5: 'five', 6: 'six', 7: 'seven', 8: 'eight', 9: 'nine',
  T: 'ten', J: 'jack', Q: 'queen', K: 'king',
};
const COURT_SIGNS = { J: '♞\uFE0E', Q: '♛\uFE0E', K: '♚\uFE0E' };
// How many pips stand in the left, the middle and the right column.
const PIPS = {
  A: [0, 1, 0], 2: [0, 2, 0], 3: [0, 3, 0], 4: [2, 0, 2], 5: [2, 1, 2],
  6: [3, 0, 3], 7: [3, 1, 3], 8: [3, 2, 3], 9: [4, 1, 4], T: [4, 2, 4],
};

function cardName([rank, suit]) {
  return `${RANK_NAMES[rank]} of ${SUIT_NAMES[suit]}`;
}

// By suit, then by rank.
function inOrder(cards) {
  const place = ([rank, suit]) => SUITS.indexOf(suit) * RANKS.length + RANKS.indexOf(rank);
  return [...cards].sort((a, b) => place(a) - place(b));
}

// Makes `element` look like `card`, if it does not yet; who cannot see it hears its name.
function drawCard(element, card) {
  if (element.dataset.face === card) return false;
  const [rank, suit] = card;
  Object.assign(element.dataset, { face: card, rank, colour: 'HD'.includes(suit) ? 'red' : 'black' });
  const name = cardName(card);
  element.ariaLabel = name[0].toUpperCase() + name.slice(1);
  const middle = PIPS[rank] ? pips(rank, suit) : court(rank, suit);
  element.replaceChildren(corner(rank, suit), middle, corner(rank, suit));
  return true;
}

function part(className, ...children) {
  const element = document.createElement('span');
  element.className = className;
  element.ariaHidden = 'true';
  element.append(...children);
  return element;
}

function corner(rank, suit) {
  return part('corner', part('rank', rank === 'T' ? '10' : rank), part('sign', SUIT_SIGNS[suit]));
}

function pips(rank, suit) {
  const columns = PIPS[rank].map((count) => {
    // The lower half stands on its head, so that the card reads the same both ways.
    const isLower = (place) => place > 0 && place * 2 >= count;
    const pip = (_, place) => part(isLower(place) ? 'pip down' : 'pip', SUIT_SIGNS[suit]);
    return part('column', ...Array.from({ length: count }, pip));
  });
  return part('pips', ...columns);
}

function court(rank, suit) {
  const sign = () => part('sign', SUIT_SIGNS[suit]);
  return part('court', sign(), part('figure', COURT_SIGNS[rank]), sign());
}
