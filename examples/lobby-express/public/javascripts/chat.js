// SPDX-License-Identifier: MIT OR Apache-2.0
// The chat of a table. Messages are numbered 1, 2, 3, … without holes, and the truth is the last
// fifty of them. A page that was away for longer sees from the numbers what it lacks, and loads it.
'use strict';

const messagesList = document.querySelector('#messages');
const messagesLog = messagesList.parentElement;
const chatForm = document.querySelector('#chat-form');
const chatError = document.querySelector('#chat-error');
const earlier = document.querySelector('#earlier');

const rows = new Map(); // of the messages that are shown, by number: at first, what the server has drawn
for (const row of messagesList.children) rows.set(Number(row.dataset.number), row);

const chatChannel = pusher.subscribe(`private-CHAT_${roomId}`);
chatChannel.bind('CHAT_MESSAGES', (data) => {
  for (const message of addMessages(data)) showTyping(message.user_id, false);
  fillHole();
});
sayIfRefused(chatChannel);

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
  showRest();
  if (wasAtEnd) messagesLog.scrollTop = messagesLog.scrollHeight;
  return added;
}

// What depends on the reader's clock, or on what is still on the server.
function showRest() {
  for (const time of messagesList.querySelectorAll('time')) showTime(time);
  earlier.hidden = rows.size === 0 || rows.has(1);
}

function showTime(element) {
  const said = new Date(element.dateTime);
  const isToday = said.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { day: 'numeric', month: 'short' };
  say(element, said.toLocaleString([], { hour: '2-digit', minute: '2-digit', ...day }));
}

// Only `textContent`: what people write is never HTML.
function messageRow({ number, user_id, username, text, time }) {
  const row = document.querySelector('#messages-row').content.firstElementChild.cloneNode(true);
  Object.assign(row.dataset, { number, userId: user_id, mine: user_id === userId });
  row.querySelector('.author').textContent = username;
  row.querySelector('.text').textContent = text;
  row.querySelector('time').dateTime = new Date(time).toISOString();
  return row;
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
  const { error } = await post(chatForm.action, { text });
  say(chatError, error ?? '');
  if (error && chatForm.text.value === '') chatForm.text.value = text;
  sayTyping();
});

// Who is typing goes from page to page, not through the web app. A page says when that changes, so
// nobody needs a timer to forget it: it ends with the message, with an empty or left field, with
// the page. Who it is stands in the metadata, where Oyez put it: the data could claim anything.
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
  tellTyping(chatForm.text.value !== '' && document.activeElement === chatForm.text && document.hasFocus());
}

function tellTyping(typing) {
  if (typing === saidTyping || !typingChannel.subscribed) return;
  saidTyping = typing;
  typingChannel.trigger('client-typing', typing ? {} : { typing });
}

chatForm.text.addEventListener('input', sayTyping);
for (const event of ['focus', 'blur']) {
  chatForm.text.addEventListener(event, sayTyping);
  window.addEventListener(event, sayTyping); // the field keeps the focus of a window that has none
}
window.addEventListener('pagehide', () => tellTyping(false));

function showTyping(id, typing) {
  if (typing && id !== userId) typists.add(id);
  else typists.delete(id);
  const names = [...typists].map((typist) => typingChannel.members.get(String(typist))?.info.username).filter(Boolean);
  const who = names.length > 2 ? 'Several people' : names.join(' and ');
  say(document.querySelector('#typing'), who && `${who} ${names.length > 1 ? 'are' : 'is'} typing …`);
}

// The server has drawn the last messages.
showRest();
messagesLog.scrollTop = messagesLog.scrollHeight;
