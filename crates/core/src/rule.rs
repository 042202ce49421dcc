// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`MemoryRule`]: what a channel remembers, for how long, and how safely. [`RuleBook`]: which
//! channel has which rule.

use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::channel::ChannelName;

use crate::pattern::Pattern;

/// How long a cache channel keeps its last event (protocol section 3).
pub const CACHE_AGE: Duration = Duration::from_secs(30 * 60);

/// A channel's numbering is kept for so long after anybody had to do with it.
pub const IDENTITY_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Events kept for whoever resumes, when the rule does not say.
pub const HISTORY_EVENTS: usize = 256;

/// How long they are kept, when the rule does not say.
pub const HISTORY_AGE: Duration = Duration::from_secs(10 * 60);

/// What a channel remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRule {
    /// What a new subscriber is shown of the past.
    pub replay: Replay,
    /// Events kept for whoever resumes.
    pub events: usize,
    /// Bytes of them.
    pub bytes: usize,
    /// How long they are kept.
    pub age: Duration,
    /// How long the newest event, or the newest of each name, is kept beyond that.
    pub latest_age: Duration,
    /// Distinct names of which the newest event is kept.
    pub names: usize,
    /// How safely.
    pub durability: Durability,
    /// Whether the channel's truth comes by itself, and from whom.
    pub truth: Option<TruthRule>,
    /// Whether an empty memory is told to newcomers as `pusher:cache_miss`.
    pub empty: Empty,
}

/// What a new subscriber is shown of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Nothing, but for the truth if there is one.
    None,
    /// The newest event.
    Latest,
    /// The newest event of each name.
    LatestPerEvent,
    /// Everything that is kept.
    All,
}

/// What an empty memory is to newcomers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Nothing to tell.
    Silent,
    /// A missed cache.
    CacheMiss,
}

/// What memory survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nobody sees or is told of an event before it would survive a power cut.
    Full,
    /// Committed within 50 ms; nobody waits.
    Relaxed,
    /// Gone with the process.
    Off,
}

/// A channel's truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthRule {
    /// The event that carries it.
    pub event: String,
    /// Who knows it.
    pub source: TruthSource,
}

/// Who knows a channel's truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthSource {
    /// Whoever sets it by a call.
    Pushed,
    /// A plain trigger of the event sets it, too.
    Trigger,
    /// Somebody who is asked.
    Asked(AskRule),
}

/// How somebody is asked for a channel's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskRule {
    /// Whom: a number that only whoever asks understands.
    pub whom: u32,
    /// How long a subscription waits for an answer.
    pub wait: Duration,
    /// Whether each subscription waits for an answer of its own time, and not only one that comes
    /// when nothing is known.
    pub confirm: bool,
    /// When the confirming question follows the last `changed`.
    pub settle: Duration,
    /// How often to ask again while somebody is subscribed.
    pub refresh: Option<Duration>,
}

/// A rule as it is written in the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRule {
    /// Which channels.
    pub pattern: Pattern,
    /// What a new subscriber is shown of the past.
    pub replay: Replay,
    /// What is kept for whoever resumes, if it says so.
    pub history: Option<WrittenHistory>,
    /// How safely, if it says so.
    pub durability: Option<Durability>,
    /// The channel's truth.
    pub truth: Option<TruthRule>,
}

/// `history = { events, age }`; what is not said has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrittenHistory {
    /// Events kept.
    pub events: Option<usize>,
    /// How long anything is kept.
    pub age: Option<Duration>,
}

/// What the limits allow one channel's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `limits.history_bytes`.
    pub bytes: usize,
    /// `limits.retained_events`.
    pub names: usize,
    /// What is safe here: without a data folder nothing is.
    pub safest: Durability,
}

/// The rules of one app: the first whose pattern matches decides. Cheap to clone: all clones are
/// one book.
#[derive(Clone, Debug)]
pub struct RuleBook {
    rules: Arc<[Row]>,
    cache: Arc<MemoryRule>,
}

#[derive(Debug)]
struct Row {
    pattern: Pattern,
    /// For ordinary channels; `None` when the rule gives no memory.
    memory: Option<Arc<MemoryRule>>,
    /// For cache channels, which always have one.
    cache: Arc<MemoryRule>,
}

impl Default for MemoryRule {
    /// Keeps what a short loss of connection needs, shows newcomers nothing.
    fn default() -> MemoryRule {
        MemoryRule {
            replay: Replay::None,
            events: HISTORY_EVENTS,
            bytes: 1024 * 1024,
            age: HISTORY_AGE,
            latest_age: IDENTITY_AGE,
            names: 100,
            durability: Durability::Full,
            truth: None,
            empty: Empty::Silent,
        }
    }
}

impl MemoryRule {
    /// How somebody is asked for the truth, if so.
    pub fn asked(&self) -> Option<&AskRule> {
        match &self.truth {
            Some(TruthRule { source: TruthSource::Asked(ask), .. }) => Some(ask),
            _ => None,
        }
    }

    /// Whether a plain trigger of that event sets the truth.
    pub fn is_set_by(&self, event: &str) -> bool {
        matches!(&self.truth, Some(truth) if truth.source == TruthSource::Trigger && truth.event == event)
    }
}

impl WrittenRule {
    /// Whether it gives channels a memory that would have none without it.
    pub fn gives_memory(&self) -> bool {
        self.replay != Replay::None || self.history.is_some() || self.truth.is_some()
    }

    fn memory(&self, bounds: Bounds) -> MemoryRule {
        let history = self.history.unwrap_or_default();
        MemoryRule {
            replay: self.replay,
            events: history.events.unwrap_or(HISTORY_EVENTS),
            age: history.age.unwrap_or(HISTORY_AGE),
            latest_age: history.age.unwrap_or(IDENTITY_AGE),
            durability: self.durability.unwrap_or(Durability::Full).at_most(bounds.safest),
            truth: self.truth.clone(),
            empty: Empty::Silent,
            bytes: bounds.bytes,
            names: bounds.names,
        }
    }

    /// A cache channel is more than it was by this rule, never less.
    fn cache(&self, bounds: Bounds) -> MemoryRule {
        let replay = match self.replay {
            Replay::None => Replay::Latest,
            more => more,
        };
        let age = self.history.and_then(|history| history.age);
        let latest_age = age.unwrap_or(CACHE_AGE);
        MemoryRule { replay, latest_age, empty: Empty::CacheMiss, ..self.memory(bounds) }
    }
}

impl Durability {
    fn at_most(self, safest: Durability) -> Durability {
        if safest == Durability::Off { Durability::Off } else { self }
    }
}

impl RuleBook {
    /// Rules in the order in which they are written.
    pub fn new(rules: &[WrittenRule], bounds: Bounds) -> RuleBook {
        let row = |rule: &WrittenRule| Row {
            pattern: rule.pattern.clone(),
            memory: rule.gives_memory().then(|| Arc::new(rule.memory(bounds))),
            cache: Arc::new(rule.cache(bounds)),
        };
        let unwritten = WrittenRule {
            pattern: Pattern::new("*"),
            replay: Replay::Latest,
            history: None,
            durability: None,
            truth: None,
        };
        RuleBook {
            rules: rules.iter().map(row).collect(),
            cache: Arc::new(unwritten.cache(bounds)),
        }
    }

    /// The memory of that channel, if it has one.
    pub fn find(&self, name: &ChannelName) -> Option<&Arc<MemoryRule>> {
        let row = self.rules.iter().find(|row| row.pattern.matches(name.as_str()));
        match (row, name.kind().cache) {
            (Some(row), true) => Some(&row.cache),
            (None, true) => Some(&self.cache),
            (Some(row), false) => row.memory.as_ref(),
            (None, false) => None,
        }
    }
}

impl Default for RuleBook {
    /// Cache channels only, and nothing that survives.
    fn default() -> RuleBook {
        let rule = MemoryRule::default();
        let bounds = Bounds { bytes: rule.bytes, names: rule.names, safest: Durability::Off };
        RuleBook::new(&[], bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1 << 20, names: 100, safest: Durability::Full };

    fn written(pattern: &str) -> WrittenRule {
        WrittenRule {
            pattern: Pattern::new(pattern),
            replay: Replay::None,
            history: None,
            durability: None,
            truth: None,
        }
    }

    fn name(text: &str) -> ChannelName {
        ChannelName::parse(text, 164).expect("a valid name")
    }

    #[test]
    fn the_first_match_decides_and_memory_is_durable_unless_it_says_otherwise() {
        let latest = WrittenRule { replay: Replay::Latest, ..written("LOBBY_*") };
        let none = written("LOBBY_*");
        let book = RuleBook::new(&[written("LOBBY_7"), latest, none], BOUNDS);
        assert!(book.find(&name("LOBBY_7")).is_none());
        let rule = book.find(&name("LOBBY_8")).expect("it has memory");
        assert_eq!((rule.replay, rule.durability), (Replay::Latest, Durability::Full));
        assert!(book.find(&name("other")).is_none());
    }

    #[test]
    fn cache_channels_keep_their_last_event_for_half_an_hour_whatever_else_is_written() {
        let relaxed = WrittenRule { durability: Some(Durability::Relaxed), ..written("cache-*") };
        let book = RuleBook::new(&[relaxed], BOUNDS);
        let written = book.find(&name("cache-a")).expect("a cache channel");
        assert_eq!((written.replay, written.latest_age), (Replay::Latest, CACHE_AGE));
        assert_eq!((written.durability, written.empty), (Durability::Relaxed, Empty::CacheMiss));
        let unwritten = book.find(&name("private-cache-a")).expect("a cache channel");
        assert_eq!((unwritten.replay, unwritten.durability), (Replay::Latest, Durability::Full));
    }

    #[test]
    fn without_a_data_folder_nothing_is_durable() {
        let bounds = Bounds { safest: Durability::Off, ..BOUNDS };
        let book = RuleBook::new(&[], bounds);
        let rule = book.find(&name("cache-a")).expect("a cache channel");
        assert_eq!(rule.durability, Durability::Off);
    }
}
