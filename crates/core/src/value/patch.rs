// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Patch`]: a list of operations on a value (RFC 6902).
//!
//! A patch applies as a whole or not at all: the operations work on a tree of their own. None of
//! them can make more of a value than the size that the caller allows, at any moment, nor copy
//! and move more than a few times that in all.

use std::borrow::Cow;

use super::pointer::{self, NotAPointer, Pointer};
use super::tree::{Node, shown, string_bytes};
use super::{Value, ValueError};

/// How many times the allowed size the operations of one patch may copy and move in all.
const CARRY_FACTOR: usize = 16;

/// Operations that are well formed. Whether they apply, a value decides.
#[derive(Clone, Debug)]
pub struct Patch<'a> {
    list: Value<'a>,
}

/// Why a patch is not one, or does not apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The text is no value at all.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It is not an array.
    #[error("a patch must be an array of operations")]
    NotAList,
    /// There are more operations than the caller takes.
    #[error("the patch has {operations} operations, more than {max}")]
    TooMany {
        /// How many there are.
        operations: usize,
        /// How many there may be.
        max: usize,
    },
    /// One operation is wrong or does not apply.
    #[error("operation {index} ({op} {path:?}): {why}")]
    Operation {
        /// Which one, counted from 0.
        index: usize,
        /// Its `op`, or the start of it; `?` when there is none.
        op: String,
        /// Its `path`, or the start of it.
        path: String,
        /// What is wrong.
        why: OperationError,
    },
}

/// Why an operation is none, or does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// It is not a JSON object.
    #[error("an operation must be an object")]
    NotAnObject,
    /// `op` is none of RFC 6902's.
    #[error("op must be add, remove, replace, move, copy or test")]
    UnknownOp,
    /// A member that the operation needs is not there or not of the right type.
    #[error("it must have {0:?}")]
    Missing(&'static str),
    /// A path is not a JSON pointer (RFC 6901).
    #[error("{0:?} is not a JSON pointer")]
    Pointer(&'static str),
    /// There is nothing at the path, or in front of it.
    #[error("there is nothing at {0:?}")]
    Nothing(&'static str),
    /// The path leads into an array by something else than an index.
    #[error("an array needs an index, a number without zeros in front")]
    Index,
    /// A value cannot be moved into itself.
    #[error("a value cannot be moved into itself")]
    IntoItself,
    /// The whole value cannot be removed by a patch: a truth is deleted instead.
    #[error("the whole value cannot be removed by a patch")]
    Whole,
    /// A `test` found something else.
    #[error("the value there is another one")]
    Test,
    /// The value would become too large.
    #[error("the value would become larger than {0} bytes")]
    TooLarge(usize),
    /// The value would become deeper than [`Value::MAX_DEPTH`].
    #[error("the value would be nested deeper than {}", Value::MAX_DEPTH)]
    TooDeep,
    /// The operations up to this one copy and move too much.
    #[error("the patch copies and moves more than {0} bytes")]
    TooMuch(usize),
}

use OperationError as Why;

impl<'a> Patch<'a> {
    /// Reads a patch of at most `max` operations and checks their shape. Members that an operation
    /// does not need are ignored.
    pub fn parse(text: &'a str, max: usize) -> Result<Patch<'a>, PatchError> {
        // A value as deep as it may be stands in an operation, in the list.
        let list = Value::parse_within(text, Value::MAX_DEPTH + 2)?;
        let Node::Array(operations) = list.tree() else { return Err(PatchError::NotAList) };
        if operations.len() > max {
            return Err(PatchError::TooMany { operations: operations.len(), max });
        }
        for (index, node) in operations.into_iter().enumerate() {
            Operation::read(index, node)?;
        }
        Ok(Patch { list })
    }

    /// The patch whose [`text`](Patch::text) this is; nothing is checked again.
    pub fn held(text: &'a str) -> Patch<'a> {
        Patch { list: Value { text: Cow::Borrowed(text) } }
    }

    /// The patch by itself.
    pub fn into_owned(self) -> Patch<'static> {
        Patch { list: self.list.into_owned() }
    }

    /// The compact JSON text.
    pub fn text(&self) -> &str {
        self.list.text()
    }

    /// The value with all operations applied, one after the other. Neither it nor what is between
    /// two operations is larger than `max_bytes`; a value that was larger before may only shrink.
    pub fn apply(&self, value: &Value<'_>, max_bytes: usize) -> Result<Value<'static>, PatchError> {
        let Node::Array(operations) = self.list.tree() else { return Err(PatchError::NotAList) };
        let root = value.tree();
        let mut document = Document { bytes: root.bytes(), root, max_bytes, carried: 0 };
        for (index, node) in operations.into_iter().enumerate() {
            let Operation { op, text, path, action } = Operation::read(index, node)?;
            document
                .perform(&path, action)
                .map_err(|why| operation_error(index, &op, &text, why))?;
        }
        let value = Value::of(&document.root);
        debug_assert_eq!(value.text().len(), document.bytes);
        Ok(value)
    }
}

struct Operation<'a> {
    op: Cow<'a, str>,
    /// The path as it was written.
    text: Cow<'a, str>,
    path: Pointer,
    action: Action<'a>,
}

enum Action<'a> {
    Add(Node<'a>),
    Remove,
    Replace(Node<'a>),
    Move(Pointer),
    Copy(Pointer),
    Test(Node<'a>),
}

impl<'a> Operation<'a> {
    fn read(index: usize, node: Node<'a>) -> Result<Operation<'a>, PatchError> {
        let (mut op, mut text) = (Cow::Borrowed("?"), Cow::Borrowed(""));
        match Operation::read_parts(node, &mut op, &mut text) {
            Ok((path, action)) => Ok(Operation { op, text, path, action }),
            Err(why) => Err(operation_error(index, &op, &text, why)),
        }
    }

    fn read_parts(
        node: Node<'a>,
        op: &mut Cow<'a, str>,
        text: &mut Cow<'a, str>,
    ) -> Result<(Pointer, Action<'a>), Why> {
        let Node::Object(mut members) = node else { return Err(Why::NotAnObject) };
        let mut string = |name: &'static str| match members.swap_remove(name) {
            Some(Node::String(string)) => Ok(string),
            _ => Err(Why::Missing(name)),
        };
        *op = string("op")?;
        *text = string("path")?;
        let path = Pointer::parse(text).map_err(|NotAPointer| Why::Pointer("path"))?;
        let mut from = || {
            let from = string("from")?;
            Pointer::parse(&from).map_err(|NotAPointer| Why::Pointer("from"))
        };
        let action = match op.as_ref() {
            "remove" => Action::Remove,
            "move" => Action::Move(from()?),
            "copy" => Action::Copy(from()?),
            "add" | "replace" | "test" => {
                let value = members.swap_remove("value").ok_or(Why::Missing("value"))?;
                match op.as_ref() {
                    "add" => Action::Add(value),
                    "replace" => Action::Replace(value),
                    _ => Action::Test(value),
                }
            }
            _ => return Err(Why::UnknownOp),
        };
        Ok((path, action))
    }
}

fn operation_error(index: usize, op: &str, path: &str, why: Why) -> PatchError {
    PatchError::Operation { index, op: shown(op), path: shown(path), why }
}

/// A value while a patch works on it.
struct Document<'a> {
    root: Node<'a>,
    /// The size of its text.
    bytes: usize,
    max_bytes: usize,
    /// What was copied and moved so far, in bytes.
    carried: usize,
}

impl<'a> Document<'a> {
    fn perform(&mut self, path: &Pointer, action: Action<'a>) -> Result<(), Why> {
        match action {
            Action::Add(node) => self.add(path, node),
            Action::Remove => self.remove(path, "path").map(drop),
            Action::Replace(node) => self.replace(path, node),
            Action::Move(from) if from.is_above(path) => Err(Why::IntoItself),
            Action::Move(from) if from == *path => self.find(&from, "from").map(drop),
            Action::Move(from) => {
                let node = self.remove(&from, "from")?;
                self.carry(node.bytes())?;
                self.add(path, node)
            }
            Action::Copy(from) => {
                let bytes = self.find(&from, "from")?.bytes();
                self.carry(bytes)?;
                let node = self.find(&from, "from")?.clone();
                self.add(path, node)
            }
            Action::Test(node) => {
                let same = self.find(path, "path")?.same(&node);
                if same { Ok(()) } else { Err(Why::Test) }
            }
        }
    }

    fn add(&mut self, path: &Pointer, node: Node<'a>) -> Result<(), Why> {
        let added = node.bytes();
        if path.0.len() + node.depth() > Value::MAX_DEPTH {
            return Err(Why::TooDeep);
        }
        let Some((last, above)) = path.0.split_last() else {
            self.resize(self.bytes, added)?;
            self.root = node;
            return Ok(());
        };
        let max_bytes = self.max_bytes;
        let resized = |bytes, less, more| resized(max_bytes, bytes, less, more);
        match find(&mut self.root, above, "path")? {
            Node::Array(items) => {
                let at = if last == "-" { items.len() } else { index(last)? };
                if at > items.len() {
                    return Err(Why::Nothing("path"));
                }
                let comma = usize::from(!items.is_empty());
                self.bytes = resized(self.bytes, 0, comma + added)?;
                items.insert(at, node);
            }
            Node::Object(members) => {
                if let Some(old) = members.get_mut(last.as_str()) {
                    self.bytes = resized(self.bytes, old.bytes(), added)?;
                    *old = node;
                } else {
                    let comma = usize::from(!members.is_empty());
                    let key = string_bytes(last) + ":".len();
                    self.bytes = resized(self.bytes, 0, comma + key + added)?;
                    members.insert(Cow::Owned(last.clone()), node);
                }
            }
            _ => return Err(Why::Nothing("path")),
        }
        Ok(())
    }

    fn replace(&mut self, path: &Pointer, node: Node<'a>) -> Result<(), Why> {
        if path.0.len() + node.depth() > Value::MAX_DEPTH {
            return Err(Why::TooDeep);
        }
        let old = self.find(path, "path")?.bytes();
        self.resize(old, node.bytes())?;
        *self.find(path, "path")? = node;
        Ok(())
    }

    fn remove(&mut self, path: &Pointer, name: &'static str) -> Result<Node<'a>, Why> {
        let Some((last, above)) = path.0.split_last() else { return Err(Why::Whole) };
        let (removed, separators) = match find(&mut self.root, above, name)? {
            Node::Array(items) => {
                let at = index(last)?;
                if at >= items.len() {
                    return Err(Why::Nothing(name));
                }
                (items.remove(at), usize::from(!items.is_empty()))
            }
            Node::Object(members) => {
                let removed = members.shift_remove(last.as_str()).ok_or(Why::Nothing(name))?;
                let comma = usize::from(!members.is_empty());
                (removed, string_bytes(last) + ":".len() + comma)
            }
            _ => return Err(Why::Nothing(name)),
        };
        self.bytes -= removed.bytes() + separators;
        Ok(removed)
    }

    fn find(&mut self, path: &Pointer, name: &'static str) -> Result<&mut Node<'a>, Why> {
        find(&mut self.root, &path.0, name)
    }

    fn resize(&mut self, less: usize, more: usize) -> Result<(), Why> {
        self.bytes = resized(self.max_bytes, self.bytes, less, more)?;
        Ok(())
    }

    fn carry(&mut self, bytes: usize) -> Result<(), Why> {
        let max = self.max_bytes.saturating_mul(CARRY_FACTOR);
        self.carried = self.carried.saturating_add(bytes);
        if self.carried > max { Err(Why::TooMuch(max)) } else { Ok(()) }
    }
}

fn resized(max_bytes: usize, bytes: usize, less: usize, more: usize) -> Result<usize, Why> {
    let now = bytes - less + more;
    if more > less && now > max_bytes { Err(Why::TooLarge(max_bytes)) } else { Ok(now) }
}

fn find<'n, 'a>(
    mut node: &'n mut Node<'a>,
    path: &[String],
    name: &'static str,
) -> Result<&'n mut Node<'a>, Why> {
    for step in path {
        node = match node {
            Node::Array(items) => items.get_mut(index(step)?).ok_or(Why::Nothing(name))?,
            Node::Object(members) => members.get_mut(step.as_str()).ok_or(Why::Nothing(name))?,
            _ => return Err(Why::Nothing(name)),
        };
    }
    Ok(node)
}

fn index(step: &str) -> Result<usize, Why> {
    pointer::index(step).ok_or(Why::Index)
}
