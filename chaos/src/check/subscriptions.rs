// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each client heard against the logs: every subscription begins with a cut and its replay,
//! goes on without a hole, and never shows what no log has (G1–G5, G7, I1–I3, I5, I6, I10).

mod content;
mod run;

use std::collections::{BTreeMap, HashMap};

use content::{Content, Contents};
use run::Run;

use super::Verdict;
use super::known::{Book, Place};
use super::view::STAGED;
use crate::channels::Channel;
use crate::follower::Follower;
use crate::frame::{Cut, Position, Said};
use crate::transcript::{Happened, Note, Speaks, Transcript};
use crate::troupe::Evidence;

/// So many notes before a violation are shown.
const EXCERPT: usize = 8;

pub(super) fn check(evidence: &Evidence, book: &Book<'_>, verdict: &mut Verdict) {
    let mut contents = Contents::default();
    for transcript in &evidence.transcripts {
        let mut judges: BTreeMap<String, Judge<'_>> = BTreeMap::new();
        let mut sockets: Vec<String> = Vec::new();
        for (at, note) in transcript.notes.iter().enumerate() {
            match &note.what {
                Happened::Connected(id) => sockets.push(id.clone()),
                Happened::Ended(code) => {
                    verdict.count("links");
                    if let Some(code) = code {
                        verdict.count(&format!("closed {code}"));
                    }
                    for judge in judges.values_mut() {
                        judge.interrupted(verdict);
                    }
                }
                Happened::Nonsense(text) => {
                    let client = &transcript.client;
                    verdict.fail("API", format!("{client} was told what cannot be: {text}"));
                }
                Happened::Asked { channel, .. }
                | Happened::Left { channel }
                | Happened::Resync { channel, .. }
                | Happened::Said { channel, .. } => {
                    let Some(known) = Channel::named(channel) else { continue };
                    let judge = judges
                        .entry(channel.clone())
                        .or_insert_with(|| Judge::new(transcript, known, book));
                    let before = verdict.violations.len();
                    judge.take(at, note, &sockets, &mut contents, verdict);
                    if verdict.violations.len() > before {
                        // What follows from the first mistake says nothing new.
                        judge.is_done = true;
                    }
                }
            }
        }
    }
}

/// Judges what one client heard of one channel.
struct Judge<'a> {
    transcript: &'a Transcript,
    channel: &'static Channel,
    book: &'a Book<'a>,
    /// It has subscribed, from there, and was not answered yet.
    asked: Option<Option<Position>>,
    run: Option<Run<'a>>,
    /// How far it has surely come: what it may resume from.
    position: Option<Position>,
    /// What it was shown on the way there, newest last.
    held: BTreeMap<u64, Content>,
    /// The same of a cut that will replace it, while it is shown.
    fresh: Option<BTreeMap<u64, Content>>,
    /// It has asked for a new cut.
    deaf: bool,
    /// It follows by the rules of those who count; its truth is what a page would show.
    follower: Follower,
    /// The last version, in which log.
    version: Option<(String, u64)>,
    is_done: bool,
}

impl<'a> Judge<'a> {
    fn new(transcript: &'a Transcript, channel: &'static Channel, book: &'a Book<'a>) -> Judge<'a> {
        Judge {
            transcript,
            channel,
            book,
            asked: None,
            run: None,
            position: None,
            held: BTreeMap::new(),
            fresh: None,
            deaf: false,
            follower: Follower::default(),
            version: None,
            is_done: false,
        }
    }

    fn take(
        &mut self,
        at: usize,
        note: &Note,
        sockets: &[String],
        contents: &mut Contents,
        verdict: &mut Verdict,
    ) {
        if self.is_done {
            return;
        }
        let judged = match &note.what {
            Happened::Asked { resume, .. } => self.asks(resume.as_ref()),
            Happened::Left { .. } => {
                self.end(verdict);
                Ok(())
            }
            Happened::Resync { lost, .. } => {
                self.end(verdict);
                self.deaf = true;
                self.position = None;
                self.held.clear();
                self.follower.forget();
                verdict.count("resyncs");
                match lost {
                    Some(why) => Err(("G2", format!("the client lost its place: {why}"))),
                    None => Ok(()),
                }
            }
            Happened::Said { said, .. } => self.said(said, sockets, contents, verdict),
            _ => Ok(()),
        };
        if let Err((rule, why)) = judged {
            verdict.fail(rule, format!("{why}\n{}", self.excerpt(at)));
        }
    }

    fn excerpt(&self, at: usize) -> String {
        let about = |note: &&Note| match &note.what {
            Happened::Asked { channel, .. }
            | Happened::Left { channel }
            | Happened::Resync { channel, .. }
            | Happened::Said { channel, .. } => channel == self.channel.name,
            _ => true,
        };
        let notes = self.transcript.notes[..=at].iter().rev().filter(about).take(EXCERPT);
        let mut lines: Vec<_> = notes
            .map(|note| {
                let text: String = format!("{:?}", note.what).chars().take(300).collect();
                format!("    {:>10.3?} {text}", note.at)
            })
            .collect();
        lines.push(format!("  {} on {}:", self.transcript.client, self.channel.name));
        lines.reverse();
        lines.join("\n")
    }

    /// A position that a client goes on from must be one that it has come to (I10).
    fn asks(&mut self, resume: Option<&Position>) -> Result<(), (&'static str, String)> {
        self.run = None;
        self.deaf = false;
        self.follower.interrupt();
        self.asked = Some(resume.cloned());
        if resume != self.position.as_ref() && self.transcript.speaks == Speaks::Oyez {
            let held = &self.position;
            return Err(("I10", format!("it resumes from {resume:?} and has come to {held:?}")));
        }
        Ok(())
    }

    fn said(
        &mut self,
        said: &Said,
        sockets: &[String],
        contents: &mut Contents,
        verdict: &mut Verdict,
    ) -> Result<(), (&'static str, String)> {
        verdict.count("frames");
        match said {
            Said::Cut(cut) => {
                let Some(resume) = self.asked.take() else {
                    return Err(("G1", "a cut that nobody asked for".to_owned()));
                };
                self.cut(cut, resume.as_ref(), verdict)?;
            }
            Said::Reset(cut) => {
                if self.asked.is_some() {
                    return Ok(());
                }
                self.reset(cut, verdict)?;
            }
            // Frames of a subscription that it has left, or distrusts.
            _ if self.asked.is_some() || self.deaf => return Ok(()),
            _ => {}
        }
        let mut run = self.run.take().ok_or(("G1", "before the first cut".to_owned()))?;
        let judged = run.take(said, self.book, sockets, verdict);
        let content = Content::of(said, &run, &self.follower);
        if self.transcript.speaks == Speaks::Oyez {
            // That it follows was told by the client itself; here it only has to hold the truth.
            let _ = self.follower.take(said);
        }
        if let Some((offset, content)) = content {
            contents.add(
                self.channel,
                self.book,
                &run.cut.at,
                offset,
                &content,
                &self.transcript.client,
            )?;
            if let Content::Truth(_) = content {
                self.version(&run, offset)?;
            }
            self.fresh.as_mut().unwrap_or(&mut self.held).insert(offset, content);
        }
        judged?;
        if run.has_replayed()
            && let Some(fresh) = self.fresh.take()
        {
            self.held = fresh;
        }
        if self.transcript.speaks == Speaks::Oyez {
            if let Some(position) = run.position(self.position.as_ref()) {
                self.position = Some(position);
            } else if self.position.as_ref().is_some_and(|held| held.epoch != run.cut.at.epoch) {
                self.position = None;
            }
        }
        self.run = Some(run);
        Ok(())
    }

    fn place(&self, at: &Position) -> Option<Place<'a>> {
        self.book.find(self.channel, at)
    }

    fn cut(
        &mut self,
        cut: &Cut,
        resume: Option<&Position>,
        verdict: &mut Verdict,
    ) -> Result<(), (&'static str, String)> {
        verdict.count("subscriptions");
        let place = self.place(&cut.at);
        let keeps = self.book.keeps(self.channel);
        match resume {
            Some(from) if cut.resumed => {
                verdict.count("resumed");
                if from.epoch != cut.at.epoch || from.offset > cut.at.offset {
                    return Err(("G5", format!("resumed from {from:?} at {:?}", cut.at)));
                }
                if let Some(place) = place.filter(|_| from.term != cut.at.term) {
                    verdict.count("resumed across terms");
                    self.holds(place, from.offset)?;
                }
            }
            None if cut.resumed => {
                return Err(("G5", "resumed, and did not ask to".to_owned()));
            }
            Some(from) => {
                let Some(reason) = &cut.reason else {
                    return Err(("G5", format!("not resumed from {from:?}, without a reason")));
                };
                verdict.count(&format!("reset: {reason}"));
                let ring = self.channel.events as u64;
                let is_passed = from.offset + ring < cut.at.offset + STAGED;
                let is_trimmed = reason == "trimmed" && is_passed;
                // To which nothing was published has no numbering to keep.
                let is_blank = reason == "epoch" && from.offset == 0;
                if keeps && !is_trimmed && !is_blank {
                    let at = &cut.at;
                    return Err(("G5", format!("not resumed from {from:?} at {at:?}: {reason}")));
                }
            }
            None => {}
        }
        self.begin(cut, resume.map(|from| from.offset).filter(|_| cut.resumed), place);
        Ok(())
    }

    /// What a client holds of the past must be what the log has that it goes on with (G7).
    fn holds(&self, place: Place<'_>, upto: u64) -> Result<(), (&'static str, String)> {
        for (offset, content) in self.held.range(..=upto.min(place.surely)) {
            if let Some(entry) = place.known.entry(*offset)
                && !content.agrees(entry)
            {
                return Err((
                    "G7",
                    format!("it keeps {offset} {content:?}, the log has {entry:?}"),
                ));
            }
        }
        Ok(())
    }

    fn reset(&mut self, cut: &Cut, verdict: &mut Verdict) -> Result<(), (&'static str, String)> {
        let reason = cut.reason.as_deref().unwrap_or("none");
        verdict.count(&format!("reset in band: {reason}"));
        if reason == "resync" && !self.deaf {
            return Err(("G5", "a new cut that nobody asked for".to_owned()));
        }
        if let Some(run) = &self.run
            && !self.deaf
            && run.cut.at.epoch == cut.at.epoch
            && cut.at.offset < run.prev
        {
            return Err(("G2", format!("reset from {} back to {}", run.prev, cut.at.offset)));
        }
        self.deaf = false;
        self.begin(cut, None, self.place(&cut.at));
        Ok(())
    }

    fn begin(&mut self, cut: &Cut, resumed_from: Option<u64>, place: Option<Place<'a>>) {
        self.fresh = resumed_from.is_none().then(BTreeMap::new);
        self.run = Some(Run::new(cut, resumed_from, place, self.transcript.speaks));
    }

    /// Versions never go back inside a numbering.
    fn version(&mut self, run: &Run<'_>, offset: u64) -> Result<(), (&'static str, String)> {
        let at = &run.cut.at;
        let log = match run.place {
            Some(place) if self.channel.is_durable() => format!("{} {}", at.epoch, place.index),
            _ => format!("{} {}", at.epoch, at.term),
        };
        if let Some((before, version)) = &self.version
            && *before == log
            && offset < *version
        {
            return Err(("I6", format!("the truth went from version {version} back to {offset}")));
        }
        self.version = Some((log, offset));
        Ok(())
    }

    /// The subscription ends here: what there was of its replay must be right.
    fn end(&mut self, verdict: &mut Verdict) {
        let Some(run) = self.run.take() else { return };
        if let Err((rule, why)) = run.cut_short() {
            let client = &self.transcript.client;
            verdict.fail(rule, format!("{why}, to {client} on {}", self.channel.name));
        }
    }

    fn interrupted(&mut self, verdict: &mut Verdict) {
        self.follower.interrupt();
        self.deaf = false;
        self.asked = None;
        self.end(verdict);
    }
}

/// By (channel, epoch, term, offset).
type Key = (&'static str, String, String, u64);
/// What was there, and who saw it first.
type Seen = HashMap<Key, (Content, String)>;
