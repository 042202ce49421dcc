// SPDX-License-Identifier: MIT OR Apache-2.0
// What all pages do: draw a list from a truth, and send forms without losing the page.
'use strict';

// Makes `list` show `items`, in this order. Its row is found by its id in the data attribute `key`
// and stays, with the focus that is in it; a new one is a copy of the blank in <template id="…-row">.
function redraw(list, key, items, draw) {
  const blank = document.querySelector(`#${list.id}-row`).content.firstElementChild;
  const old = new Map([...list.children].map((row) => [row.dataset[key], row]));
  const rows = items.map((item) => {
    const row = old.get(String(item.id)) ?? blank.cloneNode(true);
    row.dataset[key] = item.id;
    draw(row, item);
    return row;
  });
  for (const row of old.values()) {
    if (rows.includes(row)) continue;
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    if (hadFocus) list.focus();
  }
  rows.forEach((row, place) => {
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
}

// What is there already is left alone: a screen reader would read it again.
function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// The server's answer; null if it cannot be reached.
function ask(path, options) {
  return fetch(path, { headers: { Accept: 'application/json' }, ...options }).catch(() => null);
}

// Sends what a form would send. Answers `{}`, with `error` in words if it was not done, or with
// `place` if something was made there.
async function post(path, fields) {
  const answer = await ask(path, { method: 'POST', body: new URLSearchParams(fields) });
  if (!answer) return { error: 'The server cannot be reached. Please try again.' };
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (answer.ok) return { place: answer.headers.get('Location') };
  const { error } = await answer.json().catch(() => ({}));
  return { error: error ?? `The server refused (${answer.status}).` };
}

// Forms with data-live are sent from here. Nothing is drawn when it was done: the truth comes to
// everybody alike. A page is left only for what the answer names, or for data-next.
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.matches('[data-live]')) return;
  event.preventDefault();
  isLeaving = form.dataset.next !== undefined;
  const { error, place } = await post(form.action, new FormData(form));
  if (error && isLeaving) stay();
  say(document.querySelector('#error'), error ?? '');
  const next = place ?? form.dataset.next;
  if (!error && next) location.assign(next);
});

// The page is not left after all. If it was done and only the answer was lost, its connection may have
// been ended; where it stands, nothing happens.
function stay() {
  isLeaving = false;
  pusher.connect();
}

// What was said of a server that could not be reached is over when it is back.
function forgetErrors() {
  for (const element of document.querySelectorAll('#error, #chat-error')) say(element, '');
}

pusher.connection.bind('connected', forgetErrors);
appChannel.bind('APP_STARTED', forgetErrors);
