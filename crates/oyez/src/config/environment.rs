// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Environment`]: the settings that stand in `OYEZ_…` variables.
//!
//! A variable that is set to nothing counts as not set. A variable that looks like a slip of a
//! key is an error, like an unknown key of the file. One that does not is a warning: an
//! environment, unlike a file, holds what others set, and Kubernetes sets many in every container
//! of a namespace that has services called `oyez` or `oyez-…`; those are passed over.

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

/// The URL of a service `oyez`, and what somebody sets who looks for the key of the port.
const PORT: &str = "OYEZ_PORT";

/// What somebody sets who looks for `--config`; no setting has a like name.
const FILE: &str = "OYEZ_CONFIG";

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
        for (name, value) in self.0.iter().filter(|(name, _)| !known.contains(name)) {
            let say = |text: String| Problem::new(Place::Variable(name.clone()), text);
            if of_kubernetes(name, value) {
                continue;
            }
            if name == PORT {
                let text = "it is ignored: the port stands in OYEZ_LISTEN, like 127.0.0.1:6001";
                warnings.push(say(text.to_owned()));
            } else if name == FILE {
                let text = "it is ignored: name the file by --config";
                warnings.push(say(text.to_owned()));
            } else if let Some(nearest) = slip(name, &known) {
                problems.push(say(format!(
                    "there is no such setting: did you mean {nearest}? \
                     `oyez check-config --keys` shows all"
                )));
            } else {
                let text = "it is ignored: no setting has that name \
                            (`oyez check-config --keys` shows all)";
                warnings.push(say(text.to_owned()));
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

/// Whether Kubernetes sets such a variable: `OYEZ_SERVICE_HOST`, `OYEZ_PORT_6001_TCP_ADDR`,
/// `OYEZ_METRICS_PORT` with a URL.
fn of_kubernetes(name: &str, value: &str) -> bool {
    name.contains("_SERVICE_")
        || name.contains("_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"))
}

/// How alike a name must be to a known one, 0 to 1, to be taken for a slip of it.
const ALIKE: f64 = 0.6;

/// The variable that was meant, if any is near enough.
fn slip<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let alike = |other: &str| {
        let (name, other) = (&name[PREFIX.len()..], &other[PREFIX.len()..]);
        strsim::normalized_damerau_levenshtein(name, other)
    };
    let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    nearest.filter(|nearest| alike(nearest) >= ALIKE)
}

/// The variable of a key: `OYEZ_LISTEN`, `OYEZ_LIMITS_MESSAGE_BYTES`.
pub(super) fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}
