// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Print`]: hash and size of every part of a value, so that a comparison need not look twice.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;

use super::super::tree::{Node, string_bytes};

/// Hash and size of a part, and the same of what is in it, in its order.
pub(super) struct Print {
    /// Equal for equal parts. Unequal parts may share it: it is a hint.
    pub(super) hash: u64,
    /// The size of the text in bytes.
    pub(super) bytes: usize,
    pub(super) parts: Box<[Print]>,
}

impl Print {
    pub(super) fn of(node: &Node<'_>) -> Print {
        let mut hasher = FixedState::default().build_hasher();
        std::mem::discriminant(node).hash(&mut hasher);
        let mut parts = Box::default();
        match node {
            Node::Null => {}
            Node::Bool(value) => value.hash(&mut hasher),
            Node::Number(number) => number.hash(&mut hasher),
            Node::String(string) => string.hash(&mut hasher),
            Node::Array(items) => {
                parts = items.iter().map(Print::of).collect::<Box<[Print]>>();
                parts.iter().for_each(|part| part.hash.hash(&mut hasher));
            }
            Node::Object(members) => {
                parts = members.values().map(Print::of).collect();
                // The order of members says nothing: a sum does not know it.
                let member =
                    |(key, part): (&str, &Print)| FixedState::default().hash_one((key, part.hash));
                let members = members.keys().map(AsRef::as_ref).zip(&parts).map(member);
                members.fold(0, u64::wrapping_add).hash(&mut hasher);
            }
        }
        Print { hash: hasher.finish(), bytes: bytes(node, &parts), parts }
    }
}

/// [`Node::bytes`], from what is known of the parts.
fn bytes(node: &Node<'_>, parts: &[Print]) -> usize {
    let inside = parts.iter().map(|part| part.bytes).sum::<usize>();
    match node {
        Node::Array(_) => 2 + parts.len().saturating_sub(1) + inside,
        Node::Object(members) => {
            let keys = members.keys().map(|key| string_bytes(key) + ":".len()).sum::<usize>();
            2 + parts.len().saturating_sub(1) + keys + inside
        }
        leaf => leaf.bytes(),
    }
}
