// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the contract of the config has and this version does not do: refused by name, because it
//! would be dangerous to leave it out silently.

/// The refusal of a key that a later version will know.
pub(super) fn key(section: &str, name: &str) -> Option<String> {
    let cluster = section == super::keys::TOP && name == "cluster";
    cluster.then(|| {
        "`cluster` needs more than one machine, which this version cannot do yet: remove it"
            .to_owned()
    })
}
