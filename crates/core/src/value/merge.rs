// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`merge`]: a merge patch (RFC 7396).

use super::Value;
use super::tree::{Node, Object};

/// The value with a merge patch applied. `null` in the patch removes a member; everything but an
/// object replaces what was there.
///
/// This cannot fail. The result is no deeper than the deeper one of the two and no longer than
/// both together; the limit on a truth's size is the caller's.
#[must_use]
pub fn merge(value: &Value<'_>, patch: &Value<'_>) -> Value<'static> {
    let mut node = value.tree();
    merge_node(&mut node, patch.tree());
    Value::of(&node)
}

fn merge_node<'a>(target: &mut Node<'a>, patch: Node<'a>) {
    let Node::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !matches!(target, Node::Object(_)) {
        *target = Node::Object(Box::default());
    }
    let Node::Object(members) = target else { unreachable!("it was made an object") };
    // All removals in one pass: each by itself would move all members behind it.
    if patch.values().any(|node| matches!(node, Node::Null)) {
        members.retain(|key, _| !matches!(patch.get(key), Some(Node::Null)));
    }
    merge_members(members, *patch);
}

fn merge_members<'a>(members: &mut Object<'a>, patch: Object<'a>) {
    for (key, node) in patch {
        if !matches!(node, Node::Null) {
            merge_node(members.entry(key).or_insert(Node::Null), node);
        }
    }
}
