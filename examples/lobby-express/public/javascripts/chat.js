// SPDX-License-Identifier: MIT OR Apache-2.0
// The chat of a table. Messages are numbered 1, 2, 3, … without holes, and the truth is the last
// fifty of them. A page that was away for longer sees from the numbers what it lacks, and loads it.
'use strict';

const messagesList = document.querySelector('#messages');
const messagesLog = messagesList.parentElement;
const chatForm = document.querySelector('#chat-form');
const chatError = document.querySelector('#chat-error');
const earlier = document.querySelector('#earlier');

const rows = new Map(); // of the messages that are shown, by number

const chatChannel = pusher.subscribe(`private-CHAT_${roomId}`);
chatChannel.bind('CHAT_MESSAGES', (data) => {
  for (const message of addMessages(data)) showTyping(message.user_id, false);
  fillHole();
});
chatChannel.bind('pusher:subscription_error', showRefused);

// Puts those that are not there yet in their places, and answers them. A log that was read to its
// end follows.
function addMessages(messages) {
  const { scrollTop, scrollHeight, clientHeight } = messagesLog;
  const wasAtEnd = scrollHeight - scrollTop - clientHeight < 40;
  const added = messages.filter(({ number }) => !rows.has(number));
  for (const message of added) {
    const next = [...messagesList.children].find((row) => Number(row.dataset.number) > message.number);
    const row = messageRow(message);
    rows.set(message.number, row);
    messagesList.insertBefore(row, next ?? null);
  }
  earlier.hidden = rows.size === 0 || rows.has(1);
  if (wasAtEnd) messagesLog.scrollTop = messagesLog.scrollHeight;
  return added;
}

// Only `textContent`: what people write is never HTML.
function messageRow({ number, user_id, username, text, time }) {
  const row = document.querySelector('#messages-row').content.firstElementChild.cloneNode(true);
  Object.assign(row.dataset, { number, userId: user_id, mine: user_id === userId });
  row.querySelector('.author').textContent = username;
  row.querySelector('.text').textContent = text;
  const said = new Date(time);
  row.querySelector('time').dateTime = said.toISOString();
  row.querySelector('time').textContent = said.toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
  return row;
}

// The answer; null if the server cannot be reached.
function ask(path, options) {
  return fetch(path, { headers: { Accept: 'application/json' }, ...options }).catch(() => null);
}

async function loadBefore(number) {
  const answer = await ask(`/lobby/${roomId}/messages?before=${number}`);
  return answer?.ok ? addMessages(await answer.json()) : [];
}

// Fifty at a time, from the newest hole down. If one cannot be loaded the connection is gone too,
// and the truth that comes with the next one leads here again.
let filling = false;
async function fillHole() {
  if (filling) return;
  filling = true;
  let found = true;
  while (found) {
    const numbers = [...rows.keys()].sort((a, b) => b - a);
    const hole = numbers.find((number, index) => index < numbers.length - 1 && !rows.has(number - 1));
    found = hole !== undefined && (await loadBefore(hole)).length > 0;
  }
  filling = false;
}

earlier.addEventListener('click', async () => {
  const added = await loadBefore(Math.min(...rows.keys()));
  if (added.length === 0) earlier.hidden = true; // a chat keeps its newest messages only
});

// The field is empty at once, for the next thought. What could not be sent comes back into it; what
// was sent comes like everybody else's, by the truth.
chatForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = chatForm.text.value;
  chatForm.text.value = '';
  sayTyping();
  const answer = await ask(chatForm.action, { method: 'POST', body: new URLSearchParams({ text }) });
  const { error } = answer ? await answer.json() : { error: 'The server cannot be reached. Please try again.' };
  chatError.textContent = error ?? '';
  if (error && chatForm.text.value === '') chatForm.text.value = text;
});

// Who is typing goes from page to page, not through the web app. A page says when that changes, so
// nobody needs a timer to forget it. Who it is stands in the metadata, where Oyez put it: the data
// could claim anything.
const typists = new Set();
let saidTyping = false;

const typingChannel = pusher.subscribe(`presence-LOBBY_${roomId}`);
typingChannel.bind('client-typing', ({ typing = true }, { user_id }) => showTyping(Number(user_id), typing));
typingChannel.bind('pusher:member_removed', ({ id }) => showTyping(Number(id), false));
// After a reconnect nobody knows any more what anybody said.
typingChannel.bind('pusher:subscription_succeeded', () => {
  for (const id of typists) showTyping(id, false);
  saidTyping = false;
  sayTyping();
});

function sayTyping() {
  const typing = chatForm.text.value !== '' && document.activeElement === chatForm.text;
  if (typing === saidTyping || !typingChannel.subscribed) return;
  saidTyping = typing;
  typingChannel.trigger('client-typing', typing ? {} : { typing });
}
for (const event of ['input', 'focus', 'blur']) chatForm.text.addEventListener(event, sayTyping);

function showTyping(id, typing) {
  if (typing && id !== userId) typists.add(id);
  else typists.delete(id);
  const names = [...typists].map((typist) => typingChannel.members.get(String(typist))?.info.username);
  const who = names.length > 2 ? 'Several people' : names.join(' and ');
  document.querySelector('#typing').textContent = who && `${who} ${names.length > 1 ? 'are' : 'is'} typing …`;
}
