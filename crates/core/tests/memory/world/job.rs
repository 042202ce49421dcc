// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Job`]: a call with an idempotency key that is tried again and again, by any worker, now and
//! then with another body; and whether it was done exactly once.

use oyez_core::{
    Answer, Begun, BodyHash, CallId, Caller, Command, Durability, Part, Publish, Refused, Room,
    Wanted, When, WorkerId,
};
use oyez_protocol::api::Condition;
use rand::RngExt;

use super::{Channel, World, at};

/// One try of a job.
#[derive(Debug)]
pub(super) struct Try {
    job: usize,
    body: u8,
    worker: WorkerId,
    part: Option<Part>,
    missing: usize,
}

/// A call with an idempotency key.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) channels: Vec<usize>,
    pub(crate) begun: u64,
    pub(crate) acked: bool,
}

impl World {
    /// A job is tried, the first time or again; now and then with another body.
    pub(crate) fn try_job(&mut self, job: usize) {
        let worker = self.any_worker();
        let body = u8::from(self.rng.random_range(0..8) == 0 && job.is_multiple_of(2));
        self.all_tries.push(Try { job, body, worker, part: None, missing: 0 });
        let nth = self.all_tries.len() - 1;
        let ticket = self.ticket(worker);
        self.tries.insert(ticket.call, nth);
        let app = self.channels[0].key.app();
        let key = (app, format!("job {job}").into_boxed_str());
        let keeper = self.keys.home_of_call(app, &key.1, self.workers());
        let begin = Command::Begin { key, body: BodyHash([body; 32]), ticket };
        self.to_home[at(worker)][at(keeper)].push_back(begin);
    }

    pub(super) fn tried(&mut self, call: u32, answer: Answer) {
        let nth = self.tries.remove(&call).expect("somebody tries");
        let Try { job, body, worker, .. } = self.all_tries[nth];
        let app = self.channels[0].key.app();
        let key = (app, format!("job {job}").into_boxed_str());
        let keeper = self.keys.home_of_call(app, &key.1, self.workers());
        match answer {
            Answer::Begun(Begun::First) => {
                let channels = self.jobs[job].channels.clone();
                let kept = |at: &usize| self.channels[*at].log.rule.durability != Durability::Off;
                let parts = channels.iter().filter(|at| kept(at)).count() as u32 + 1;
                let serial = nth as u64;
                let part = (parts > 1).then_some(Part { call: CallId { worker, serial }, parts });
                (self.all_tries[nth].part, self.all_tries[nth].missing) = (part, channels.len());
                if channels.len() > 1 && self.workers() > 1 {
                    self.count("two homes");
                }
                for at in channels {
                    let ticket = self.ticket(worker);
                    self.tries.insert(ticket.call, nth);
                    let part = part.filter(|_| kept_one(&self.channels[at]));
                    let publish = Publish {
                        key: self.channels[at].key.clone(),
                        event: "job".to_owned(),
                        data: format!("{job}/{body}"),
                        exclude: None,
                        condition: Condition::default(),
                        wanted: Wanted { position: true, ..Wanted::default() },
                        room: Room::Left,
                        part,
                        caller: Some(Caller { ticket, when: When::Decided }),
                    };
                    self.send(worker, Command::Publish(Box::new(publish)));
                }
            }
            Answer::Begun(Begun::Again(stored)) => {
                self.count("again");
                assert_eq!((stored.status, &*stored.answer), (200, &[body][..]), "T-023");
                self.check_done(job, body);
            }
            Answer::Begun(Begun::Conflict) => self.count("conflict"),
            Answer::Channel(_) | Answer::Truth(_) => {
                let due = self.due.remove(&call).expect("predicted");
                self.compare(due, answer, When::Decided);
                self.all_tries[nth].missing -= 1;
                if self.all_tries[nth].missing == 0 {
                    let ticket = self.ticket(worker);
                    self.tries.insert(ticket.call, nth);
                    let (part, answer) = (self.all_tries[nth].part, vec![body].into());
                    let seal = Command::Seal { key, status: 200, answer, part, ticket };
                    self.to_home[at(worker)][at(keeper)].push_back(seal);
                }
            }
            Answer::Done => self.check_done(job, body),
            Answer::Begun(Begun::JournalFailed) | Answer::Refused(Refused::JournalFailed) => {
                assert!(self.failed);
                self.due.remove(&call);
            }
            other => panic!("{other:?}"),
        }
    }

    /// A job was answered: it is done for good, once.
    fn check_done(&mut self, job: usize, body: u8) {
        self.jobs[job].acked = true;
        let data = format!("{job}/{body}");
        for at in self.jobs[job].channels.clone() {
            if !kept_one(&self.channels[at]) || self.restored {
                continue;
            }
            let key = &self.channels[at].key;
            let said = self.channels[at].log.entries.iter().zip(1..);
            let said = said.filter(|(said, _)| said.event == "job" && said.data == data);
            let said: Vec<usize> = said.map(|(_, at)| at).collect();
            let young = self.wall - self.jobs[job].begun < 9 * 60_000;
            assert!(said.len() == 1 || !young && !said.is_empty(), "T-023: {said:?}");
            assert!(said[0] as u64 <= self.disk.head(key), "I4: it would be lost");
        }
    }

    /// What has happened to jobs, at rest.
    pub(crate) fn check_jobs(&self) {
        for (nth, job) in self.jobs.iter().enumerate() {
            for at in &job.channels {
                let mine = format!("{nth}/");
                let log = self.channels[*at].log.entries.iter();
                let times = log.filter(|s| s.event == "job" && s.data.starts_with(&mine)).count();
                let kept = kept_one(&self.channels[*at]) && !self.restored;
                assert!(times <= 1 || !kept, "T-023: the job {nth} was done {times} times");
                assert!(times == 1 || !job.acked || !kept, "I4: the job {nth} was lost");
            }
        }
    }
}

fn kept_one(channel: &Channel) -> bool {
    channel.log.rule.durability != Durability::Off
}
