// SPDX-License-Identifier: MIT OR Apache-2.0
//! The merge patch (RFC 7396) from one value to another.

use oyez_protocol::json;

use super::super::tree::{Node, Object};

/// It cannot be said by a merge patch, or not within the bytes.
struct Unusable;

/// The merge patch, if it is shorter than `below` bytes, changes anything and can say it: it
/// cannot set a member to `null`, and writes arrays whole.
pub(super) fn between(old: &Node<'_>, new: &Node<'_>, below: usize) -> Option<Vec<u8>> {
    let (Node::Object(old), Node::Object(new)) = (old, new) else { return None };
    let mut writer = Writer { out: Vec::new(), below };
    writer.object(old, new).ok()?;
    (writer.out.len() > "{}".len()).then_some(writer.out)
}

struct Writer {
    out: Vec<u8>,
    below: usize,
}

impl Writer {
    fn object(&mut self, old: &Object<'_>, new: &Object<'_>) -> Result<(), Unusable> {
        self.out.push(b'{');
        for key in old.keys().filter(|key| !new.contains_key(key.as_ref())) {
            self.key(key);
            self.out.extend(b"null");
            self.bounded()?;
        }
        for (key, new) in new {
            self.member(key, old.get(key.as_ref()), new)?;
        }
        self.out.push(b'}');
        self.bounded()
    }

    fn member(
        &mut self,
        key: &str,
        old: Option<&Node<'_>>,
        new: &Node<'_>,
    ) -> Result<(), Unusable> {
        match (old, new) {
            (Some(Node::Object(old)), Node::Object(new)) => {
                let before = self.out.len();
                self.key(key);
                let start = self.out.len();
                self.object(old, new)?;
                if &self.out[start..] == b"{}" {
                    self.out.truncate(before);
                }
            }
            (Some(old), new) if old.same(new) => {}
            (_, new) if settable(new) => {
                self.key(key);
                new.write(&mut self.out);
            }
            _ => return Err(Unusable),
        }
        self.bounded()
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        json::write_string(&mut self.out, key);
        self.out.push(b':');
    }

    fn bounded(&self) -> Result<(), Unusable> {
        if self.out.len() < self.below { Ok(()) } else { Err(Unusable) }
    }
}

/// Whether a merge patch can set this: no `null` that it would take for a removal. Those inside
/// of arrays are safe.
fn settable(node: &Node<'_>) -> bool {
    match node {
        Node::Null => false,
        Node::Object(members) => members.values().all(settable),
        _ => true,
    }
}
