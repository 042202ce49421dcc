// SPDX-License-Identifier: MIT OR Apache-2.0
// The chat of a table. Messages are numbered 1, 2, 3, … without holes, and the truth is the last
// fifty of them. So a page that was away for long sees from the numbers that something is missing
// between what it has and what it gets, and loads exactly that.
'use strict';

const messagesList = document.querySelector('#messages');
const messagesLog = messagesList.parentElement;
const earlier = document.querySelector('#earlier');
const chatForm = document.querySelector('#chat-form');
const chatInput = chatForm.elements.text;
const chatError = document.querySelector('#chat-error');
const chatLeft = document.querySelector('#chat-left');
const messagesPath = `/lobby/${roomId}/messages`;

const chatChannel = pusher.subscribe(`private-CHAT_${roomId}`);
chatChannel.bind('CHAT_MESSAGES', (data) => {
  for (const message of showMessages(data)) typists.delete(message.user_id);
  showTyping();
  fillHoles();
});
sayIfRefused(chatChannel, chatError, 'The chat cannot be read right now. Reload to try again.');
forgetOnReturn(chatError);
pusher.connection.bind('connected', () => showLength()); // that still holds

// Shows those that are not there yet, each in its place, and returns them. A log that was read to
// its end follows; elsewhere the message that is being read stays where it is.
function showMessages(messages) {
  const { scrollTop, scrollHeight, clientHeight } = messagesLog;
  const atEnd = scrollHeight - scrollTop - clientHeight < 40;
  const inView = [...messagesList.children].find((row) => row.offsetTop >= scrollTop);
  const place = inView?.offsetTop;

  const known = new Set([...messagesList.children].map(numberOf));
  const fresh = messages.filter((message) => !known.has(message.number));
  for (const message of fresh) {
    const next = [...messagesList.children].find((row) => numberOf(row) > message.number);
    messagesList.insertBefore(messageRow(message), next ?? null);
  }
  dressMessages();
  messagesLog.scrollTop = atEnd || !inView ? messagesLog.scrollHeight : scrollTop + inView.offsetTop - place;
  return fresh;
}

function numberOf(row) {
  return Number(row.dataset.number);
}

// Only `textContent`: what people write is never HTML.
function messageRow({ number, user_id, username, text, time }) {
  const row = document.querySelector('#messages-row').content.firstElementChild.cloneNode(true);
  Object.assign(row.dataset, { number, userId: user_id, mine: user_id === userId });
  row.querySelector('.author').textContent = username;
  row.querySelector('.text').textContent = text;
  row.querySelector('time').dataset.time = time;
  return row;
}

// Whoever goes on within this time, in milliseconds, is not named again.
const ONE_BREATH = 5 * 60 * 1000;
const CLOCK = { hour: '2-digit', minute: '2-digit' };

// What depends on the neighbours, on the reader's clock, or on what is still on the server.
function dressMessages() {
  const rows = [...messagesList.children];
  let before = null;
  rows.forEach((row) => {
    const time = row.querySelector('time');
    const said = new Date(Number(time.dataset.time));
    const goesOn = before?.userId === row.dataset.userId && said - before.said < ONE_BREATH;
    row.classList.toggle('again', goesOn);
    before = { userId: row.dataset.userId, said };
    const today = said.toDateString() === new Date().toDateString();
    time.dateTime = said.toISOString();
    time.textContent = said.toLocaleString([], today ? CLOCK : { ...CLOCK, day: 'numeric', month: 'short' });
  });
  earlier.hidden = !rows[0] || numberOf(rows[0]) === 1;
}

async function loadBefore(number) {
  const headers = { Accept: 'application/json' };
  const answer = await fetch(`${messagesPath}?before=${number}`, { headers }).catch(() => null);
  return answer?.ok ? showMessages(await answer.json()) : null;
}

// From the newest hole to the oldest, one question at a time. When one fails the connection is gone
// too, and the truth that comes with the next one leads here again.
let filling = false;
async function fillHoles() {
  if (filling) return;
  filling = true;
  for (;;) {
    const afterHole = [...messagesList.children].findLast((row) => {
      const before = row.previousElementSibling;
      return before && numberOf(before) + 1 < numberOf(row);
    });
    if (!afterHole || !(await loadBefore(numberOf(afterHole)))?.length) break;
  }
  filling = false;
}

// A disabled button would lose the focus, so while it loads it only says that it is.
earlier.addEventListener('click', async () => {
  if (earlier.ariaDisabled === 'true') return;
  earlier.ariaDisabled = 'true';
  const loaded = await loadBefore(numberOf(messagesList.firstElementChild));
  earlier.ariaDisabled = 'false';
  say(chatError, loaded ? '' : 'The earlier messages cannot be loaded right now.');
  if (earlier.hidden) messagesLog.focus({ preventScroll: true });
});

// What the server takes at most; as there, a character is a character, also an emoji.
const LENGTH = 500;
const TOO_LONG = `A message has at most ${LENGTH} characters. Please make it shorter.`;

// How much room there is, as soon as it gets little.
function showLength() {
  const length = [...chatInput.value.trim()].length;
  const fits = length <= LENGTH;
  say(chatLeft, length > LENGTH - 50 ? `${length} of ${LENGTH}` : '');
  chatInput.ariaInvalid = String(!fits);
  if (!fits) say(chatError, TOO_LONG);
  else if (chatError.textContent === TOO_LONG) say(chatError, '');
  return fits;
}

// The draft goes with this window from the lobby to the table and back.
const draft = `draft of ${roomId}`;

function write(text) {
  chatInput.value = text;
  keepDraft();
}

function keepDraft() {
  if (chatInput.value === '') sessionStorage.removeItem(draft);
  else sessionStorage.setItem(draft, chatInput.value);
  showLength();
  sayTyping();
}

// The field is empty at once, for the next thought; what could not be sent comes back into it.
chatForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = chatInput.value;
  if (text.trim() === '' || !showLength()) return;
  write('');
  const { error } = await post(messagesPath, { text });
  say(chatError, error ?? '');
  if (error && chatInput.value === '') write(text);
  showLength();
});

// Who is typing goes from page to page, not through the backend. A page says when that changes, so
// nobody needs a timer to forget it: it ends with the message, an empty or left field or window, a
// closed page, or a leaver.
// Who it is stands in `metadata`, where the server put it; the data could claim anything.
const presenceChannel = pusher.subscribe(`presence-LOBBY_${roomId}`);
const typists = new Set();
let saidTyping = false;

presenceChannel.bind('client-typing', ({ typing = true }, { user_id }) => {
  if (typing) typists.add(Number(user_id));
  else typists.delete(Number(user_id));
  showTyping();
});
presenceChannel.bind('pusher:member_removed', ({ id }) => {
  typists.delete(Number(id));
  showTyping();
});
// A new subscription is a new beginning: what the others said meanwhile is unknown, and they saw me go.
presenceChannel.bind('pusher:subscription_succeeded', () => {
  typists.clear();
  saidTyping = false;
  showTyping();
  sayTyping();
});

function sayTyping(event) {
  const leaving = event?.type === 'blur' || event?.type === 'pagehide';
  const typing = !leaving && chatInput.value !== '' && document.activeElement === chatInput && document.hasFocus();
  if (typing === saidTyping || !presenceChannel.subscribed) return;
  saidTyping = typing;
  presenceChannel.trigger('client-typing', typing ? {} : { typing });
}
chatInput.addEventListener('input', keepDraft);
for (const event of ['focus', 'blur']) chatInput.addEventListener(event, sayTyping);
for (const event of ['focus', 'blur', 'pagehide']) window.addEventListener(event, sayTyping);

function showTyping() {
  const names = [...typists]
    .filter((id) => id !== userId)
    .map((id) => presenceChannel.members.get(String(id))?.info.username)
    .filter(Boolean);
  const who = names.length > 2 ? 'Several people' : names.join(' and ');
  say(document.querySelector('#typing'), who && `${who} ${names.length > 1 ? 'are' : 'is'} typing …`);
}

// The server has drawn the last messages; here they get their times, and the newest comes into view.
dressMessages();
messagesLog.scrollTop = messagesLog.scrollHeight;
write(chatInput.value || (sessionStorage.getItem(draft) ?? ''));
