// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations (RFC 6902) from one value to another: `add`, `remove` and `replace` only.

use std::fmt::Write;

use oyez_protocol::json;

use super::super::pointer;
use super::super::tree::{Node, Object, string_bytes};
use super::align::{Aligner, Step};
use super::print::Print;

/// The text became longer than it may.
struct TooLong;

/// A part of a value with what is known of it.
type Part<'n, 'a> = (&'n Node<'a>, &'n Print);

/// The operations, if their text is shorter than `below` bytes and there are any.
pub(super) fn between(old: &Node<'_>, new: &Node<'_>, below: usize) -> Option<Vec<u8>> {
    let (old_print, new_print) = (Print::of(old), Print::of(new));
    let mut writer = Writer {
        out: vec![b'['],
        path: String::new(),
        below: below.saturating_sub("]".len()),
        aligner: Aligner::new(),
    };
    writer.inside((old, &old_print), (new, &new_print)).ok()?;
    writer.out.push(b']');
    (writer.out.len() > "[]".len()).then_some(writer.out)
}

struct Writer {
    out: Vec<u8>,
    /// Where the part is, at the moment when the operations so far have been applied.
    path: String,
    below: usize,
    aligner: Aligner,
}

impl Writer {
    /// What changed in a part, or the whole part if that is shorter.
    fn part(&mut self, old: Part<'_, '_>, new: Part<'_, '_>) -> Result<(), TooLong> {
        let start = self.out.len();
        let whole = ",".len()
            + r#"{"op":"replace","path":,"value":}"#.len()
            + string_bytes(&self.path)
            + new.1.bytes;
        let outer = self.below;
        self.below = outer.min(start + whole);
        let written = self.inside(old, new);
        self.below = outer;
        if written.is_err() {
            self.out.truncate(start);
            self.operation("replace", Some(new.0))?;
        }
        Ok(())
    }

    fn inside(&mut self, old: Part<'_, '_>, new: Part<'_, '_>) -> Result<(), TooLong> {
        match (old.0, new.0) {
            (Node::Array(items), Node::Array(new_items)) => {
                self.array((items, &old.1.parts), (new_items, &new.1.parts))
            }
            (Node::Object(members), Node::Object(new_members)) => {
                self.object((members, &old.1.parts), (new_members, &new.1.parts))
            }
            (old, new) if old.same(new) => Ok(()),
            (_, new) => self.operation("replace", Some(new)),
        }
    }

    fn array(
        &mut self,
        (old, old_prints): (&[Node<'_>], &[Print]),
        (new, new_prints): (&[Node<'_>], &[Print]),
    ) -> Result<(), TooLong> {
        // Everything left of `at` is as it will be, everything from there on as it was.
        let mut at = 0;
        for step in self.aligner.steps(old_prints, new_prints) {
            let above = self.path.len();
            write!(self.path, "/{at}").expect("memory takes everything");
            let written = match step {
                Step::Pair(i, j) => self.part((&old[i], &old_prints[i]), (&new[j], &new_prints[j])),
                Step::Remove => self.operation("remove", None),
                Step::Add(j) => self.operation("add", Some(&new[j])),
            };
            self.path.truncate(above);
            written?;
            at += usize::from(step != Step::Remove);
        }
        Ok(())
    }

    fn object(
        &mut self,
        (old, old_prints): (&Object<'_>, &[Print]),
        (new, new_prints): (&Object<'_>, &[Print]),
    ) -> Result<(), TooLong> {
        let above = self.path.len();
        for key in old.keys().filter(|key| !new.contains_key(key.as_ref())) {
            pointer::push(&mut self.path, key);
            let written = self.operation("remove", None);
            self.path.truncate(above);
            written?;
        }
        for ((key, node), print) in new.iter().zip(new_prints) {
            pointer::push(&mut self.path, key);
            let written = match old.get_full(key.as_ref()) {
                Some((at, _, old)) => self.part((old, &old_prints[at]), (node, print)),
                None => self.operation("add", Some(node)),
            };
            self.path.truncate(above);
            written?;
        }
        Ok(())
    }

    fn operation(&mut self, op: &str, value: Option<&Node<'_>>) -> Result<(), TooLong> {
        if self.out.len() > "[".len() {
            self.out.push(b',');
        }
        self.out.extend(br#"{"op":""#);
        self.out.extend(op.as_bytes());
        self.out.extend(br#"","path":"#);
        json::write_string(&mut self.out, &self.path);
        if let Some(value) = value {
            self.out.extend(br#","value":"#);
            value.write(&mut self.out);
        }
        self.out.push(b'}');
        if self.out.len() < self.below { Ok(()) } else { Err(TooLong) }
    }
}
