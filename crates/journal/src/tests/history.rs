// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`History`]: what some homes append, chosen by a seed, and what of it must be on disk.
//!
//! Each append also moves its home's own channel `progress-N` to its mark. What a recovered
//! journal says of those channels tells which appends it holds, with no word of the code between.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;

use oyez_core::{
    AppIndex, Append, CallId, ChannelKey, Entry, EntryKind, Identity, Mark, Part, Record,
    Recovered, Row, StoredAnswer, Timestamp, Urgency, WorkerId,
};
use oyez_protocol::socket_id::SocketId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::sample::{NOW, answer, append, epoch, key, offset, part, term};

/// How many homes append.
pub(crate) const HOMES: usize = 3;

/// How many entries of a channel are kept.
const KEPT: usize = 4;

/// What homes append, in the order in which they post it.
pub(crate) struct History {
    posts: Vec<(WorkerId, Append)>,
}

/// Everything that a journal holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Content {
    identities: BTreeMap<(u32, String), Identity>,
    entries: BTreeMap<u64, (u32, String, Entry)>,
    answers: BTreeMap<u64, (u32, StoredAnswer)>,
}

/// Of each home, up to which mark.
pub(crate) type Marks = [u64; HOMES];

struct HomeWriter {
    home: usize,
    mark: u64,
    rows: u64,
    /// Each channel's head and kept rows.
    channels: Vec<(ChannelKey, u64, VecDeque<Row>)>,
    answers: VecDeque<Row>,
    queue: VecDeque<Append>,
}

impl History {
    /// What the homes append in one start after the other, so many appends in each. The same seed
    /// gives the same.
    pub(crate) fn starts<const N: usize>(seed: u64, appends: [usize; N]) -> [History; N] {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut homes: Vec<HomeWriter> = (0..HOMES).map(HomeWriter::new).collect();
        appends.map(|appends| History::next(&mut homes, appends, &mut rng))
    }

    fn next(homes: &mut [HomeWriter], appends: usize, rng: &mut StdRng) -> History {
        while homes.iter().map(|home| home.queue.len()).sum::<usize>() < appends {
            let first = rng.random_range(0..HOMES);
            if rng.random_ratio(1, 4) {
                let call = CallId { worker: WorkerId(first as u16), serial: rng.random() };
                let parts = rng.random_range(2..=HOMES);
                for home in (first..first + parts).map(|home| home % HOMES) {
                    let made = homes[home].append(rng);
                    homes[home].queue.push_back(part(made, Part { call, parts: parts as u32 }));
                }
            } else {
                let made = homes[first].append(rng);
                homes[first].queue.push_back(made);
            }
        }
        let mut posts = Vec::new();
        while homes.iter().any(|home| !home.queue.is_empty()) {
            let home = rng.random_range(0..HOMES);
            let next = homes[home].queue.pop_front();
            posts.extend(next.map(|append| (WorkerId(home as u16), append)));
        }
        History { posts }
    }

    pub(crate) fn posts(&self) -> impl Iterator<Item = (WorkerId, Append)> {
        self.posts.iter().map(|(home, append)| {
            let Append { mark, records, urgency, part } = append;
            let records = records.clone();
            (*home, Append { mark: *mark, records, urgency: *urgency, part: *part })
        })
    }

    /// What a journal must hold when it has each home's appends up to those marks. Homes have no
    /// channel and no row in common, so the order between them does not matter.
    pub(crate) fn apply(&self, content: &mut Content, marks: &Marks) {
        for (home, append) in &self.posts {
            if append.mark.0 <= marks[usize::from(home.0)] {
                append.records.iter().for_each(|record| content.apply(record));
            }
        }
    }

    /// Panics unless those marks hold each call as a whole or not at all.
    pub(crate) fn check_calls(&self, marks: &Marks) {
        let mut calls: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
        for (home, append) in &self.posts {
            let Some(Part { call, parts }) = append.part else { continue };
            let (held, _) = calls.entry(call.serial).or_insert((0, parts));
            *held += u32::from(append.mark.0 <= marks[usize::from(home.0)]);
        }
        for (serial, (held, parts)) in calls {
            assert!(held == 0 || held == parts, "call {serial} holds {held} of {parts} parts");
        }
    }
}

impl HomeWriter {
    fn new(home: usize) -> HomeWriter {
        let channels = (0..2).map(|n| key(n, &format!("channel-{home}-{n}")));
        let channels = channels.map(|key| (key, 0, VecDeque::new())).collect();
        let (answers, queue) = (VecDeque::new(), VecDeque::new());
        HomeWriter { home, mark: 0, rows: 0, channels, answers, queue }
    }

    fn row(&mut self) -> Row {
        self.rows += 1;
        Row(self.rows * HOMES as u64 + self.home as u64)
    }

    fn append(&mut self, rng: &mut StdRng) -> Append {
        self.mark += 1;
        let progress = key(0, &format!("progress-{}", self.home));
        let mut records = vec![identity(&progress, self.mark, rng)];
        for _ in 0..rng.random_range(1..=2) {
            match rng.random_range(0..10) {
                0 => self.forget_channel(&mut records, rng),
                1 => {
                    let row = self.row();
                    self.answers.push_back(row);
                    records.push(answer(row.0, 1, Timestamp(NOW.0 + 60_000)));
                }
                2 => records.extend(self.answers.pop_front().map(Record::Remove)),
                _ => self.publish(&mut records, rng),
            }
        }
        let urgency = if rng.random_ratio(1, 3) { Urgency::Relaxed } else { Urgency::Gated };
        Append { urgency, ..append(self.mark, records) }
    }

    fn publish(&mut self, records: &mut Vec<Record>, rng: &mut StdRng) {
        let row = self.row();
        let (key, head, rows) = &mut self.channels[rng.random_range(0..2)];
        *head += 1;
        if *head == 1 {
            records.push(identity(key, 0, rng));
        }
        let kind = EntryKind::ALL[rng.random_range(0..EntryKind::ALL.len())];
        let length = if rng.random_ratio(1, 8) { 9_000 } else { rng.random_range(0..600) };
        let data: String = (0..length).map(|_| rng.random_range('a'..='z')).collect();
        let mut entry = Entry::new(offset(*head), kind, "moved", &data, NOW);
        entry.expires = NonZeroU64::new(rng.random_range(0..2) * (NOW.0 + 5));
        entry.exclude = rng.random_ratio(1, 2).then(|| {
            let text = format!("{}.{}", rng.random_range(1..1000), rng.random_range(1..1000));
            Box::new(SocketId::parse(&text).unwrap())
        });
        rows.push_back(row);
        records.push(Record::Entry { row, key: key.clone(), entry: Arc::new(entry) });
        if rows.len() > KEPT {
            records.extend(rows.pop_front().map(Record::Remove));
        }
    }

    fn forget_channel(&mut self, records: &mut Vec<Record>, rng: &mut StdRng) {
        let (key, head, rows) = &mut self.channels[rng.random_range(0..2)];
        *head = 0;
        records.extend(rows.drain(..).map(Record::Remove));
        records.push(Record::Unidentify(key.clone()));
    }
}

fn identity(key: &ChannelKey, head: u64, rng: &mut StdRng) -> Record {
    let lineage = (0..rng.random_range(0..3)).map(|n| (term(n), offset(u64::from(n)))).collect();
    let (epoch, term, head) = (epoch(1), term(1), offset(head));
    let identity = Identity { epoch, term, head, lineage, touched: NOW };
    Record::Identity { key: key.clone(), identity: Box::new(identity) }
}

impl Content {
    pub(crate) fn recovered(recovered: &Recovered) -> Content {
        let mut content = Content::default();
        for channel in &recovered.channels {
            let (AppIndex(app), name) = (channel.app, channel.name.to_string());
            for (row, entry) in &channel.entries {
                content.entries.insert(row.0, (app, name.clone(), entry.clone()));
            }
            content.identities.insert((app, name), channel.identity.clone());
        }
        for (row, app, answer) in &recovered.answers {
            content.answers.insert(row.0, (app.0, answer.clone()));
        }
        content
    }

    /// What it says of each home's progress.
    pub(crate) fn marks(&self) -> Marks {
        std::array::from_fn(|home| {
            let progress = self.identities.get(&(0, format!("progress-{home}")));
            progress.map_or(0, |identity| identity.head.get())
        })
    }

    pub(crate) fn last_row(&self) -> Option<u64> {
        let entry = self.entries.last_key_value().map(|(row, _)| *row);
        entry.max(self.answers.last_key_value().map(|(row, _)| *row))
    }

    fn apply(&mut self, record: &Record) {
        let name = |key: &ChannelKey| (key.app().0, key.name().to_string());
        match record {
            Record::Entry { row, key, entry } => {
                let (app, channel) = name(key);
                self.entries.insert(row.0, (app, channel, Entry::clone(entry)));
            }
            Record::Answer { row, app, answer } => {
                self.answers.insert(row.0, (app.0, StoredAnswer::clone(answer)));
            }
            Record::Remove(row) => {
                self.entries.remove(&row.0);
                self.answers.remove(&row.0);
            }
            Record::Identity { key, identity } => {
                self.identities.insert(name(key), Identity::clone(identity));
            }
            Record::Unidentify(key) => {
                self.identities.remove(&name(key));
            }
        }
    }
}

/// The greatest marks that were reported committed.
pub(crate) fn reported(reports: &[(WorkerId, crate::Report)]) -> Marks {
    let mut marks = [0; HOMES];
    for (home, report) in reports {
        if let crate::Report::Committed(Mark(mark)) = report {
            let last = &mut marks[usize::from(home.0)];
            assert!(*mark > *last, "reported in order");
            *last = *mark;
        }
    }
    marks
}
