// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Run`]: one subscription from its cut on.

use std::collections::BTreeMap;

use super::super::Verdict;
use super::super::known::{Book, Place};
use super::super::view::{self, Need};
use super::Content;
use crate::follower::Follower;
use crate::frame::{Cut, Event, Position, Said};
use crate::history::Entry;
use crate::transcript::Speaks;

type Judged = Result<(), (&'static str, String)>;

/// See the module.
pub(super) struct Run<'a> {
    pub(super) cut: Cut,
    pub(super) place: Option<Place<'a>>,
    speaks: Speaks,
    /// Frames of the replay that are still to come.
    left: u64,
    /// The last offset that is covered.
    pub(super) prev: u64,
    /// What the rule shows, unless it was resumed or the log is not known.
    view: Option<BTreeMap<u64, Need>>,
    /// What was shown of it.
    shown: Vec<u64>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        cut: &Cut,
        resumed_from: Option<u64>,
        place: Option<Place<'a>>,
        speaks: Speaks,
    ) -> Run<'a> {
        let surely = place.filter(|place| place.known.is_whole && cut.at.offset <= place.surely);
        let view =
            surely.filter(|place| resumed_from.is_none() && place.known.log.head >= cut.at.offset);
        Run {
            cut: cut.clone(),
            place,
            speaks,
            left: cut.replay,
            prev: resumed_from.unwrap_or(0),
            view: view.map(|place| view::view(place.known, cut.at.offset)),
            shown: Vec::new(),
        }
    }

    /// Whether everything of the cut has come.
    pub(super) fn has_replayed(&self) -> bool {
        self.left == 0
    }

    /// Where a client is that has come so far, if it is anywhere.
    pub(super) fn position(&self, held: Option<&Position>) -> Option<Position> {
        if self.left == 0 || self.cut.resumed {
            return Some(Position { offset: self.prev, ..self.cut.at.clone() });
        }
        held.filter(|held| held.epoch == self.cut.at.epoch).cloned()
    }

    pub(super) fn take(
        &mut self,
        said: &Said,
        book: &Book<'_>,
        sockets: &[String],
        verdict: &mut Verdict,
    ) -> Judged {
        match said {
            Said::Cut(_) | Said::Reset(_) => self.settle(verdict),
            Said::Event(event) => {
                let offset = event.offset.ok_or(("I1", "an event without an offset".to_owned()))?;
                self.exists(said, offset, book)?;
                if event.replayed != (offset <= self.cut.at.offset) && !self.is_jump(event) {
                    return Err(("G1", format!("{offset} says replayed: {}", event.replayed)));
                }
                self.echo(offset, event, book, sockets)?;
                self.cover(offset, offset, Some(event), book, sockets, verdict)
            }
            Said::Forget { offset, .. } => {
                self.exists(said, *offset, book)?;
                self.cover(*offset, *offset, None, book, sockets, verdict)
            }
            Said::Skip { from, upto } => {
                for offset in *from..=*upto {
                    self.hidden(offset, book, sockets)?;
                }
                self.cover(*from, *upto, None, book, sockets, verdict)
            }
            Said::Mark { offset, .. } if self.left > 0 || *offset != self.prev => {
                let (left, prev) = (self.left, self.prev);
                Err(("G8", format!("a bookmark at {offset}, at {prev} with {left} to come")))
            }
            Said::CacheMiss => {
                let must = self.view.iter().flatten().find(|(_, need)| **need == Need::Must);
                match must {
                    Some((offset, _)) => Err(("I2", format!("a cache miss, and {offset} is held"))),
                    None => Ok(()),
                }
            }
            Said::Mark { .. } | Said::Term { .. } => Ok(()),
        }
    }

    /// A plain client that was too slow for a truth channel's log is shown the rule's view again.
    fn is_jump(&self, event: &Event) -> bool {
        let has_truth = self.place.is_some_and(|place| place.known.log.channel.truth.is_some());
        self.speaks == Speaks::Pusher && has_truth && event.replayed && self.left == 0
    }

    /// What is shown must be in the log (I3, I5).
    fn exists(&self, said: &Said, offset: u64, book: &Book<'_>) -> Judged {
        let Some(place) = self.place else { return Ok(()) };
        let log = place.known.log;
        if offset > place.surely {
            return Ok(());
        }
        match place.known.entry(offset) {
            None if offset > log.head && book.keeps(log.channel) => {
                Err(("I3", format!("{offset} was shown, and the log ends at {}", log.head)))
            }
            None => Ok(()),
            Some(entry) => match Content::of(said, self, &Follower::default()) {
                Some((_, content)) if !content.agrees(entry) => {
                    Err(("I5", format!("{offset} is shown as {content:?}, the log has {entry:?}")))
                }
                _ => Ok(()),
            },
        }
    }

    /// Who is excluded hears nothing of it live.
    fn echo(&self, offset: u64, event: &Event, book: &Book<'_>, sockets: &[String]) -> Judged {
        let data = event.data.clone();
        let excluded = book.excluded(&Entry::Event { name: event.name.clone(), data });
        match (excluded, sockets.last()) {
            (Some(excluded), Some(own)) if excluded == own && !event.replayed => {
                Err(("T-022", format!("{offset} was shown to {own}, which it excludes")))
            }
            _ => Ok(()),
        }
    }

    /// The frame stands for these offsets.
    fn cover(
        &mut self,
        from: u64,
        upto: u64,
        event: Option<&Event>,
        book: &Book<'_>,
        sockets: &[String],
        verdict: &mut Verdict,
    ) -> Judged {
        let cut = self.cut.at.offset;
        let is_jump = event.is_some_and(|event| self.is_jump(event));
        if self.left > 0 && !self.cut.resumed {
            let last = self.shown.last().copied().unwrap_or(0).max(self.prev);
            if upto > cut && self.speaks == Speaks::Pusher {
                // Plain clients do not count: what was forgotten meanwhile just lacks.
                verdict.count("replays shorter than told");
                self.left = 0;
                self.settle(verdict)?;
                return self.cover(from, upto, event, book, sockets, verdict);
            }
            if upto > cut {
                return Err(("G1", format!("{upto} before the replay up to {cut} has ended")));
            }
            if from <= last {
                return Err(("G2", format!("{from} is replayed after {last}")));
            }
            if event.is_some() {
                let shown = self.view.as_ref().is_none_or(|view| view.contains_key(&upto));
                if !shown {
                    let view: Vec<_> = self.view.iter().flatten().take(8).collect();
                    return Err(("I2", format!("{upto} is not what the rule shows: {view:?}")));
                }
                self.shown.push(upto);
            }
            // Until the cut is reached `prev` only says what came last.
            self.prev = upto;
            verdict.count("replayed");
            self.left -= 1;
            return self.settle(verdict);
        }
        if self.left > 0 && upto > cut {
            return Err(("G5", format!("{upto} before what was missed up to {cut}")));
        }
        let is_next = from == self.prev + 1;
        if !is_next && (from <= self.prev || self.speaks == Speaks::Oyez) {
            return Err(("I1", format!("{from} after {}", self.prev)));
        }
        if !is_jump {
            for offset in self.prev + 1..from {
                self.hidden(offset, book, sockets)?;
            }
        } else {
            verdict.count("jumps");
        }
        self.prev = upto;
        if self.left > 0 {
            verdict.count("missed and shown");
            self.left -= 1;
            return self.settle(verdict);
        }
        verdict.count("live");
        Ok(())
    }

    /// Whether there is nothing to see at that offset for this client.
    fn hidden(&self, offset: u64, book: &Book<'_>, sockets: &[String]) -> Judged {
        let Some(place) = self.place.filter(|place| offset <= place.surely) else { return Ok(()) };
        let is_hidden = match place.known.entry(offset) {
            None | Some(Entry::Gone) => true,
            Some(Entry::Deleted) => self.speaks == Speaks::Pusher || is_succeeded(place, offset),
            Some(Entry::Forgotten(_)) => self.speaks == Speaks::Pusher,
            Some(Entry::Truth { .. }) => is_succeeded(place, offset),
            Some(entry @ Entry::Event { name, .. }) => {
                let excluded = book.excluded(entry);
                // Beyond what is known of a log that was lost, anything may have been forgotten.
                place.surely < u64::MAX
                    || place.known.forgotten(name, offset).is_some()
                    || excluded.is_some_and(|id| sockets.iter().any(|own| own == id))
            }
        };
        if is_hidden {
            return Ok(());
        }
        let entry = place.known.entry(offset);
        Err(("I1", format!("{offset} was never shown, after {}: {entry:?}", self.prev)))
    }

    /// The subscription ends before its replay has: what came must be its beginning.
    pub(super) fn cut_short(&self) -> Judged {
        let Some((view, last)) = self.view.as_ref().zip(self.shown.last()) else { return Ok(()) };
        let must = view.range(..last).filter(|(_, need)| **need == Need::Must);
        match must.map(|(offset, _)| offset).find(|at| self.shown.binary_search(at).is_err()) {
            Some(offset) => Err(("I2", format!("{offset} was not replayed before {last}"))),
            None => Ok(()),
        }
    }

    /// The replay has ended: it must be whole (G1, I2, G5).
    fn settle(&mut self, verdict: &mut Verdict) -> Judged {
        if self.left > 0 {
            return Ok(());
        }
        let cut = self.cut.at.offset;
        if self.cut.resumed {
            return match self.prev == cut {
                true => Ok(()),
                false => Err(("G5", format!("what was missed ended at {}, not {cut}", self.prev))),
            };
        }
        self.prev = cut;
        let Some(view) = self.view.take() else { return Ok(()) };
        verdict.count("views");
        let must = view.iter().filter(|(_, need)| **need == Need::Must);
        // Both are in order.
        let lacks = must.map(|(offset, _)| offset).find(|at| self.shown.binary_search(at).is_err());
        match lacks {
            Some(offset) => Err(("I2", format!("{offset} was not replayed, cut {cut}"))),
            None => Ok(()),
        }
    }
}

/// Whether a later entry says what the truth is; or might, beyond what is known of the log.
fn is_succeeded(place: Place<'_>, offset: u64) -> bool {
    let log = place.known.log;
    place.surely < u64::MAX
        || log.entries.range(offset + 1..).any(|(_, entry)| entry.is_about_truth())
}
