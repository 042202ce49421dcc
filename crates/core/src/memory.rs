// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Memory`]: everything that a channel with memory has beyond others: its log, and who waits
//! for it.

use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::api::Condition;
use oyez_protocol::encode::{CutPosition, Frame, ResetReason, Resumed};
use oyez_protocol::message::Aware;
use oyez_protocol::position::{Epoch, Offset, Position, Term};
use oyez_protocol::user::Member;
use smallvec::SmallVec;

use crate::ask::{Asking, Knowledge};
use crate::command::Listener;
use crate::effect::{Cached, Certainty, Refused, TruthAnswer, TruthValue};
use crate::key::ChannelKey;
use crate::log::{Log, LogSum, Past, Reader, Shown, Stretch, Terms};
use crate::place::{Place, ReplayOf, Speaks, Standing, Ticket};
use crate::record::{Entry, Timestamp};
use crate::rule::{CACHE_AGE, Durability, Empty, MemoryRule, Replay};
use crate::show::{Base, Time, frame};
use crate::time::Millis;

/// What a memory is worth to which nothing was published yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blank {
    /// Nothing: it goes with its channel, or strangers could fill the server with it.
    Nothing,
    /// Its webhook was told that the cache was missed, and shall not be told again.
    Told,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Memory {
    log: Log,
    /// When somebody is asked for the truth.
    pub(crate) asking: Option<Box<Asking>>,
    /// Where the log ended when the last answer had become part of it.
    told: Offset,
    /// Subscriptions that wait for an answer, in the order in which they came.
    pub(crate) held: Vec<Held>,
    /// Calls that wait for a truth.
    pub(crate) readers: Vec<TruthReader>,
    /// What any of the present subscribers wants.
    pub(crate) checks: Checks,
    /// When it will be looked at.
    look_at: Option<Millis>,
    /// A timer that is out beside that one, and later.
    later: Option<Millis>,
    /// Whether the webhook of this empty period has been sent.
    miss_told: bool,
    blank: Blank,
}

/// A subscription that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) place: Place,
    pub(crate) member: Option<Member>,
    pub(crate) listener: Listener,
    /// It waits for the answer to this question,
    pub(crate) run: u64,
    /// or until then.
    pub(crate) until: Millis,
}

/// A call that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TruthReader {
    pub(crate) ticket: Ticket,
    pub(crate) at_least: Offset,
    pub(crate) until: Millis,
}

/// What is worked out beside a new truth. It costs something, so somebody must want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Checks {
    /// Nothing.
    #[default]
    None,
    /// Its sum.
    Sums,
    /// What changed, too.
    Deltas,
}

/// What a newcomer is told.
pub(crate) struct Cut {
    /// The place of the acknowledgement.
    pub(crate) position: CutPosition,
    /// The replay, or its beginning.
    pub(crate) frames: SmallVec<[Frame; 2]>,
    /// How far that is.
    pub(crate) standing: Standing,
    /// Whether `cache_miss` was among the frames and nobody was told of it before.
    pub(crate) new_miss: bool,
}

impl Memory {
    pub(crate) fn new(log: Log, blank: Blank) -> Memory {
        let asking = log.rule().asked().map(|rule| Box::new(Asking::new(*rule)));
        Memory {
            log,
            asking,
            told: Offset::ZERO,
            held: Vec::new(),
            readers: Vec::new(),
            checks: Checks::None,
            look_at: None,
            later: None,
            miss_told: false,
            blank,
        }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Changes the log, and with it the sum of what all logs hold.
    pub(crate) fn change<R>(&mut self, sum: &mut LogSum, change: impl FnOnce(&mut Log) -> R) -> R {
        sum.follow(&mut self.log, change)
    }

    /// Somebody has to do with it.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.log.touch(now);
    }

    pub(crate) fn rule(&self) -> &Arc<MemoryRule> {
        self.log.rule()
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    /// Whether it outlives the process.
    pub(crate) fn is_kept(&self) -> bool {
        self.rule().durability != Durability::Off
    }

    /// It is to be looked at by that time. Answers when, if that needs a timer. Timers cannot be
    /// taken back, and a numbering is kept for weeks: one that is out is used again.
    pub(crate) fn look_by(&mut self, at: Millis) -> Option<Millis> {
        match self.look_at {
            Some(planned) if planned <= at => return None,
            Some(planned) => self.later = self.later.max(Some(planned)),
            None => {
                self.look_at = self.later.take_if(|later| *later <= at);
                if self.look_at.is_some() {
                    return None;
                }
            }
        }
        self.look_at = Some(at);
        Some(at)
    }

    /// A timer of that time has come. Answers whether it is time to look: one that was planned and
    /// then moved forward does nothing.
    pub(crate) fn is_look(&mut self, at: Millis) -> bool {
        self.later.take_if(|later| *later == at);
        self.look_at.take_if(|planned| *planned == at).is_some()
    }

    /// Where readers are.
    pub(crate) fn position(&self, term: Term) -> Position {
        Position { epoch: self.log.epoch(), term, offset: self.log.committed() }
    }

    /// Something was published: the next miss is a new one.
    pub(crate) fn end_miss(&mut self) {
        self.miss_told = false;
    }

    /// The version of the truth that decisions are made on.
    pub(crate) fn version(&self) -> Offset {
        self.log.truth_at_head().map_or(Offset::ZERO, |kept| kept.entry.offset)
    }

    /// Whether what a call takes for granted of the truth is so.
    pub(crate) fn check(&self, condition: Condition) -> Result<(), TruthAnswer> {
        self.check_version(self.version(), condition)
    }

    /// The same for an event. On a channel without a truth its events are its versions.
    pub(crate) fn check_event(&self, condition: Condition) -> Result<(), TruthAnswer> {
        let holds_none = self.rule().truth.is_none() && self.log.truth_at_head().is_none();
        let version = if holds_none { self.log.head() } else { self.version() };
        self.check_version(version, condition)
    }

    fn check_version(&self, version: Offset, condition: Condition) -> Result<(), TruthAnswer> {
        let (epoch, truth) = (self.epoch(), self.log.truth_at_head());
        let is_so = condition.version.is_none_or(|wanted| wanted == version)
            && condition.epoch.admits(&epoch);
        let data = truth.map(|kept| Arc::clone(&kept.entry));
        if is_so { Ok(()) } else { Err(TruthAnswer::Mismatch { epoch, version, data }) }
    }

    /// Everything for a subscription that begins now, with so many bytes of replay at once.
    pub(crate) fn cut(
        &mut self,
        key: &ChannelKey,
        listener: &Listener,
        terms: &Terms,
        budget: usize,
    ) -> Cut {
        let cut = self.log.committed();
        let resume = listener.resume.as_deref();
        let judged = resume.map(|resume| {
            let past = Past { epoch: resume.epoch, term: resume.term, offset: resume.offset };
            self.log.judge(past, terms)
        });
        let speaks = speaks(listener.aware.as_deref());
        let (after, replay) = match (resume, judged) {
            (Some(resume), Some(Ok(()))) => (resume.offset, ReplayOf::TheMissed(resume.socket)),
            _ => (Offset::ZERO, ReplayOf::TheRule),
        };
        let standing = Standing { cut, shown: after, replay, speaks };
        let shown = self.up_to_cut(&standing);
        // A version means the same value only in a history that was never lost.
        let base = listener.aware.as_deref().filter(|_| replay != ReplayOf::TheRule);
        let base = base.and_then(|aware| self.base(aware));
        let budget = self.budget(&standing, budget);
        let (frames, upto) = self.encode(key, &shown, budget, standing, base.as_ref());
        let resumed = if replay == ReplayOf::TheRule { Resumed::No } else { Resumed::Yes };
        let position = CutPosition {
            position: self.position(terms.now()),
            resumed,
            replay: shown.len(),
            generation: listener.aware.as_deref().and_then(|aware| aware.generation),
            reason: judged.and_then(Result::err),
            version: self.version_for(speaks),
        };
        let standing = Standing { shown: self.reached(upto, &standing), ..standing };
        let mut cut = Cut { position, frames: frames.into(), standing, new_miss: false };
        if self.rule().empty == Empty::CacheMiss && self.log.is_blank() {
            cut.frames.push(Frame::cache_miss(key.name()));
            cut.new_miss = !std::mem::replace(&mut self.miss_told, true);
        }
        cut
    }

    /// A new beginning for a subscriber that has lost its place, or that its place has left, with
    /// what is newer than that offset.
    pub(crate) fn recut(
        &self,
        key: &ChannelKey,
        speaks: Speaks,
        after: Offset,
        reason: ResetReason,
        term: Term,
        budget: usize,
    ) -> (Vec<Frame>, Standing) {
        let cut = self.log.committed();
        let standing = Standing { cut, shown: after, replay: ReplayOf::TheRule, speaks };
        let shown = self.up_to_cut(&standing);
        let budget = self.budget(&standing, budget);
        let (mut frames, upto) = self.encode(key, &shown, budget, standing, None);
        if speaks == Speaks::Oyez {
            let position = self.position(term);
            let version = self.version_for(speaks);
            let reset = Frame::reset(key.name(), position, shown.len(), reason, version);
            frames.insert(0, reset);
        }
        (frames, Standing { shown: self.reached(upto, &standing), ..standing })
    }

    /// More for a reader who has fallen behind, with so many bytes; `None` if what it needs is not
    /// held any more.
    pub(crate) fn stretch(
        &self,
        key: &ChannelKey,
        own: Reader,
        standing: Standing,
        budget: usize,
    ) -> Option<(Vec<Frame>, Standing)> {
        self.log.reaches(standing.shown).ok()?;
        let mut frames = Vec::new();
        let mut standing = standing;
        let mut left = budget;
        if standing.shown < standing.cut {
            let shown = self.up_to_cut(&standing);
            let (more, upto) = self.encode(key, &shown, left, standing, None);
            standing.shown = upto.unwrap_or(standing.cut);
            left = left.saturating_sub(more.iter().map(|frame| frame.bytes().len()).sum());
            frames = more;
        }
        if standing.shown >= standing.cut && left > 0 {
            let upto = self.log.committed();
            let shown = self.log.missed(Stretch { after: standing.shown, upto }, own);
            let (more, reached) = self.encode(key, &shown, left, standing, None);
            standing.shown = reached.unwrap_or(upto);
            frames.extend(more);
        }
        Some((frames, standing))
    }

    /// How much may be shown at once: what is no part of the ring cannot be shown in parts.
    fn budget(&self, standing: &Standing, budget: usize) -> usize {
        let in_parts = standing.replay != ReplayOf::TheRule || self.rule().replay == Replay::All;
        if in_parts { budget } else { usize::MAX }
    }

    /// Encodes as much as the bytes allow, one thing at the least, and everything that is older
    /// than the ring: no offset says how far somebody is in it. Answers how far that is, if it is
    /// not all.
    fn encode(
        &self,
        key: &ChannelKey,
        shown: &[Shown<'_>],
        budget: usize,
        standing: Standing,
        base: Option<&Base>,
    ) -> (Vec<Frame>, Option<Offset>) {
        let low = self.log.low();
        let (mut frames, mut bytes) = (Vec::with_capacity(shown.len().min(64)), 0);
        for (at, one) in shown.iter().enumerate() {
            if bytes >= budget && at > 0 && one.upto() >= low {
                return (frames, Some(shown[at - 1].upto()));
            }
            let time = if one.upto() <= standing.cut { Time::Past } else { Time::Live };
            let frame = frame(key, one, time, base);
            bytes += frame.bytes().len();
            frames.push(frame);
        }
        (frames, None)
    }

    /// How far a replay brings a reader that ended at that offset, or with the cut.
    fn reached(&self, upto: Option<Offset>, standing: &Standing) -> Offset {
        match (upto, standing.replay) {
            (None, _) => standing.cut,
            // What is older than the ring comes first; between the two is nothing to show.
            (Some(upto), ReplayOf::TheRule) => upto.max(self.log.low().before()).min(standing.cut),
            (Some(upto), ReplayOf::TheMissed(_)) => upto,
        }
    }

    /// What is left to show of the log before the cut.
    fn up_to_cut(&self, standing: &Standing) -> Vec<Shown<'_>> {
        let stretch = Stretch { after: standing.shown, upto: standing.cut };
        match standing.replay {
            ReplayOf::TheRule => self.log.for_newcomer(stretch, standing.speaks),
            ReplayOf::TheMissed(socket) => {
                self.log.missed(stretch, Reader { speaks: standing.speaks, socket })
            }
        }
    }

    /// The truth that a client says it holds, if it takes changes of it.
    fn base(&self, aware: &Aware) -> Option<Base> {
        let held = self.log.truth_of_version(aware.version?)?;
        Some(Base { entry: Arc::clone(&held.entry), deltas: aware.deltas })
    }

    fn version_for(&self, speaks: Speaks) -> Option<Offset> {
        let truth = self.log.truth().filter(|_| speaks == Speaks::Oyez)?;
        Some(truth.entry.offset)
    }

    /// The remembered event, as the HTTP API shows it.
    pub(crate) fn cached(&self, now: Timestamp) -> Option<Cached> {
        let entry = &self.log.latest()?.entry;
        let ends = entry.time + self.rule().latest_age;
        // Nobody may have looked since it ended.
        let left = ends.0.checked_sub(now.0).filter(|left| *left > 0)?;
        Some(Cached { data: entry.data().to_owned(), ttl: Duration::from_millis(left) })
    }

    /// The truth, as a call reads it.
    pub(crate) fn value(&self) -> Result<TruthValue, Refused> {
        let kept = self.log.truth().ok_or(Refused::NoTruth)?;
        let entry: Arc<Entry> = Arc::clone(&kept.entry);
        Ok(TruthValue { epoch: self.log.epoch(), entry, certainty: self.certainty() })
    }

    /// Whether the truth is known to be what is true.
    pub(crate) fn certainty(&self) -> Certainty {
        match self.asking.as_ref().map(|asking| asking.knowledge()) {
            None | Some(Knowledge::Fresh) => Certainty::Fresh,
            Some(Knowledge::Stale | Knowledge::Unconfirmed) => Certainty::Stale,
        }
    }

    /// The answer to a question has become part of the log.
    pub(crate) fn take_in_answer(&mut self) {
        self.told = self.log.head();
    }

    /// Whether the answer to that question, or to a later one, may be seen.
    pub(crate) fn shows_answer(&self, run: u64) -> bool {
        let answered = self.asking.as_deref().is_none_or(|asking| asking.last_answered() >= run);
        answered && self.log.committed() >= self.told
    }

    /// Whether what is true is known, and may be seen.
    pub(crate) fn is_ready(&self) -> bool {
        self.certainty() == Certainty::Fresh && self.log.head() == self.log.committed()
    }

    /// Whether nobody waits for it, and nothing is held.
    pub(crate) fn is_deserted(&self) -> bool {
        let nobody_waits = self.held.is_empty() && self.readers.is_empty();
        let nobody_answers = self.asking.as_ref().is_none_or(|asking| asking.is_idle());
        nobody_waits && nobody_answers && self.log.is_empty()
    }

    /// When it can be let go, if nobody has to do with it until then and nothing is left.
    pub(crate) fn ends_at(&self) -> Timestamp {
        match (self.log.head() == Offset::ZERO, self.blank) {
            (true, Blank::Nothing) => Timestamp::default(),
            (true, Blank::Told) => self.log.touched() + CACHE_AGE,
            (false, _) => self.log.ends_at(),
        }
    }
}

/// What a client understands.
pub(crate) fn speaks(aware: Option<&Aware>) -> Speaks {
    if aware.is_some() { Speaks::Oyez } else { Speaks::Pusher }
}
