// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Environment`]: the settings that stand in `OYEZ_…` variables.
//!
//! A variable that is set to nothing counts as not set. A variable that no key has is not an
//! error, because other programs set some under the same prefix (container platforms name them
//! after a service called `oyez`); one that is nearly a key's is warned about.

use std::collections::BTreeMap;

use oyez_protocol::limits::Limits;
use oyez_server::options::Options;

use super::given::Given;
use super::keys;
use super::problem::{Place, Problem};

/// Beginning of every variable.
const PREFIX: &str = "OYEZ_";

/// Variables that are not keys of the config.
const OTHERS: &[&str] = &["OYEZ_URL", "OYEZ_LOG", "OYEZ_LOG_FORMAT"];

/// How alike two names must be for one to be taken as a slip of the other, 0 to 1.
const ALIKE: f64 = 0.8;

/// The variables of a process that concern Oyez.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    pub fn of_process() -> Environment {
        std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .collect()
    }

    /// Sets what the variables name; what is wrong with them goes to `problems`, what is doubtful
    /// to `warnings`.
    pub(super) fn apply(
        &self,
        options: &mut Options,
        problems: &mut Vec<Problem>,
        warnings: &mut Vec<Problem>,
    ) {
        let mut known: Vec<String> = OTHERS.iter().map(|&name| name.to_owned()).collect();
        for key in keys::SERVER {
            let name = variable(&[key.name]);
            if let Some(value) = self.0.get(&name)
                && let Err(text) = (key.read)(options, &Given::Text(value))
            {
                problems.push(Problem::new(Place::Variable(name.clone()), text));
            }
            known.push(name);
        }
        for limit in Limits::TABLE {
            let name = variable(&["limits", limit.key]);
            if let Some(value) = self.0.get(&name) {
                let read = Given::Text(value).count(0..=usize::MAX);
                let set =
                    read.and_then(|n| options.limits.set(limit.key, n).map_err(|e| e.to_string()));
                if let Err(text) = set {
                    problems.push(Problem::new(Place::Variable(name.clone()), text));
                }
            }
            known.push(name);
        }
        for name in self.0.keys().filter(|name| !known.contains(name)) {
            let alike = |other: &&String| strsim::normalized_damerau_levenshtein(name, other);
            let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
            if let Some(nearest) = nearest.filter(|nearest| alike(nearest) >= ALIKE) {
                let text = format!("it is ignored: did you mean {nearest}?");
                warnings.push(Problem::new(Place::Variable(name.clone()), text));
            }
        }
    }

    /// Whether that key was set by a variable.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(&variable(&[key]))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Environment {
        let ours = |(name, value): &(String, String)| name.starts_with(PREFIX) && !value.is_empty();
        Environment(variables.into_iter().filter(ours).collect())
    }
}

/// The variable of a key: `OYEZ_LISTEN`, `OYEZ_LIMITS_MESSAGE_BYTES`.
pub(super) fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}
