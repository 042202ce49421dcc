// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Truths`]: what a page's library holds of the truths of its channels. One like `pusher-js` is
//! sent every truth whole and holds nothing; one like `oyez.js` is sent what has changed when that
//! is shorter, and must hold what it applies to.

use super::message::Channel;
use json_patch::Patch;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a page's library can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Library {
    /// The official one, which knows nothing of Oyez.
    PusherJs,
    /// That of the app's own pages.
    OyezJs,
}

impl Library {
    /// What it says of itself in a subscription, as a member of its data.
    pub(crate) const fn says(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::PusherJs => None,
            Self::OyezJs => Some(("oyez", r#"{"v":1,"gen":1,"delta":["merge","patch"]}"#)),
        }
    }

    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PusherJs => "pusher-js",
            Self::OyezJs => "oyez.js",
        }
    }

    /// Its name in the path of a WebSocket.
    pub(crate) const fn client(self) -> &'static str {
        match self {
            Self::PusherJs => "js",
            Self::OyezJs => "oyez-js",
        }
    }
}

/// How data relate to the truth before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Delta {
    #[serde(rename = "type")]
    kind: Kind,
    /// The version to which they apply.
    from: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// RFC 7396.
    Merge,
    /// RFC 6902.
    Patch,
}

/// See the module. Checksums are not looked at: in the end every truth is held against the
/// database.
#[derive(Debug)]
pub(crate) struct Truths {
    library: Library,
    held: BTreeMap<Channel, (u64, Value)>,
    /// How many came as a change of the one before.
    pub(crate) deltas: u64,
}

impl Truths {
    /// None yet.
    pub(crate) fn new(library: Library) -> Self {
        Self { library, held: BTreeMap::new(), deltas: 0 }
    }

    /// The truth after an event with that data. None if it does not apply.
    pub(crate) fn take<D: DeserializeOwned>(
        &mut self,
        channel: Channel,
        data: &str,
        (offset, delta): (Option<u64>, Option<Delta>),
    ) -> Option<D> {
        if self.library == Library::PusherJs {
            return match delta {
                None => serde_json::from_str(data).ok(),
                Some(_) => None,
            };
        }
        let data = serde_json::from_str(data).ok()?;
        let value = match delta {
            None => data,
            Some(Delta { kind, from }) => {
                let (version, mut value) = self.held.remove(&channel)?;
                if version != from {
                    return None;
                }
                match kind {
                    Kind::Merge => json_patch::merge(&mut value, &data),
                    Kind::Patch => {
                        let patch = Patch::deserialize(data).ok()?;
                        json_patch::patch(&mut value, &patch).ok()?;
                    }
                }
                self.deltas += 1;
                value
            }
        };
        let read = D::deserialize(&value).ok();
        self.held.insert(channel, (offset?, value));
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(truths: &mut Truths, data: &str, offset: u64, delta: Option<&str>) -> Option<Vec<u8>> {
        let delta = delta.map(|delta| serde_json::from_str(delta).unwrap());
        truths.take(Channel::Lobby, data, (Some(offset), delta))
    }

    #[test]
    fn changes_apply_to_the_version_that_they_name_and_to_no_other() {
        let mut truths = Truths::new(Library::OyezJs);
        assert_eq!(take(&mut truths, "[1,2]", 5, None), Some(vec![1, 2]));
        let patch = r#"[{"op":"add","path":"/-","value":3},{"op":"remove","path":"/0"}]"#;
        let from_5 = Some(r#"{"type":"patch","from":5,"sum":"00"}"#);
        assert_eq!(take(&mut truths, patch, 6, from_5), Some(vec![2, 3]));
        let from_6 = Some(r#"{"type":"merge","from":6}"#);
        assert_eq!(take(&mut truths, "[7]", 7, from_6), Some(vec![7]));
        assert_eq!(truths.deltas, 2);
        assert_eq!(take(&mut truths, patch, 8, from_6), None, "it holds version 7");
    }

    #[test]
    fn the_official_library_takes_whole_truths_only() {
        let mut truths = Truths::new(Library::PusherJs);
        assert_eq!(take(&mut truths, "[1]", 5, None), Some(vec![1]));
        assert_eq!(take(&mut truths, "[7]", 6, Some(r#"{"type":"merge","from":5}"#)), None);
    }
}
