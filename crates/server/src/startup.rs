// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is made of, from its options and from what survived.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oyez_core::{
    AppIndex, AppRules, AskRule, Bounds as MemoryBounds, Durability, Effect, Home, KeySpace,
    Millis, Recovered, RuleBook, Rules, Start, Timestamp, TruthRule, TruthSource, WorkerId,
    WrittenRule,
};
use oyez_journal::{Committer, Journal, Report};
use oyez_protocol::position::Term;

use crate::options::{AppOptions, ChannelOptions, Options, Source};
use crate::resolver::{Bounds, Resolver, SourceKind, SourceOptions, Sources};
use crate::worker::follow::BEHIND_SHARE;
use crate::worker::mail::{Letter, Post};
use oyez_core::Command;

/// The moment of a start.
pub(crate) struct Clock {
    /// By the monotonic clock.
    pub(crate) start: Instant,
    /// By the wall clock, which is read once and never again.
    pub(crate) time: Timestamp,
    /// Names this start.
    pub(crate) term: Term,
}

impl Clock {
    pub(crate) fn now() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let time = Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Clock { start: Instant::now(), time, term: Term::random(&mut rand::rng()) }
    }
}

/// Starts the thread that makes things durable, and tells the homes.
pub(crate) fn commit(journal: Box<dyn Journal>, post: &Post) -> io::Result<Committer> {
    let to = post.clone();
    Committer::start(journal, post.workers(), move |home, report| {
        let letter = match report {
            Report::Committed(mark) => Letter::Command(Command::Committed(mark)),
            Report::Failed(reason) => Letter::JournalFailed(reason),
        };
        // A worker that has ended tells nobody any more.
        let _ = to.send(home, letter);
    })
}

/// Starts the thread that asks backends for truths, and tells the homes.
pub(crate) fn resolve(sources: Sources, options: &Options, post: &Post) -> io::Result<Resolver> {
    let bounds =
        Bounds { calls: options.limits.resolver_calls, answer_bytes: options.limits.truth_bytes };
    let to = post.clone();
    Resolver::start(sources, bounds, move |ticket, outcome| {
        let _ = to.send(ticket.worker, Letter::Resolved(ticket.number, outcome));
    })
}

/// Everybody who is asked for truths, in the order of the rules that name them.
pub(crate) fn sources(options: &Options) -> Vec<SourceOptions> {
    let rules = options.apps.iter().flat_map(|app| &app.channels);
    rules.filter_map(source).collect()
}

fn source(rule: &ChannelOptions) -> Option<SourceOptions> {
    let truth = rule.truth.as_ref()?;
    let kind = match &truth.source {
        Source::Pushed | Source::Trigger => return None,
        Source::Url(url) => SourceKind::Url(url.clone()),
        Source::Closure { runtime, closure } => SourceKind::Closure {
            name: rule.pattern.as_str().to_owned(),
            runtime: runtime.clone(),
            closure: Arc::clone(closure),
        },
    };
    Some(SourceOptions { timeout: truth.timeout, kind })
}

/// The homes, with what survived of their channels; and how many channels each app has.
pub(crate) fn homes(
    rules: &Rules,
    workers: usize,
    recovered: Recovered,
    keys: &KeySpace,
    clock: &Clock,
) -> (Vec<Home>, Vec<AppIndex>) {
    let start = |home: usize| Start {
        home: WorkerId(home as u16),
        terms: recovered.terms.clone(),
        time: clock.time,
        next_row: recovered.next_row,
        seed: rand::random(),
    };
    let mut homes: Vec<_> = (0..workers).map(|at| Home::new(rules.clone(), start(at))).collect();
    let mut effects = Vec::new();
    for channel in recovered.channels {
        let key = keys.key(channel.app, channel.name);
        let home = &mut homes[usize::from(key.home(workers).0)];
        home.recover(key, channel.identity, channel.entries, Millis(0), &mut effects);
    }
    for (row, app, answer) in recovered.answers {
        let home = keys.home_of_call(app, &answer.key, workers);
        homes[usize::from(home.0)].recover_answer(app, row, answer, Millis(0));
    }
    let opened = effects.into_iter().filter_map(|effect| match effect {
        Effect::Opened(app) => Some(app),
        _ => None,
    });
    (homes, opened.collect())
}

/// What all homes go by, and each of so many holds.
pub(crate) fn rules(options: &Options, workers: usize) -> Rules {
    let limits = &options.limits;
    let safest = if options.data_dir.is_some() { Durability::Full } else { Durability::Off };
    let bounds =
        MemoryBounds { bytes: limits.history_bytes, names: limits.retained_events, safest };
    let mut sources = 0;
    let apps = options.apps.iter().map(|app| app_rules(app, bounds, &mut sources)).collect();
    Rules {
        presence_members: limits.presence_members,
        webhook_delay: options.webhook_delay,
        // A replay that comes to a socket which is behind must not close it.
        replay_bytes: limits.replay_bytes.min(limits.output_bytes / BEHIND_SHARE),
        truth_bytes: limits.truth_bytes,
        memory_bytes: limits.memory_bytes.div_ceil(workers),
        idempotency_keys: limits.idempotency_keys.div_ceil(workers),
        safest,
        apps,
    }
}

fn app_rules(app: &AppOptions, bounds: MemoryBounds, sources: &mut u32) -> AppRules {
    let written: Vec<_> = app.channels.iter().map(|rule| written(rule, sources)).collect();
    AppRules {
        subscription_count: app.switches.subscription_count,
        webhooks: app.webhooks.iter().flat_map(|hook| hook.events.iter().copied()).collect(),
        channels: RuleBook::new(&written, bounds),
    }
}

/// A rule as the core knows it; sources are numbered as [`sources`] lists them.
fn written(rule: &ChannelOptions, sources: &mut u32) -> WrittenRule {
    let truth = rule.truth.as_ref().map(|truth| TruthRule {
        event: truth.event.clone(),
        source: match truth.source {
            Source::Pushed => TruthSource::Pushed,
            Source::Trigger => TruthSource::Trigger,
            Source::Url(_) | Source::Closure { .. } => {
                *sources += 1;
                TruthSource::Asked(AskRule {
                    whom: *sources - 1,
                    wait: truth.wait,
                    confirm: truth.confirm,
                    settle: truth.settle,
                    refresh: truth.refresh,
                })
            }
        },
    });
    WrittenRule {
        pattern: rule.pattern.clone(),
        replay: rule.replay,
        history: rule.history,
        durability: rule.durability,
        truth,
    }
}

/// What the door goes by: the very books of the homes.
pub(crate) fn rule_books(rules: &Rules) -> Vec<RuleBook> {
    rules.apps.iter().map(|app| app.channels.clone()).collect()
}

#[cfg(test)]
mod tests {
    use oyez_core::Replay;
    use oyez_protocol::channel::ChannelName;

    use super::*;

    #[test]
    fn the_door_and_every_home_look_into_the_same_book() {
        let mut app = AppOptions::new("1", "key", "secret");
        app.channels = vec![ChannelOptions { replay: Replay::All, ..ChannelOptions::new("a*") }];
        let rules = rules(&Options { apps: vec![app], ..Options::default() }, 2);
        let of_door = rule_books(&rules);
        let of_home = rules.clone().apps.remove(0).channels;
        for name in ["a1", "cache-a1"] {
            let name = ChannelName::parse(name, usize::MAX).expect("a name");
            let (one, other) = (of_door[0].find(&name), of_home.find(&name));
            let (one, other) = (one.expect("it remembers"), other.expect("it remembers"));
            assert!(Arc::ptr_eq(one, other), "{name}");
        }
    }
}
