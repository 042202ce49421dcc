// SPDX-License-Identifier: MIT OR Apache-2.0
// Where a subscription stands in its channel's log. A pure state machine: it is told of cuts and
// of frames, and answers whether a frame may be shown.
//
// Promises: a position is never taken before the frames that lead to it were handled. There is
// none before the first cut; a cut that does not resume leaves the old one as it is until its last
// replay frame was handled, so a link that dies in between costs nothing; from then on it moves by
// exactly one frame at a time. It never skips a hole: whoever is told `false` must ask for a new cut.
import type { Cut, Position } from './protocol.js';

const isOffset = (offset: unknown): offset is number => Number.isSafeInteger(offset) && (offset as number) >= 0;

export class Log {
  /** What has been handled completely; null when nothing has, or it cannot be relied on. */
  position: Position | null = null;
  /** The cut whose replay is being handled. */
  cut: (Cut & { last: number }) | null = null;

  /** A cut begins. False: it contradicts itself or what is held. */
  begin(cut: Cut): boolean {
    const held = this.position;
    if (held && held.epoch !== cut.epoch) this.position = null;
    if (!isOffset(cut.offset) || !isOffset(cut.replay)) return false;
    if (cut.resumed) {
      if (!this.position) return false;
      this.position = { epoch: cut.epoch, term: cut.term, offset: this.position.offset };
    }
    this.cut = { ...cut, last: 0 };
    return true;
  }

  /** Whether the frame that covers offsets `from` to `to` comes next. */
  expects(to: unknown, from: unknown = to): boolean {
    if (!isOffset(to) || !isOffset(from) || from > to) return false;
    const { cut, position } = this;
    if (cut && (to > cut.offset || !cut.replay)) return false;
    if (cut && !cut.resumed) return to > cut.last;
    return position !== null && from <= position.offset + 1 && to > position.offset;
  }

  /** The frame that ends at that offset was handled. */
  handled(offset: number): void {
    const { cut, position } = this;
    if (cut) {
      cut.replay--;
      cut.last = offset;
      if (!cut.resumed) return;
    }
    if (position) this.position = { ...position, offset };
  }

  /** Ends the cut if all of its replay was handled; says whether it did, and led where it should. */
  complete(): 'no' | 'yes' | 'hole' {
    const { cut, position } = this;
    if (!cut || cut.replay) return 'no';
    this.cut = null;
    if (cut.resumed) return position?.offset === cut.offset ? 'yes' : 'hole';
    this.position = { epoch: cut.epoch, term: cut.term, offset: cut.offset };
    return 'yes';
  }

  /** The link died: the rest of a cut will not come. */
  interrupt(): void {
    this.cut = null;
  }

  /** What was shown cannot be relied on, or the page no longer wants it: there is no position. */
  forget(): void {
    this.cut = this.position = null;
  }

  /** The log's authority changed and nothing was lost. */
  term(term: string): void {
    if (this.cut) this.cut.term = term;
    if (this.position) this.position = { ...this.position, term };
  }
}
