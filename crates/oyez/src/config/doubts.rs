// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with rules for channels although each of their values can be read, and what is
//! allowed and probably not meant. Looks at all settings together, once they are final.

use std::time::Duration;

use oyez_protocol::message::RESERVED_PREFIXES;
use oyez_server::core::{Durability, Replay};
use oyez_server::options::{ChannelOptions, Options, Source, TruthOptions};

use super::given::show_time;
use super::key::Places;
use super::keys;
use super::problem::{Place, Problem};
use super::rule::RulePlaces;

/// A client that has lost its connection may need so long to notice and to come back.
const RECONNECT: Duration = Duration::from_secs(30);

/// How the names of cache channels begin.
const CACHES: [&str; 4] =
    ["cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"];

/// What was found.
pub(super) struct Found<'a> {
    /// Keeps the settings from being used.
    pub(super) problems: &'a mut Vec<Problem>,
    /// Does not.
    pub(super) warnings: &'a mut Vec<Problem>,
}

impl Found<'_> {
    fn wrong(&mut self, place: Place, text: impl Into<String>) {
        self.problems.push(Problem::new(place, text));
    }

    fn doubt(&mut self, place: Place, text: impl Into<String>) {
        self.warnings.push(Problem::new(place, text));
    }
}

/// Looks at every rule. `places` are those of all rules, in the order of the apps and their rules.
pub(super) fn look(options: &Options, places: &[RulePlaces], found: &mut Found<'_>) {
    for (index, app) in options.apps.iter().enumerate() {
        let places: Vec<_> = places.iter().filter(|place| place.app == index).collect();
        for (at, (rule, here)) in app.channels.iter().zip(&places).enumerate() {
            let earlier = app.channels[..at].iter().position(|earlier| covers(earlier, rule));
            if let Some(earlier) = earlier {
                let text = format!(
                    "this rule decides nothing: every channel that matches {:?} matches {:?} at {} \
                     first",
                    rule.pattern.as_str(),
                    app.channels[earlier].pattern.as_str(),
                    places[earlier].rule.of("match")
                );
                found.doubt(here.rule.of("match"), text);
            }
            of_memory(rule, &here.rule, options, found);
            if let Some(inner) = &here.history {
                of_history(rule, inner, options, found);
            }
            if let (Some(truth), Some(inner)) = (&rule.truth, &here.truth) {
                of_truth(truth, inner, options, found);
            }
        }
    }
}

fn of_memory(rule: &ChannelOptions, places: &Places, options: &Options, found: &mut Found<'_>) {
    if rule.replay == Replay::All {
        let text = "`replay = \"all\"` sends a page that reconnects events it has seen: right for \
                    pages with oyez.js; for plain pusher-js keep states, with \"latest-per-event\"";
        found.doubt(places.of("replay"), text);
    }
    let Some(Durability::Full | Durability::Relaxed) = rule.durability else { return };
    let place = places.of("durable");
    if !remembers(rule) && !may_be_cache(rule.pattern.as_str()) {
        let text = "`durable` alone keeps nothing: a channel has memory by `replay`, `history` or \
                    `truth`";
        found.doubt(place, text);
    } else if options.data_dir.is_none() {
        let text = "nothing survives: `data_dir` is \"\", so there is no folder to keep it in";
        found.doubt(place, text);
    }
}

fn of_history(rule: &ChannelOptions, places: &Places, options: &Options, found: &mut Found<'_>) {
    let history = rule.history.unwrap_or_default();
    let most = options.limits.history_events;
    if let Some(events) = history.events.filter(|events| *events > most) {
        let text = format!(
            "`events` must be at most {most} (limits.history_events); it is {events}: ask for \
             fewer or raise the limit"
        );
        found.wrong(places.of("events"), text);
    }
    if let Some(age) = history.age.filter(|age| *age < RECONNECT) {
        let text = format!(
            "`age` is {}: a client that loses its connection may need {} to notice and to come \
             back, and then what it missed is gone",
            show_time(age),
            show_time(RECONNECT)
        );
        found.doubt(places.of("age"), text);
    }
}

fn of_truth(truth: &TruthOptions, places: &Places, options: &Options, found: &mut Found<'_>) {
    let place = places.of("event");
    let (length, most) = (truth.event.chars().count(), options.limits.event_name);
    if length > most {
        let text = format!(
            "`event` has {length} characters, at most {most} are allowed (limits.event_name)"
        );
        found.wrong(place.clone(), text);
    }
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| truth.event.starts_with(**prefix))
    {
        let text = format!("`event` begins with {prefix:?}: such names are the protocol's own");
        found.wrong(place, text);
    }
    if truth.confirm && truth.wait.is_zero() {
        let text = "`confirm` needs a `wait`: with none a subscription waits for no answer";
        found.wrong(places.of("confirm"), text);
    }
    if !matches!(truth.source, Source::Url(_)) {
        for key in keys::OF_URL.into_iter().filter(|key| places.has(key)) {
            let text = format!("`{key}` means nothing without `url`: nobody is asked");
            found.doubt(places.of(key), text);
        }
    }
}

/// Whether the rule gives memory to channels that would have none without it.
pub(super) fn remembers(rule: &ChannelOptions) -> bool {
    rule.replay != Replay::None || rule.history.is_some() || rule.truth.is_some()
}

/// Whether the earlier rule surely matches whatever the later one does. A `*` of the earlier
/// pattern may stand for a `*` or `?` of the later one; a `?` of it must not.
fn covers(earlier: &ChannelOptions, later: &ChannelOptions) -> bool {
    let (earlier, later) = (&earlier.pattern, &later.pattern);
    earlier == later || (!earlier.as_str().contains('?') && earlier.matches(later.as_str()))
}

/// Whether that pattern may match a cache channel, which has memory without a rule.
fn may_be_cache(pattern: &str) -> bool {
    let fixed = pattern.split(['*', '?']).next().unwrap_or_default();
    let open = fixed.len() < pattern.len();
    CACHES.iter().any(|cache| fixed.starts_with(cache) || (open && cache.starts_with(fixed)))
}
