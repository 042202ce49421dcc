// SPDX-License-Identifier: MIT OR Apache-2.0
//! The resolver end to end: real sockets, real runtimes, the production code.

mod answers;
mod backend;
mod bad_answers;
mod closures;
mod fairness;
mod stop;

use std::sync::Arc;
use std::time::Duration;

use oyez_core::{AppIndex, WorkerId};
use oyez_protocol::channel::ChannelName;
use tokio::sync::mpsc;

use super::*;
use crate::apps::Apps;
use crate::options::AppOptions;

/// Whatever a test waits for comes well within this time, or the test fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// A call may take so long where its end is not what the test is about.
const LONG: Duration = Duration::from_secs(3600);
/// A call may take so long where it is to end.
const SHORT: Duration = Duration::from_millis(200);

const APP_ID: &str = "3";
const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";

const BOUNDS: Bounds = Bounds { calls: 64, answer_bytes: 64 * 1024 };

fn apps() -> Apps {
    let other = AppOptions::new("4", "other", "secret of the other");
    Apps::new(vec![AppOptions::new(APP_ID, KEY, SECRET), other]).expect("good apps")
}

fn url(url: String, timeout: Duration) -> SourceOptions {
    SourceOptions { timeout, kind: SourceKind::Url(url) }
}

/// A resolver, and what it says.
struct Asking {
    resolver: Resolver,
    stats: Arc<[SourceStats]>,
    outcomes: mpsc::UnboundedReceiver<(ResolveTicket, Outcome)>,
    asked: u64,
}

impl Asking {
    fn of(sources: Vec<SourceOptions>) -> Asking {
        Asking::with(sources, BOUNDS)
    }

    fn with(sources: Vec<SourceOptions>, bounds: Bounds) -> Asking {
        let sources = Sources::new(&apps(), sources).expect("good sources");
        let (tell, outcomes) = mpsc::unbounded_channel();
        let stats = sources.stats();
        let resolver = Resolver::start(sources, bounds, move |ticket, outcome| {
            // A test that has ended hears nothing.
            let _ = tell.send((ticket, outcome));
        });
        Asking { resolver: resolver.expect("a thread"), stats, outcomes, asked: 0 }
    }

    /// Asks a source as the first app; answers by the number of the question.
    fn ask(&mut self, source: u32, channel: &str) -> u64 {
        self.ask_as(AppIndex(0), source, channel)
    }

    fn ask_as(&mut self, app: AppIndex, source: u32, channel: &str) -> u64 {
        self.asked += 1;
        self.resolver.ask(Question {
            app,
            source: SourceIndex(source),
            channel: ChannelName::parse(channel, 164).expect("a name"),
            ticket: ResolveTicket { worker: WorkerId(5), number: self.asked },
        });
        self.asked
    }

    /// The next outcome, of the question with that number.
    async fn next(&mut self) -> (u64, Outcome) {
        let next = tokio::time::timeout(PATIENCE, self.outcomes.recv()).await;
        let (ticket, outcome) = next.expect("an outcome in time").expect("the resolver lives");
        assert_eq!(ticket.worker, WorkerId(5));
        (ticket.number, outcome)
    }

    /// The numbers of the next questions that came to an end.
    async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.push(self.next().await.0);
        }
        numbers
    }

    /// What the first source says of a channel.
    async fn outcome(&mut self, channel: &str) -> Outcome {
        let number = self.ask(0, channel);
        let (answered, outcome) = self.next().await;
        assert_eq!(answered, number);
        outcome
    }

    /// Why the first source says nothing of a channel.
    async fn failure(&mut self, channel: &str) -> String {
        match self.outcome(channel).await {
            Outcome::Failed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the counters of a source are as they should be.
    async fn until(&self, source: usize, done: impl Fn(&SourceStats) -> bool) {
        let waiting = async {
            while !done(&self.stats[source]) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("{:?}", self.stats);
        }
    }
}

fn truth(data: &str, version: Option<u64>) -> Outcome {
    Outcome::Truth { data: data.to_owned(), version }
}
