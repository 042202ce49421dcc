// SPDX-License-Identifier: MIT OR Apache-2.0
// Frames as they come over the wire, and what a close code asks a client to do. Decodes; decides
// nothing about channels.

/** How a truth's change was sent, when not as the full value. */
export interface Delta {
  type: 'merge' | 'patch';
  /** The version of the truth that the change applies to. */
  from: number;
  /** Checksum of the new value, see `sum` in json.ts. */
  sum?: string;
}

/** One message of the server. `data` is decoded where it was JSON text; `raw` is as it came. */
export interface Frame {
  event: string;
  channel?: string;
  data?: any;
  raw?: any;
  user_id?: string;
  /** Place in the channel's log; absent on what no memory counts. */
  offset?: number;
  replayed?: boolean;
  truth?: boolean;
  delta?: Delta;
}

/** A position in a channel's log. */
export interface Position {
  epoch: string;
  term: string;
  offset: number;
}

/** What a cut says: in the answer to a subscription, or in `oyez:reset`. */
export interface Cut extends Position {
  resumed: boolean;
  /** How many frames follow that belong to the cut. */
  replay: number;
  gen?: number;
  reason?: string;
  /** The version of the channel's truth at the cut. */
  version?: number;
}

/** JSON where it is JSON, the text itself where it is not. */
export function parsed(text: any): any {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Decodes one text frame; throws where it is not a JSON object with an event. */
export function decode(text: any): Frame {
  const frame = JSON.parse(text);
  if (typeof frame?.event !== 'string') throw new Error('a message without an event');
  return { ...frame, raw: frame.data, data: parsed(frame.data) };
}

/** What to do after a close: never come back, after a second at least, or as the backoff says. */
export type Fate = 'never' | 'later' | 'backoff';

/**
 * 4000–4099: this client will not be let in. 4100–4199: not at once. 4200–4299 and everything
 * else: as the backoff says, whose first try lies within its first window.
 */
export function fateOf(code: number): Fate {
  if (code >= 4000 && code < 4100) return 'never';
  return code >= 4100 && code < 4200 ? 'later' : 'backoff';
}
