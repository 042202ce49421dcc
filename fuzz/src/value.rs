// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `value`: a value is one when serde_json says so; merging does what RFC 7396 says; a
//! patch applies within its bounds or is an error; every delta leads to the new value, also for
//! who knows only doubles.
//!
//! Input: a byte that is the limit on a patched value, a byte that repeats a text, then three
//! texts with a zero byte between them: an old value, a new one, a patch.

use oyez_core::{Difference, Patch, Value, ValueError, checksum, merge};
use oyez_protocol::delta::{DeltaKind, Deltas};
use serde_json::Value as Tree;

use crate::{REFUSAL_BYTES, Settings};

/// Operations of one patch.
const OPERATIONS: usize = 8;

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let limit = usize::from(settings.byte()) * 4;
    let padding = "padding ".repeat(usize::from(settings.byte()));
    let Ok(texts) = std::str::from_utf8(settings.rest) else { return };
    let mut texts = texts.splitn(3, '\0');
    let old = texts.next().and_then(parsed);
    let new = texts.next().and_then(parsed);
    let patch = texts.next().unwrap_or_default();
    let Some((old, old_tree)) = old else { return };
    patched(&old, patch, limit);
    let Some((new, new_tree)) = new else { return };
    assert!(!old.same(&new) || checksum(&old) == checksum(&new));

    let expected = merged(old_tree, new_tree).to_string();
    let result = merge(&old, &new);
    assert_is_value(&result);
    assert_eq!(checksum(&result), checksum(&Value::parse(&expected).expect("serde_json wrote it")));

    // Small values have no deltas.
    let large = |value: &Value<'_>| format!(r#"{{"rest":"{padding}","value":{value:?}}}"#);
    let (old, new) = (large(&old), large(&new));
    let (Ok(old), Ok(new)) = (Value::parse(&old), Value::parse(&new)) else { return };
    let difference = Difference::between(&old, &new);
    for kind in DeltaKind::ALL {
        let Some(delta) = difference.shortest(Deltas::NONE.with(kind)) else { continue };
        assert!(delta.text.len() * 100 < new.text().len() * 60 + 100);
        let result = match kind {
            DeltaKind::Merge => merge(&old, &Value::parse(&delta.text).expect("a value")),
            DeltaKind::Patch => Patch::parse(&delta.text, usize::MAX)
                .and_then(|patch| patch.apply(&old, usize::MAX))
                .expect("a patch that applies"),
        };
        assert!(result.same(&new), "{old:?} {} {new:?}", delta.text);
    }
}

/// A value, and what serde_json makes of it.
fn parsed(text: &str) -> Option<(Value<'_>, Tree)> {
    let tree = serde_json::from_str::<Tree>(text);
    match Value::parse(text) {
        Ok(value) => {
            assert_is_value(&value);
            // serde_json stops one level earlier.
            let tree = tree.inspect_err(|error| assert!(error.to_string().contains("recursion")));
            tree.ok().map(|tree| (value, tree))
        }
        Err(error) => {
            let is_range = matches!(error, ValueError::Range(_));
            assert!(is_range || tree.is_err(), "{text:?}: {error}");
            assert!(error.to_string().len() <= REFUSAL_BYTES);
            None
        }
    }
}

fn patched(old: &Value<'_>, patch: &str, limit: usize) {
    let result = Patch::parse(patch, OPERATIONS).and_then(|patch| patch.apply(old, limit));
    match result {
        Ok(new) => {
            assert_is_value(&new);
            assert!(new.text().len() <= limit.max(rewritten(old)));
        }
        Err(error) => assert!(error.to_string().len() <= REFUSAL_BYTES),
    }
}

fn assert_is_value(value: &Value<'_>) {
    let again = Value::parse(value.text()).expect("a value is one");
    assert_eq!(again.text(), value.text());
    assert!(again.same(value));
    assert_eq!(checksum(&again), checksum(value));
}

/// The standard's own words.
fn merged(target: Tree, patch: Tree) -> Tree {
    let Tree::Object(patch) = patch else { return patch };
    let mut members = match target {
        Tree::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            let known = members.remove(&name).unwrap_or(Tree::Null);
            members.insert(name, merged(known, value));
        }
    }
    Tree::Object(members)
}

/// The size of a value without keys that come twice and escapes that need not be.
fn rewritten(value: &Value<'_>) -> usize {
    let nothing = Patch::parse("[]", 0).expect("a patch");
    nothing.apply(value, 0).expect("nothing to do").text().len()
}
