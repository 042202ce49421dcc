// SPDX-License-Identifier: MIT OR Apache-2.0
// The truth of a channel as this client holds it. The text is what is held: the value that the page
// gets is its own, and whatever the page does to it never reaches the next change.
import { apply } from './delta.js';
import { sum } from './json.js';
import { parsed, type Frame } from './protocol.js';

export class Truth {
  private _sum?: string;

  private constructor(
    /** Offset of the entry that made it; 0 once a new cut has made that number meaningless. */
    public version: number,
    /** The event under which it comes. */
    readonly event: string,
    private readonly text: string,
    /** What the page sees. */
    public value: any,
  ) {}

  /** The checksum of the value as the server holds it. */
  get sum(): string {
    return (this._sum ??= sum(parsed(this.text)));
  }

  /** The truth that a frame makes of the one before. Throws rather than give a wrong value. */
  static after(before: Truth | undefined, frame: Frame): Truth {
    const { delta, offset, event, raw, data } = frame;
    if (!delta) return new Truth(offset!, event, typeof raw === 'string' ? raw : JSON.stringify(raw), data);
    if (!before || !before.version || before.version !== delta.from) throw new Error('a change of another version');
    const text = JSON.stringify(apply(parsed(before.text), JSON.parse(raw), delta.type));
    const truth = new Truth(offset!, event, text, parsed(text));
    if (delta.sum !== undefined && delta.sum !== truth.sum) throw new Error('a change with another sum');
    return truth;
  }
}
