// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`view`]: what a channel's rule shows a newcomer of a log (I2).

use std::collections::{BTreeMap, HashSet};

use oyez_core::Replay;

use super::known::Known;
use crate::channels::REPLAY_BYTES;
use crate::history::Entry;

/// So many entries may have been put in order and not be shown yet, when a ring is trimmed.
pub(super) const STAGED: u64 = 24;
/// What is forgotten so soon after the cut may lack in the later pieces of a long replay.
const SOON: u64 = 1_000;

/// Whether a newcomer is shown an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Must,
    May,
}

/// The entries that a newcomer is shown whose cut is that one; no other ones.
pub(super) fn view(known: &Known<'_>, cut: u64) -> BTreeMap<u64, Need> {
    let channel = known.log.channel;
    let ring = channel.events as u64;
    let surely_held = (cut + STAGED).saturating_sub(ring) + 1;
    let perhaps_held = cut.saturating_sub(ring) + 1;
    let mut view = BTreeMap::new();
    if let Some((offset, Entry::Truth { .. })) = known.log.about_truth(cut) {
        view.insert(offset, Need::Must);
    }
    let events = known.log.entries.range(..=cut).rev();
    let events = events.filter_map(|(offset, entry)| match entry {
        Entry::Event { name, .. } => Some((*offset, Some(&**name))),
        // It was an event of some name, and may have been one still at the cut.
        Entry::Gone => Some((*offset, None)),
        _ => None,
    });
    let is_forgotten =
        |name: &str, offset| known.forgotten(name, offset).is_some_and(|at| at <= cut);
    let mut seen = HashSet::new();
    let mut certainty = Need::Must;
    for (offset, name) in events {
        let Some(name) = name else {
            if channel.replay != Replay::None {
                view.insert(offset, Need::May);
            }
            certainty = Need::May;
            continue;
        };
        if is_forgotten(name, offset) {
            continue;
        }
        match channel.replay {
            Replay::None => break,
            Replay::Latest => {
                let need = if offset < surely_held { Need::May } else { certainty };
                view.insert(offset, need);
                if certainty == Need::Must || offset < perhaps_held {
                    break;
                }
            }
            Replay::LatestPerEvent => {
                if seen.insert(name) {
                    view.insert(offset, certainty);
                }
                if seen.len() >= NAMES {
                    break;
                }
            }
            Replay::All => {
                let is_sure = offset >= surely_held;
                view.insert(offset, if is_sure { Need::Must } else { Need::May });
                // One event that is older than the ring, the newest, may be shown, too.
                if offset < perhaps_held {
                    break;
                }
            }
        }
    }
    if channel.replay == Replay::All {
        release_later(known, cut, &mut view);
    }
    view
}

/// A long replay is sent in pieces, and what is forgotten before its piece comes is not shown.
fn release_later(known: &Known<'_>, cut: u64, view: &mut BTreeMap<u64, Need>) {
    let mut bytes = 0;
    for (offset, need) in view {
        let Some(Entry::Event { name, data }) = known.entry(*offset) else { continue };
        let soon = known.forgotten(name, *offset).is_some_and(|at| at <= cut + SOON);
        if bytes >= REPLAY_BYTES && soon {
            *need = Need::May;
        }
        bytes += FRAME + 2 * data.len();
    }
}

/// More than a frame has beside its data, which is at most twice as long when it is quoted.
const FRAME: usize = 200;

/// As many names as publishers use.
const NAMES: usize = 4;
