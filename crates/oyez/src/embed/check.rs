// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the config file's reader refuses in rules for channels, refused in a program's, too.

use oyez_protocol::message::RESERVED_PREFIXES;
use oyez_server::options::{ChannelOptions, Options};

use super::builder::StartError;
use super::channel::can_match;

/// Looks at every rule.
pub(super) fn rules(options: &Options) -> Result<(), StartError> {
    for rule in options.apps.iter().flat_map(|app| &app.channels) {
        if let Some(problem) = problem(rule, options) {
            return Err(StartError::Rule { pattern: rule.pattern.as_str().to_owned(), problem });
        }
    }
    Ok(())
}

fn problem(rule: &ChannelOptions, options: &Options) -> Option<String> {
    let limits = &options.limits;
    if !can_match(rule.pattern.as_str()) {
        return Some("no channel can have such a name".to_owned());
    }
    let events = rule.history.and_then(|history| history.events).unwrap_or_default();
    if events > limits.history_events {
        let most = limits.history_events;
        return Some(format!(
            "a history has at most {most} events (limits.history_events), not {events}"
        ));
    }
    let truth = rule.truth.as_ref()?;
    if truth.confirm && truth.wait.is_zero() {
        let problem = "a truth that is confirmed needs a wait: with none a subscription waits for \
                       no answer";
        return Some(problem.to_owned());
    }
    let event = &truth.event;
    let reserved = RESERVED_PREFIXES.iter().find(|prefix| event.starts_with(**prefix));
    match (event.chars().count(), reserved) {
        (0, _) => Some("the truth's event needs a name".to_owned()),
        (_, Some(prefix)) => Some(format!(
            "the truth's event begins with {prefix:?}: such names are the protocol's own"
        )),
        (length, None) if length > limits.event_name => Some(format!(
            "the truth's event has {length} characters, at most {} are allowed (limits.event_name)",
            limits.event_name
        )),
        _ => None,
    }
}
