// SPDX-License-Identifier: MIT OR Apache-2.0
// What every page does: draw a list from a truth, send a form, and say what went wrong with it.
'use strict';

// Makes `list` show `items`, in this order. A row is found again by its key, which stands in its
// data attribute `name`, and is kept: the focus in it and the mouse on it survive the redraw. New
// rows are copies of the blank one in <template id="…-row">. When the row with the focus goes, the
// list gets it, so that whoever uses the keyboard goes on from here and not from the top of the page.
function redraw(list, name, items, keyOf, draw) {
  const blank = document.getElementById(`${list.id}-row`).content.firstElementChild;
  const rows = new Map([...list.children].map((row) => [row.dataset[name], row]));
  const keys = items.map((item) => String(keyOf(item)));
  const hadFocus = list.contains(document.activeElement);
  for (const [key, row] of rows) if (!keys.includes(key)) row.remove();
  items.forEach((item, index) => {
    const row = rows.get(keys[index]) ?? blank.cloneNode(true);
    row.dataset[name] = keys[index];
    draw(row, item);
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
  if (hadFocus && document.activeElement === document.body) list.focus({ preventScroll: true });
}

// Text that is already there is left alone, so that a screen reader does not read it again.
function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// A channel that may not or cannot be subscribed to would leave an old picture: the page says so.
function sayIfRefused(channel, element, text) {
  channel.bind('pusher:subscription_error', () => say(element, text));
  channel.bind('pusher:subscription_succeeded', () => element.textContent === text && say(element, ''));
}

// What went wrong is old news as soon as the connection is back: the truth comes with it.
function forgetOnReturn(element) {
  pusher.connection.bind('connected', () => say(element, ''));
}

// The circle with the first letter of a name. The colours of the six hues stand in the stylesheet.
function drawAvatar(row, { id, username }) {
  const avatar = row.querySelector('.avatar');
  say(avatar, username.slice(0, 1));
  avatar.dataset.hue = id % 6;
}

// Sends what a form would send. The answer is the server's JSON, with `error` in words if it
// refused or could not be reached. Pages do not act on success: the truth tells them, like everyone.
async function post(path, fields) {
  const headers = { Accept: 'application/json' };
  const answer = await fetch(path, { method: 'POST', headers, body: new URLSearchParams(fields) }).catch(() => null);
  if (!answer) return { error: 'The server cannot be reached. Please try again.' };
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  const said = await answer.json().catch(() => ({})); // 204 says nothing
  return answer.ok ? said : { error: said.error ?? `The server refused (${answer.status}).`, status: answer.status };
}
