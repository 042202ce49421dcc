// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Place`]: how far `tail` has come in one channel's log, so that it can go on from there.
//!
//! A position is never taken before the frames that lead to it were printed.

use serde::Deserialize;
use serde_json::{Value, json};

/// Where in its channel's log a subscription begins (`oyez` in its answer, data of `oyez:reset`).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Cut {
    epoch: String,
    term: String,
    /// The last event before it.
    pub(super) offset: u64,
    /// Whether it goes on where the client was.
    #[serde(default)]
    pub(super) resumed: bool,
    /// How many frames of the past follow.
    pub(super) replay: u64,
    /// Why it does not go on although that was asked.
    pub(super) reason: Option<String>,
}

/// How far one channel was followed.
#[derive(Debug, Default)]
pub(super) struct Place {
    reached: Option<Reached>,
    /// The cut whose frames are being printed.
    cut: Option<Cut>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reached {
    epoch: String,
    term: String,
    offset: u64,
}

/// A hole: these offsets were never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Cut {
    /// The cut in the data of a frame, if there is one.
    pub(super) fn read(data: Value) -> Option<Cut> {
        serde_json::from_value(data).ok()
    }

    fn reached(&self) -> Reached {
        Reached { epoch: self.epoch.clone(), term: self.term.clone(), offset: self.offset }
    }
}

impl Place {
    /// What a subscription asks for to go on.
    pub(super) fn resume(&self) -> Option<Value> {
        let Reached { epoch, term, offset } = self.reached.as_ref()?;
        Some(json!({"epoch": epoch, "term": term, "offset": offset}))
    }

    /// The connection has ended: the rest of a cut will not come.
    pub(super) fn interrupt(&mut self) {
        self.cut = None;
    }

    /// A subscription begins there.
    pub(super) fn begin(&mut self, cut: Cut) {
        if cut.resumed
            && let Some(reached) = &mut self.reached
        {
            reached.term.clone_from(&cut.term);
        }
        self.cut = Some(cut);
        self.settle();
    }

    /// A frame that covers those offsets was printed.
    pub(super) fn printed(&mut self, from: u64, to: u64) -> Option<Hole> {
        let contiguous = self.cut.as_ref().is_none_or(|cut| cut.resumed);
        if let Some(cut) = &mut self.cut {
            cut.replay = cut.replay.saturating_sub(1);
        }
        let mut hole = None;
        if contiguous && let Some(reached) = &mut self.reached {
            if from > reached.offset + 1 {
                hole = Some(Hole { from: reached.offset + 1, to: from - 1 });
            }
            reached.offset = to;
        }
        self.settle();
        hole
    }

    /// Another authority gives the numbers, and nothing was lost.
    pub(super) fn term(&mut self, term: &str) {
        let reached = self.reached.as_mut().map(|reached| &mut reached.term);
        let cut = self.cut.as_mut().map(|cut| &mut cut.term);
        for known in reached.into_iter().chain(cut) {
            term.clone_into(known);
        }
    }

    fn settle(&mut self) {
        if let Some(cut) = self.cut.take_if(|cut| cut.replay == 0)
            && !cut.resumed
        {
            self.reached = Some(cut.reached());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(offset: u64, replay: u64) -> Cut {
        let (epoch, term) = ("e".to_owned(), "t".to_owned());
        Cut { epoch, term, offset, resumed: false, replay, reason: None }
    }

    fn at(offset: u64) -> Option<Value> {
        Some(json!({"epoch": "e", "term": "t", "offset": offset}))
    }

    #[test]
    fn a_position_is_taken_when_its_frames_were_printed() {
        let mut place = Place::default();
        place.begin(cut(41, 2));
        assert_eq!(place.resume(), None);
        assert_eq!(place.printed(7, 7), None);
        assert_eq!(place.resume(), None);
        assert_eq!(place.printed(41, 41), None);
        assert_eq!(place.resume(), at(41));
        assert_eq!(place.printed(42, 42), None);
        assert_eq!(place.printed(43, 45), None);
        assert_eq!(place.resume(), at(45));
    }

    #[test]
    fn t014_a_cut_that_is_interrupted_leaves_the_place_as_it_was() {
        let mut place = Place::default();
        place.begin(cut(41, 0));
        place.begin(cut(50, 2));
        place.printed(3, 3);
        place.interrupt();
        assert_eq!(place.resume(), at(41));
        place.begin(Cut { resumed: true, term: "u".to_owned(), ..cut(43, 2) });
        assert_eq!(place.printed(42, 42), None);
        assert_eq!(place.resume(), Some(json!({"epoch": "e", "term": "u", "offset": 42})));
        place.interrupt();
        assert_eq!(place.printed(43, 43), None);
    }

    #[test]
    fn a_hole_is_told() {
        let mut place = Place::default();
        place.begin(cut(41, 0));
        assert_eq!(place.printed(44, 44), Some(Hole { from: 42, to: 43 }));
        assert_eq!(place.printed(45, 45), None);
        place.term("v");
        assert_eq!(place.resume(), Some(json!({"epoch": "e", "term": "v", "offset": 45})));
    }

    #[test]
    fn a_channel_without_memory_has_no_cut() {
        assert_eq!(Cut::read(Value::Null), None);
        let text = json!({"epoch": "e", "term": "t", "offset": 41, "resumed": false, "replay": 2});
        assert_eq!(Cut::read(text), Some(cut(41, 2)));
    }
}
