// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`view`]: what a channel's rule shows a newcomer of a log (I2).

use std::collections::{BTreeMap, HashSet};

use oyez_core::Replay;

use super::known::Known;
use crate::history::Entry;

/// So many entries may have been put in order and not be shown yet, when a ring is trimmed.
pub(super) const STAGED: u64 = 24;
/// A long replay is sent in pieces: what is forgotten so soon after the cut may lack.
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
                let soon = known.forgotten(name, offset).is_some_and(|at| at <= cut + SOON);
                let is_sure = offset >= surely_held && !soon;
                view.insert(offset, if is_sure { Need::Must } else { Need::May });
                // One event that is older than the ring, the newest, may be shown, too.
                if offset < perhaps_held {
                    break;
                }
            }
        }
    }
    view
}

/// As many names as publishers use.
const NAMES: usize = 4;
