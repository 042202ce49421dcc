// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Follower`]: the rules that a client which counts keeps (truth 5.4), for one channel. It says
//! where to go on from, and why it has to ask for a new cut.
//!
//! There is no position before the first cut; a cut that does not resume counts when all of its
//! replay was handled; then the position moves with each frame.

use serde_json::Value;

use crate::frame::{Cut, Event, Position, Said};
use crate::value::{merge, patch, sum};

/// The truth that a client holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The offset of the entry that made it.
    pub version: u64,
    /// Its value.
    pub value: Value,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// What was handled completely.
    pub position: Option<Position>,
    /// The truth, as far as is known.
    pub truth: Option<Truth>,
    /// The cut that is being handled, and how many of its frames are still to come.
    cut: Option<(Cut, u64)>,
    /// Whether that cut has brought a truth.
    fresh: bool,
}

impl Follower {
    /// The link has died.
    pub fn interrupt(&mut self) {
        self.cut = None;
    }

    /// Nothing is held any more.
    pub fn forget(&mut self) {
        *self = Follower::default();
    }

    /// Takes what the server said.
    ///
    /// # Errors
    /// It does not follow: why.
    pub fn take(&mut self, said: &Said) -> Result<(), String> {
        match said {
            Said::Cut(cut) | Said::Reset(cut) => self.begin(cut),
            Said::Event(event) => {
                let offset = event.offset.ok_or("an event without an offset")?;
                self.expect(offset, offset)?;
                self.event(event, offset)?;
                self.moved(offset)
            }
            Said::Skip { from, upto } => {
                self.expect(*from, *upto)?;
                self.moved(*upto)
            }
            Said::Forget { offset, event } => {
                self.expect(*offset, *offset)?;
                if event.is_none() {
                    self.truth = None;
                }
                self.moved(*offset)
            }
            Said::Mark { offset, sum: of } => self.mark(*offset, of.as_deref()),
            Said::Term { term } => {
                if let Some(position) = &mut self.position {
                    position.term = term.clone();
                }
                Ok(())
            }
            Said::CacheMiss => Ok(()),
        }
    }

    fn begin(&mut self, cut: &Cut) -> Result<(), String> {
        let other = |held: &Position| held.epoch != cut.at.epoch;
        if self.position.as_ref().is_some_and(other) {
            self.position = None;
        }
        if cut.resumed {
            let held = self.position.as_mut().ok_or("resumed without a position")?;
            held.term = cut.at.term.clone();
        } else {
            self.fresh = false;
            if let Some(truth) = &mut self.truth {
                // What it counts means nothing any more.
                truth.version = 0;
            }
        }
        self.cut = Some((cut.clone(), cut.replay));
        self.settle()
    }

    fn expect(&self, from: u64, upto: u64) -> Result<(), String> {
        let held = self.position.as_ref().map(|position| position.offset);
        let is_next = match &self.cut {
            Some((cut, left)) if *left == 0 || upto > cut.at.offset => false,
            Some((cut, _)) if !cut.resumed => true,
            _ => held.is_some_and(|held| from == held + 1 && upto > held),
        };
        if is_next {
            Ok(())
        } else {
            Err(format!("{from}..{upto} after {held:?}, cut {:?}", self.cut))
        }
    }

    fn event(&mut self, event: &Event, offset: u64) -> Result<(), String> {
        if !event.truth {
            return Ok(());
        }
        let text = || serde_json::from_str(&event.data).map_err(|error| error.to_string());
        let value = match &event.delta {
            None => text()?,
            Some(delta) => {
                let held = self.truth.as_ref().filter(|truth| truth.version == delta.from);
                let mut value = held.ok_or("a change of another version")?.value.clone();
                match delta.kind.as_str() {
                    "merge" => merge(&mut value, &text()?),
                    _ => patch(&mut value, &text()?)?,
                }
                if delta.sum.as_ref().is_some_and(|of| *of != sum(&value)) {
                    return Err("a change with another sum".to_owned());
                }
                value
            }
        };
        self.truth = Some(Truth { version: offset, value });
        self.fresh = true;
        Ok(())
    }

    fn moved(&mut self, offset: u64) -> Result<(), String> {
        let is_new_cut = match &mut self.cut {
            None => false,
            Some((cut, left)) => {
                *left -= 1;
                !cut.resumed
            }
        };
        if let Some(position) = self.position.as_mut().filter(|_| !is_new_cut) {
            position.offset = offset;
        }
        self.settle()
    }

    fn settle(&mut self) -> Result<(), String> {
        let Some((cut, _)) = self.cut.take_if(|(_, left)| *left == 0) else { return Ok(()) };
        if cut.resumed {
            let held = self.position.as_ref().map(|position| position.offset);
            if held != Some(cut.at.offset) {
                return Err(format!("resumed to {held:?}, the cut is {}", cut.at.offset));
            }
        } else {
            self.position = Some(cut.at);
            if !self.fresh {
                self.truth = None;
            }
        }
        let version = self.truth.as_ref().map(|truth| truth.version);
        if cut.version.is_some() && cut.version != version {
            return Err(format!("the cut has version {:?}, held is {version:?}", cut.version));
        }
        Ok(())
    }

    fn mark(&self, offset: u64, of: Option<&str>) -> Result<(), String> {
        let held = self.position.as_ref().map(|position| position.offset);
        if self.cut.is_some() || held != Some(offset) {
            return Err(format!("a bookmark at {offset}, held is {held:?}"));
        }
        match (of, &self.truth) {
            (Some(of), Some(truth)) if sum(&truth.value) != of => {
                Err("a bookmark with another sum".to_owned())
            }
            (Some(_), None) => Err("a bookmark with a sum of no truth".to_owned()),
            _ => Ok(()),
        }
    }
}
