// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the contract of the config has and this version does not do.
//!
//! A file of the contract is always understood: rules for channels are read and checked, and what
//! they ask for beyond this version is said loudly, rule by rule. Only what would be dangerous to
//! leave out is refused.

use super::key::Places;
use super::problem::Problem;
use super::rule::{ChannelRule, Durable, Replay};

/// The refusal of a key that a later version will know.
pub(super) fn key(section: &str, name: &str) -> Option<String> {
    let cluster = section == super::keys::TOP && name == "cluster";
    cluster.then(|| {
        "`cluster` needs more than one machine, which this version cannot do yet: remove it"
            .to_owned()
    })
}

/// The warning about a rule that asks for more than this version does; `None` when it asks for
/// nothing.
pub(super) fn rule(rule: &ChannelRule, places: &Places) -> Option<Problem> {
    let memory = [
        ("replay", rule.replay != Replay::None),
        ("history", rule.history.is_some()),
        ("durable", matches!(rule.durable, Some(Durable::Full | Durable::Relaxed))),
        ("truth", rule.truth.is_some()),
    ];
    let asked: Vec<_> =
        memory.iter().filter(|(_, asked)| *asked).map(|(key, _)| format!("`{key}`")).collect();
    (!asked.is_empty()).then(|| {
        let text = format!(
            "this version does not serve {} yet: channels that match {:?} behave as without this rule",
            asked.join(", "),
            rule.pattern
        );
        Problem::new(places.of("match"), text)
    })
}
