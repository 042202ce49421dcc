// SPDX-License-Identifier: MIT OR Apache-2.0
//! At rest: everybody has come to the end (I13), the truth that a client holds is the truth, and
//! what a plain page shows last is the latest (I7, G9).

use std::collections::HashMap;

use oyez_core::Replay;
use serde_json::Value;

use super::Verdict;
use super::known::Book;
use crate::channels::Channel;
use crate::follower::Follower;
use crate::frame::Said;
use crate::history::Entry;
use crate::scribe::Final;
use crate::transcript::{Happened, Speaks, Transcript};
use crate::troupe::Evidence;

pub(super) fn check(evidence: &Evidence, book: &Book<'_>, verdict: &mut Verdict) {
    for behind in &evidence.behind {
        verdict.fail("I13", behind.clone());
    }
    for problem in &evidence.server {
        verdict.fail("server", problem.clone());
    }
    for transcript in &evidence.transcripts {
        let heard = last_link(transcript);
        for end in &evidence.finals {
            let on = |at: &usize| is_about(&transcript.notes[*at].what, end.channel);
            if !(0..transcript.notes.len()).any(|at| on(&at)) {
                continue;
            }
            let rest = Rest { transcript, end, heard };
            match transcript.speaks {
                Speaks::Oyez => rest.aware(verdict),
                Speaks::Pusher => rest.plain(book, verdict),
            }
        }
    }
}

/// Where the notes of its last link begin.
fn last_link(transcript: &Transcript) -> usize {
    let is_link = |what: &Happened| matches!(what, Happened::Connected(_));
    transcript.notes.iter().rposition(|note| is_link(&note.what)).unwrap_or(0)
}

fn is_about(what: &Happened, on: &Channel) -> bool {
    matches!(what, Happened::Asked { channel, .. } if channel == on.name)
}

/// One client and one channel at the end.
struct Rest<'a> {
    transcript: &'a Transcript,
    end: &'a Final,
    heard: usize,
}

impl Rest<'_> {
    fn frames(&self, from: usize) -> impl Iterator<Item = &Said> {
        let of = self.end.channel.name;
        self.transcript.notes[from..].iter().filter_map(move |note| match &note.what {
            Happened::Said { channel, said } if channel == of => Some(said),
            _ => None,
        })
    }

    /// Replays what a client that counts was told, by its rules.
    fn aware(&self, verdict: &mut Verdict) {
        let (mut follower, mut deaf) = (Follower::default(), false);
        let of = self.end.channel.name;
        for note in &self.transcript.notes {
            match &note.what {
                Happened::Asked { channel, .. } if channel == of => deaf = true,
                Happened::Resync { channel, .. } if channel == of => {
                    follower.forget();
                    deaf = true;
                }
                Happened::Ended(_) => follower.interrupt(),
                Happened::Said { channel, said } if channel == of => {
                    deaf &= !matches!(said, Said::Cut(_) | Said::Reset(_));
                    if !deaf {
                        // Whether it follows is judged elsewhere.
                        let _ = follower.take(said);
                    }
                }
                _ => {}
            }
        }
        let held = follower.truth.map(|truth| (truth.version, truth.value));
        if follower.position.is_some_and(|at| at.offset == self.end.at.offset) {
            verdict.count("clients at rest");
            if held != self.end.truth {
                let (client, truth) = (&self.transcript.client, &self.end.truth);
                verdict
                    .fail("I7", format!("{client} on {of} holds {held:?}, the truth is {truth:?}"));
            }
        }
    }

    fn plain(&self, book: &Book<'_>, verdict: &mut Verdict) {
        let Some(place) = book.find(self.end.channel, &self.end.at) else { return };
        let log = place.known.log;
        if log.head != self.end.at.offset {
            return;
        }
        let mut page: HashMap<&str, (u64, &str)> = HashMap::new();
        for said in self.frames(0) {
            if let Said::Event(event) = said {
                page.insert(&event.name, (event.offset.unwrap_or(0), &event.data));
            }
        }
        if !self.frames(self.heard).any(|said| matches!(said, Said::Cut(_))) {
            return;
        }
        verdict.count("pages at rest");
        let (client, name) = (&self.transcript.client, self.end.channel.name);
        if let (Some((version, value)), Some(event)) = (&self.end.truth, self.end.channel.truth) {
            let shown = page.get(event);
            let is_it = shown.is_some_and(|(_, data)| {
                serde_json::from_str::<Value>(data).is_ok_and(|shown| shown == *value)
            });
            if !is_it {
                let text =
                    format!("{client} on {name} shows {shown:?}, the truth is {version} {value}");
                verdict.fail("I7", text);
            }
        }
        let sockets = self.transcript.notes.iter().filter_map(|note| match &note.what {
            Happened::Connected(id) => Some(id.as_str()),
            _ => None,
        });
        let sockets: Vec<_> = sockets.collect();
        let mut seen = Vec::new();
        for (offset, entry) in log.entries.iter().rev() {
            let (of, data) = match entry {
                Entry::Event { name, data } => (&**name, Some(data)),
                Entry::Forgotten(name) => (&**name, None),
                Entry::Gone => return,
                _ => continue,
            };
            let is_in_ring =
                self.end.at.offset - offset + super::view::STAGED < self.end.channel.events as u64;
            let is_shown = match self.end.channel.replay {
                Replay::None => false,
                Replay::Latest => seen.is_empty() && is_in_ring,
                Replay::All => is_in_ring,
                Replay::LatestPerEvent => true,
            };
            if !is_shown {
                return;
            }
            if seen.contains(&of) {
                continue;
            }
            seen.push(of);
            let Some(data) = data else { continue };
            let excluded = book.excluded(entry).is_some_and(|id| sockets.contains(&id));
            if !excluded && page.get(of).is_none_or(|(_, shown)| **shown != **data) {
                let shown = page.get(of);
                let text =
                    format!("{client} on {name} shows {of} as {shown:?}, it is {offset} {data}");
                verdict.fail("I7", text);
            }
        }
    }
}
