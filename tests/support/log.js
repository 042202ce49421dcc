// SPDX-License-Identifier: MIT OR Apache-2.0
// A channel's log as one subscription was told of it: its cut, the replay and what followed live,
// read from the messages of a socket and checked against the guarantee (docs: G1 to G5).
import assert from 'node:assert/strict';

/** What a client that knows Oyez says when it subscribes. */
export const AWARE = { v: 1 };

/** What a socket's next messages on a channel say: `{cut, data, replay}`, all of it taken. */
export async function cutOf(socket, channel, deadline) {
  const { data, seq } = await socket.event('pusher_internal:subscription_succeeded', channel, deadline);
  const parsed = JSON.parse(data);
  const replay = await replayOf(socket, channel, parsed.oyez?.replay ?? 0);
  for (const [n, frame] of replay.entries()) assert.equal(frame.seq, seq + 1 + n, 'something stands within the cut');
  return { cut: parsed.oyez, data: parsed, replay };
}

/** Takes the next frames of a channel that a cut announced. */
export async function replayOf(socket, channel, count) {
  const replay = [];
  while (replay.length < count) {
    const frame = await socket.messages.take((message) => message.channel === channel, `replay ${replay.length + 1} of ${count}`);
    replay.push(frame);
  }
  return replay;
}

/** Subscribes and takes the whole cut. */
export async function subscribeAt(socket, channel, options) {
  await socket.send(socket.subscription(channel, options));
  return cutOf(socket, channel);
}

/** A position as a client gives it back. */
export const positionOf = ({ epoch, term, offset }, more = {}) => ({ epoch, term, offset, ...more });

/**
 * Checks all messages of one channel that one connection got, first to last, against the log that
 * was published: `texts` by offset. Answers what was seen; throws at the first thing that no log
 * explains. Several subscriptions may follow each other.
 */
export class Transcript {
  cuts = [];
  /** Offsets shown, in order. */
  shown = [];
  offset = null;
  #left = 0;
  #last = 0;

  constructor(texts) {
    this.texts = texts;
  }

  take({ event, data, offset, replayed, delta }) {
    if (event === 'pusher_internal:subscription_succeeded' || event === 'oyez:reset') {
      const parsed = JSON.parse(data);
      const cut = event === 'oyez:reset' ? parsed : parsed.oyez;
      this.cuts.push(cut);
      this.#left = cut.replay;
      this.#last = 0;
      this.from = cut.resumed ? null : 0;
      this.offset = cut.offset;
      return;
    }
    if (offset === undefined) return;
    this.shown.push(offset);
    if (this.texts?.[offset] !== undefined && !delta) assert.equal(data, this.texts[offset], `the content of offset ${offset}`);
    if (this.#left > 0) {
      assert.equal(replayed, true, `${offset} stands in the replay and is not marked`);
      assert.ok(offset > this.#last && offset <= this.offset, `replay went from ${this.#last} to ${offset}, the cut is ${this.offset}`);
      this.#last = offset;
      this.#left -= 1;
      return;
    }
    assert.equal(replayed, undefined, `${offset} is marked as replayed and is live`);
    assert.equal(offset, this.offset + 1, `live frames went from ${this.offset} to ${offset}`);
    this.offset = offset;
  }

  get isWhole() {
    return this.#left === 0 && this.cuts.length > 0;
  }
}

/** Hands every message of a socket to that function from now on, instead of keeping it. */
export function listen(socket, take) {
  const before = socket.messages.drain();
  socket.messages = { push: take, end: () => {} };
  before.forEach(take);
}
