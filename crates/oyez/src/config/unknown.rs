// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of a name that the config does not have: the nearest that it has, keys and tables
//! alike, of the same section if one is near enough there.

use oyez_protocol::limits::Limits;

use super::key::Key;
use super::keys::{
    APP, APPS, CHANNEL, CHANNEL_HISTORY, CHANNEL_TRUTH, CHANNELS, HISTORY, LIMITS, SERVER, TOP,
    TRUTH, WEBHOOK, WEBHOOKS,
};

/// How alike two names must be, 0 to 1, for one to be taken as a slip of the other, whatever
/// another section may have.
const ALIKE: f64 = 0.7;

/// Tables and blocks, each with the section in which its name stands.
const TABLES: &[(&str, &str)] = &[
    (TOP, "limits"),
    (TOP, "apps"),
    (APPS, "webhooks"),
    (APPS, "channels"),
    (CHANNELS, "history"),
    (CHANNELS, "truth"),
];

/// What to say of a key that its section does not have: the nearest that exists, and where.
pub(super) fn unknown(section: &str, name: &str) -> String {
    if let Some(refusal) = super::unsupported::key(section, name) {
        return refusal;
    }
    let written = name.to_lowercase();
    let names = names();
    let alike = |known: &str| strsim::normalized_damerau_levenshtein(known, &written);
    let nearest = |level: &dyn Fn(&str) -> bool| {
        let level = names.iter().filter(|(section, _)| level(section));
        level.max_by(|(_, a), (_, b)| alike(a).total_cmp(&alike(b))).copied()
    };
    let here = nearest(&|other| other == section);
    let elsewhere = nearest(&|other| other != section);
    match (here, elsewhere) {
        (Some((_, key)), _) if alike(key) >= ALIKE => {
            format!("unknown key `{name}`: did you mean `{key}`?")
        }
        (_, Some((place, key))) if key == written => {
            format!("`{name}` does not belong here: it goes {}", whereabouts(place))
        }
        (Some((_, key)), Some((_, other))) if alike(key) >= alike(other) => {
            format!("unknown key `{name}`: did you mean `{key}`?")
        }
        (_, Some((place, key))) => {
            format!("unknown key `{name}`: did you mean `{key}`, {}?", whereabouts(place))
        }
        _ => format!("unknown key `{name}`"),
    }
}

fn whereabouts(section: &str) -> String {
    match section {
        "" => "at the top of the file, before the first [section]".to_owned(),
        _ => format!("under {section}"),
    }
}

/// Every name that a file may hold, keys and tables, with its section; of two that are equally near
/// the later one is told.
fn names() -> Vec<(&'static str, &'static str)> {
    fn of<T>(
        section: &'static str,
        keys: &'static [Key<T>],
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        keys.iter().map(move |key| (section, key.name))
    }
    let inner = of(TRUTH, CHANNEL_TRUTH).chain(of(HISTORY, CHANNEL_HISTORY));
    let blocks = of(CHANNELS, CHANNEL).chain(of(WEBHOOKS, WEBHOOK)).chain(of(APPS, APP));
    let limits = Limits::TABLE.iter().map(|limit| (LIMITS, limit.key));
    let all = inner.chain(blocks).chain(limits).chain(of(TOP, SERVER));
    all.chain(TABLES.iter().copied()).collect()
}
