// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judging: every effect of a home is compared, in its order, with what the reference logs say and
//! with what was expected.

use oyez_core::{
    Answer, Changed, ChannelInfo, Durability, Effect, EntryKind, Item, Place, Question, Record,
    Refused, Sight, Standing, Ticket, TruthAnswer, When, checksum,
};
use oyez_protocol::encode::Frame;
use oyez_protocol::position::Term;

use super::predicted::{Due, Predicted, same};
use super::{World, at};
use crate::common::page::Client;
use crate::common::seen::{self, Cut, Seen};
use crate::reference::Said;
use crate::tab::Link;

impl World {
    /// Every effect of a home is judged in its order.
    pub(super) fn judge(
        &mut self,
        home: usize,
        predicted: Option<Predicted>,
        effects: Vec<Effect>,
    ) {
        let predicted = predicted.unwrap_or_default();
        let mut staged: Vec<(usize, Said)> = Vec::new();
        for effect in &effects {
            let Effect::Append(append) = effect else { continue };
            for record in &append.records {
                let Record::Entry { key, entry, .. } = record else { continue };
                if entry.kind == EntryKind::Gone {
                    continue;
                }
                let at = self.index[key];
                let mut said = self.said(entry.kind, entry.event(), entry.data());
                said.exclude = entry.exclude.as_deref().copied();
                assert_eq!(entry.time.0, self.wall, "its time");
                let log = &mut self.channels[at].log;
                log.push(said.clone());
                assert_eq!(entry.offset.get() as usize, log.entries.len(), "one after the other");
                if log.rule.durability == Durability::Full {
                    self.gates[home].push_back((append.mark, at, log.entries.len()));
                } else {
                    let upto = log.entries.len();
                    log.release(upto, self.wall);
                }
                staged.push((at, said));
            }
        }
        let is_off = |at: usize| self.channels[at].log.rule.durability == Durability::Off;
        let (off, must): (Vec<_>, Vec<_>) =
            predicted.must.into_iter().partition(|(at, _)| is_off(*at));
        for (at, said) in off {
            let log = &mut self.channels[at].log;
            log.push(said);
            let upto = log.entries.len();
            log.release(upto, self.wall);
        }
        let mut left = staged.into_iter();
        for (at, said) in must {
            let (there, is) = left.next().expect("what must be kept is given to the journal");
            assert_eq!(
                (there, is.kind, &is.event, is.exclude),
                (at, said.kind, &said.event, said.exclude)
            );
            assert!(same(&is.data, &said.data), "{} is not {}", is.data, said.data);
        }
        for (at, is) in left {
            let may = |(other, said): &(usize, Said)| {
                *other == at && is.kind == said.kind && same(&is.data, &said.data)
            };
            if !predicted.may.iter().any(may) {
                assert_eq!(is.kind, EntryKind::Deleted, "nobody said {is:?}");
                self.count("expired");
            }
        }
        for effect in effects {
            match effect {
                Effect::Send(worker, item) => {
                    self.check_item(&item);
                    self.to_worker[home][at(worker)].push_back(item);
                }
                Effect::Answer(ticket, answer) => self.answered(ticket, answer),
                Effect::Append(append) => self.pending[home].push_back(append.into()),
                Effect::Ask(question) => self.ask(question),
                Effect::Webhook(..) | Effect::Opened(_) | Effect::Closed(_) => {}
            }
        }
    }

    fn ask(&mut self, question: Question) {
        self.count("asked");
        let at = self.index[&question.key];
        let value = self.channels[at].source;
        let before = self.channels[at].question.replace((question.run, value));
        assert_eq!(before, None, "T-026: one question at a time");
    }

    fn check_item(&mut self, item: &Item) {
        match item {
            Item::Entry(delivery) => {
                let channel = self.index[&delivery.key];
                let log = &self.channels[channel].log;
                let offset = delivery.offset.get() as usize;
                assert!(offset <= log.released, "I3: {offset} is not released");
                let said = log.at(offset);
                assert_eq!(delivery.exclude, said.exclude);
                if let Some(sum) = delivery.sum {
                    let value = oyez_core::Value::parse(&said.data).expect("a value");
                    assert_eq!(sum, checksum(&value));
                }
                match (&delivery.sight, said.kind) {
                    (Sight::Event(frame), EntryKind::Event)
                    | (Sight::Truth(frame, _), EntryKind::Truth) => {
                        self.check_frame(channel, &seen::read(frame));
                    }
                    (Sight::Counted(frame), EntryKind::Deleted | EntryKind::Forgotten) => {
                        self.check_frame(channel, &seen::read(frame));
                    }
                    other => panic!("{other:?}"),
                }
            }
            Item::Subscribed { key, place, frames, standing, .. } => {
                let standing = standing.as_deref().expect("the channel remembers");
                self.check_comer(self.index[key], *place, standing);
                self.check_cut(self.index[key], place.slot as usize, frames, standing);
            }
            Item::Stretch { key, frames, .. } => {
                self.count("stretch");
                let channel = self.index[key];
                for frame in frames {
                    let seen = seen::read(frame);
                    if let Seen::Reset(cut) = &seen {
                        self.count("reset");
                        assert_eq!(cut.offset as usize, self.channels[channel].log.released);
                    }
                    self.check_frame(channel, &seen);
                }
            }
            _ => {}
        }
    }

    /// I3, I5: what a frame shows may be seen, and is what the log says.
    fn check_frame(&self, channel: usize, seen: &Seen) {
        let log = &self.channels[channel].log;
        match seen {
            Seen::Event(event) => {
                let offset = event.offset as usize;
                assert!(offset <= log.released, "I3: {event:?}");
                let said = log.at(offset);
                assert_eq!(
                    (&event.name, event.truth),
                    (&said.event, said.kind == EntryKind::Truth)
                );
                let is_whole = event.delta.is_none();
                assert!(!is_whole || same(&event.data, &said.data), "I5: {event:?} is {said:?}");
                assert!(
                    !said.forgotten || !self.one_by_one,
                    "what was forgotten is shown: {event:?}"
                );
            }
            Seen::Skip { upto, .. } => assert!(*upto as usize <= log.released),
            Seen::Forget { offset, event } => {
                let said = log.at(*offset as usize);
                let forgotten = event.as_deref().map_or(EntryKind::Deleted, |name| {
                    assert_eq!(name, said.event);
                    EntryKind::Forgotten
                });
                assert_eq!(said.kind, forgotten);
            }
            _ => {}
        }
    }

    /// I9, for whoever comes: no truth is shown that is older than what was said, or, where the rule
    /// says `confirm`, than what was true when it came; unless its patience ended.
    fn check_comer(&mut self, channel: usize, place: Place, standing: &Standing) {
        let Some(comer) = self.comers.remove(&place) else { return };
        if self.failed {
            return; // What was answered cannot be shown any more: the server is about to end.
        }
        if self.wall >= comer.until {
            return self.count("out of patience");
        }
        let log = &self.channels[channel].log;
        let truth = log.truth(standing.cut.get() as usize).expect("it is known");
        let shown: u64 =
            log.at(truth).data[r#"{"n":"#.len()..].trim_end_matches('}').parse().expect("n");
        assert!(shown >= comer.at_least, "I9: {shown} is shown, {} was true", comer.at_least);
        let what = if shown > comer.at_least { "newer than it came" } else { "as it came" };
        self.count(what);
    }

    /// G1 and G5.
    fn check_cut(&mut self, channel: usize, slot: usize, frames: &[Frame], standing: &Standing) {
        let seen: Vec<Seen> = frames.iter().map(seen::read).collect();
        let Seen::Cut(cut) = &seen[0] else { panic!("the acknowledgement is first") };
        seen[1..].iter().for_each(|seen| self.check_frame(channel, seen));
        self.learn(channel, cut);
        let log = &self.channels[channel].log;
        assert_eq!(cut.offset, standing.cut.get());
        let exact = cut.offset as usize == log.released;
        assert!(exact || !self.one_by_one, "the cut is what is released: {cut:?}");
        assert!(cut.offset as usize <= log.released);
        if exact && cut.version.is_some() {
            assert_eq!(cut.version.map(|v| v as usize), log.truth(log.released));
        }
        if exact && !cut.resumed && !log.uncertain {
            let view = log.view(standing.speaks);
            assert_eq!(cut.replay, view.len(), "G1: {cut:?} {view:?} {log:?}");
            let shown: Vec<(usize, bool)> = (seen[1..].iter())
                .filter_map(|seen| match seen {
                    Seen::Event(event) => Some((event.offset as usize, true)),
                    Seen::Skip { upto, .. } => Some((*upto as usize, false)),
                    Seen::Miss => None,
                    other => panic!("{other:?}"),
                })
                .collect();
            let is_all = standing.shown == standing.cut;
            assert!(
                view.starts_with(&shown) && (!is_all || shown.len() == view.len()),
                "G1: {shown:?} of {view:?} {standing:?} {log:?}"
            );
            if !shown.is_empty() {
                self.count("replayed");
            }
        }
        let log = &self.channels[channel].log;
        let page = &self.tabs[slot].page;
        if let Some(position) = page.position.as_ref().filter(|_| page.client == Client::Aware)
            && exact
            && self.tabs[slot].link == Link::Pending
        {
            let term = Term::parse(&position.term).expect("as it was given");
            let offset = position.offset as usize;
            let resumes = log.resumes(&position.epoch, term, offset, &self.disk.terms);
            assert_eq!(cut.resumed, resumes, "G5: {position:?} {cut:?} {log:?}");
            assert_eq!(cut.reason.is_none(), resumes);
            let what = if resumes { "resumed" } else { "refused to resume" };
            self.count(what);
        }
    }

    fn learn(&mut self, channel: usize, cut: &Cut) {
        let log = &mut self.channels[channel].log;
        if log.entries.is_empty() {
            log.epoch = Some(cut.epoch.clone());
        }
        let known = log.epoch.get_or_insert_with(|| cut.epoch.clone());
        assert_eq!(*known, cut.epoch, "one numbering");
        assert_eq!(cut.term, self.disk.terms.last().expect("of this start").as_str());
    }

    fn answered(&mut self, ticket: Ticket, answer: Answer) {
        if self.tries.contains_key(&ticket.call) {
            return self.tried(ticket.call, answer);
        }
        let due = self.due.remove(&ticket.call).expect("nobody waits, or was answered before");
        self.compare(due, answer, When::Durable);
    }

    /// I4, I8: the answer, and that it is true for good.
    pub(super) fn compare(&mut self, due: Due, answer: Answer, when: When) {
        let Due { channel, upto, answer: mut expected, lenient } = due;
        if self.failed && answer == Answer::Refused(Refused::JournalFailed) {
            return;
        }
        let known = match &answer {
            Answer::Channel(info) => info.position.map(|position| position.epoch),
            Answer::Truth(
                TruthAnswer::Done { epoch, .. } | TruthAnswer::Mismatch { epoch, .. },
            ) => Some(*epoch),
            _ => None,
        };
        let log = &mut self.channels[channel].log;
        if let Some(epoch) = known {
            if log.epoch.is_none() || log.entries.is_empty() {
                log.epoch = Some(epoch.to_string());
            }
            assert_eq!(log.epoch.as_deref(), Some(epoch.as_str()), "one numbering");
            match &mut expected {
                Answer::Channel(info) => {
                    info.position.as_mut().expect("wanted").epoch = epoch;
                }
                Answer::Truth(
                    TruthAnswer::Done { epoch: e, .. } | TruthAnswer::Mismatch { epoch: e, .. },
                ) => *e = epoch,
                _ => {}
            }
        }
        let plain = |answer: Answer| match answer {
            Answer::Truth(TruthAnswer::Done { epoch, version, .. }) if lenient => {
                Answer::Truth(TruthAnswer::Done { epoch, version, changed: Changed::Yes })
            }
            Answer::Truth(TruthAnswer::Mismatch { epoch, version, .. }) => {
                Answer::Truth(TruthAnswer::Mismatch { epoch, version, data: None })
            }
            Answer::Truth(TruthAnswer::DoesNotApply(_)) => {
                Answer::Truth(TruthAnswer::DoesNotApply(String::new()))
            }
            Answer::Channel(info) => Answer::Channel(ChannelInfo { occupied: false, ..info }),
            answer => answer,
        };
        if when == When::Durable && log.rule.durability == Durability::Full {
            let head = self.disk.head(&self.channels[channel].key) as usize;
            let refused = matches!(expected, Answer::Refused(_));
            assert!(head >= upto || refused, "I4: answered before it is durable: {answer:?}");
        }
        assert_eq!(plain(answer), plain(expected), "I8: {:?}", self.channels[channel].log);
        self.count("acknowledged");
    }
}
