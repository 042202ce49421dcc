// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Plan`]: what the resolver's thread does, from the first question to the last.
//!
//! One task per call in flight; everything else is done by the one loop below, which owns it.

use std::collections::HashMap;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::call::Call;
use super::failure::Failure;
use super::line::Line;
use super::report::Report;
use super::source::Sources;
use super::{Bounds, Outcome, Question, ResolveTicket, SourceIndex, Stage};
use crate::outgoing::client::{HttpClient, IDLE_CONNECTION, Keep, client};

/// Called with each outcome.
pub(super) type Answer = Box<dyn Fn(ResolveTicket, Outcome) + Send + Sync>;

/// Everything the thread needs.
pub(super) struct Plan {
    pub(super) sources: Sources,
    pub(super) bounds: Bounds,
    pub(super) arrivals: mpsc::UnboundedReceiver<Question>,
    pub(super) stop: watch::Receiver<Stage>,
    pub(super) answer: Answer,
}

impl Plan {
    /// Runs to the end.
    pub(super) fn run(self, runtime: &Runtime) {
        runtime.block_on(self.carry_out());
    }

    async fn carry_out(self) {
        let Plan { sources, bounds, mut arrivals, mut stop, answer } = self;
        let mut desk = Desk::new(sources, bounds, answer);
        loop {
            desk.call_whom_it_may();
            tokio::select! {
                biased;
                // An error means that nobody is left who could say so.
                _ = stop.wait_for(|stage| *stage == Stage::Stopping) => return,
                Some(ended) = desk.calls.join_next_with_id() => desk.close(ended),
                question = arrivals.recv() => match question {
                    Some(question) => desk.take(question),
                    None => return,
                },
            }
        }
    }
}

/// What waits, what is in flight, and what is done about it.
struct Desk {
    sources: Sources,
    bounds: Bounds,
    http: HttpClient,
    line: Line<Question>,
    calls: JoinSet<Result<Outcome, Failure>>,
    /// Of each call in flight.
    open: HashMap<Id, Open>,
    reports: Vec<Report>,
    answer: Answer,
}

/// A question whose call is in flight.
struct Open {
    question: Question,
    began: Instant,
}

impl Desk {
    fn new(sources: Sources, bounds: Bounds, answer: Answer) -> Desk {
        let bounds = Bounds { calls: bounds.calls.max(1), ..bounds };
        let keep = Keep { idle: IDLE_CONNECTION, per_host: bounds.calls };
        Desk {
            http: client(sources.tls.clone(), keep),
            line: Line::new(sources.all.len(), bounds.calls),
            calls: JoinSet::new(),
            open: HashMap::new(),
            reports: sources.all.iter().map(|_| Report::default()).collect(),
            sources,
            bounds,
            answer,
        }
    }

    fn take(&mut self, question: Question) {
        let source = question.source;
        self.line.push(source, question);
        self.show(source);
    }

    fn call_whom_it_may(&mut self) {
        while let Some((source, question)) = self.line.admit() {
            let call = Call {
                source: self.sources.get(source).clone(),
                asker: self.sources.asker(question.app).clone(),
                channel: question.channel.clone(),
                bounds: self.bounds,
                http: self.http.clone(),
            };
            let id = self.calls.spawn(call.run()).id();
            self.open.insert(id, Open { question, began: Instant::now() });
            self.show(source);
        }
    }

    fn close(&mut self, ended: Result<(Id, Result<Outcome, Failure>), JoinError>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(Failure::Bug)),
        };
        let Open { question, began } = self.open.remove(&id).expect("each call has its question");
        let Question { app, source: index, channel, ticket } = question;
        self.line.leave(index);
        self.show(index);
        let source = self.sources.get(index);
        let stats = &self.sources.stats[index.0 as usize];
        let report = &mut self.reports[index.0 as usize];
        stats.count_call(began.elapsed());
        let outcome = match result {
            Ok(outcome) => {
                match outcome {
                    Outcome::None => stats.count_none(),
                    _ => stats.count_truth(),
                }
                report.answered(source);
                outcome
            }
            Err(failure) => {
                stats.count_failure(failure.kind());
                let reason = failure.to_string();
                report.failed(source, self.sources.asker(app), &channel, &reason);
                Outcome::Failed(reason)
            }
        };
        (self.answer)(ticket, outcome);
    }

    /// Lets metrics see how the source's line is.
    fn show(&self, source: SourceIndex) {
        let (waiting, in_flight) = (self.line.waiting(source), self.line.in_flight(source));
        self.sources.stats[source.0 as usize].set_line(waiting, in_flight);
    }
}
