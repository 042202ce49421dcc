// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the contract of the config has and this version cannot do. It is read, checked and then
//! refused: to accept a setting that does nothing would be a lie.

use super::key::{Places, Walk};
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

/// Refuses what a rule asks for beyond this version.
pub(super) fn rule(walk: &mut Walk<'_>, rule: &ChannelRule, places: &Places) {
    let memory = [
        ("replay", rule.replay != Replay::None),
        ("history", rule.history.is_some()),
        ("durable", matches!(rule.durable, Some(Durable::Full | Durable::Relaxed))),
        ("truth", rule.truth.is_some()),
    ];
    let asked: Vec<_> =
        memory.into_iter().filter(|(_, asked)| *asked).map(|(key, _)| key).collect();
    for key in &asked {
        let text = format!(
            "`{key}` needs memory, which this version does not have yet: remove it \
             (channels whose names begin with cache- keep their last event without a rule)"
        );
        walk.problems.push(Problem::new(places.of(key), text));
    }
    if asked.is_empty() {
        let text = "a rule for channels needs memory, which this version does not have yet: remove the block";
        walk.problems.push(Problem::new(places.of("match"), text));
    }
}
