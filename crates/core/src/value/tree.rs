// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Node`]: the tree of a value, borrowed from its text.
//!
//! serde_json's own tree would round numbers, or need its `arbitrary_precision`, which changes how
//! serde_json works for every crate of the program, also that of whoever embeds Oyez. serde_json
//! still decides what JSON is: this reads only text that it has accepted.
//!
//! Trees are hardly deeper than [`MAX_DEPTH`](super::Value::MAX_DEPTH), so recursion over them is bounded.

use std::borrow::Cow;
use std::io::Write;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use oyez_protocol::json;

use super::ValueError;
use super::number::Number;

/// A part of a value.
#[derive(Clone, Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Box<Object<'a>>),
}

/// Members in the order of their text; of two with one key the last.
pub(super) type Object<'a> = IndexMap<Cow<'a, str>, Node<'a>, RandomState>;

/// What of a text a [`ValueError`] shows, in bytes.
const SHOWN: usize = 40;

/// Beyond as many characters a number without an exponent may be too large for a double.
const SAFE_DIGITS: usize = 300;

/// Checks what JSON leaves open. The text is compact JSON.
pub(super) fn check(text: &str, max_depth: usize) -> Result<(), ValueError> {
    let mut reader = Reader { text, at: 0 };
    let mut depth = 0;
    while let Some(byte) = reader.peek() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > max_depth {
                    return Err(ValueError::Depth);
                }
                reader.at += 1;
            }
            b']' | b'}' => {
                depth -= 1;
                reader.at += 1;
            }
            b'"' => {
                let raw = reader.raw_string();
                if raw.contains("\\u") && serde_json::from_str::<String>(raw).is_err() {
                    return Err(ValueError::Surrogate(shown(raw)));
                }
            }
            b'-' | b'0'..=b'9' => {
                let number = reader.number();
                let doubtful = number.0.len() > SAFE_DIGITS || number.0.contains(['e', 'E']);
                if doubtful && number.double().is_infinite() {
                    return Err(ValueError::Range(shown(number.0)));
                }
            }
            _ => reader.at += 1,
        }
    }
    Ok(())
}

/// As much of a text as fits into an error.
pub(super) fn shown(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(SHOWN)])
}

impl<'a> Node<'a> {
    /// The tree of a value's text.
    pub(super) fn read(text: &'a str) -> Node<'a> {
        let mut reader = Reader { text, at: 0 };
        let node = reader.node();
        debug_assert_eq!(reader.at, text.len());
        node
    }

    /// Appends the compact text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Node::Null => out.extend(b"null"),
            Node::Bool(true) => out.extend(b"true"),
            Node::Bool(false) => out.extend(b"false"),
            Node::Number(number) => out.extend(number.0.as_bytes()),
            Node::String(string) => json::write_string(out, string),
            Node::Array(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Node::Object(members) => {
                out.push(b'{');
                for (at, (key, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    json::write_string(out, key);
                    out.push(b':');
                    member.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// How many bytes [`write`](Node::write) appends.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Node::Null | Node::Bool(true) => 4,
            Node::Bool(false) => 5,
            Node::Number(number) => number.0.len(),
            Node::String(string) => string_bytes(string),
            Node::Array(items) => {
                2 + items.len().saturating_sub(1) + items.iter().map(Node::bytes).sum::<usize>()
            }
            Node::Object(members) => {
                let member = |(key, node): (&Cow<'_, str>, &Node<'_>)| {
                    string_bytes(key) + ":".len() + node.bytes()
                };
                2 + members.len().saturating_sub(1) + members.iter().map(member).sum::<usize>()
            }
        }
    }

    /// How many arrays and objects stand in one another, itself included.
    pub(super) fn depth(&self) -> usize {
        match self {
            Node::Array(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Node::Object(members) => 1 + members.values().map(Node::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// See [`Value::same`](super::Value::same).
    pub(super) fn same(&self, other: &Node<'_>) -> bool {
        match (self, other) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(a), Node::Bool(b)) => a == b,
            (Node::Number(a), Node::Number(b)) => a == b,
            (Node::String(a), Node::String(b)) => a == b,
            (Node::Array(a), Node::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Node::Object(a), Node::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, a)| b.get(key.as_ref()).is_some_and(|b| a.same(b)))
            }
            _ => false,
        }
    }
}

/// How many bytes a string takes in JSON.
pub(super) fn string_bytes(text: &str) -> usize {
    let escape = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escape).sum::<usize>()
}

/// Appends to an output that a memory writer cannot refuse.
pub(super) fn put(out: &mut impl Write, bytes: &[u8]) {
    out.write_all(bytes).expect("memory takes everything");
}

/// Reads compact JSON that is known to be well formed.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over one byte and says whether it was that one.
    fn next_is(&mut self, byte: u8) -> bool {
        self.at += 1;
        self.text.as_bytes().get(self.at - 1) == Some(&byte)
    }

    fn node(&mut self) -> Node<'a> {
        match self.peek().expect("a value's text is whole") {
            b'n' => self.word("null", Node::Null),
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'"' => Node::String(self.string()),
            b'[' => {
                let mut items = Vec::new();
                self.at += 1;
                if self.peek() == Some(b']') {
                    self.at += 1;
                    return Node::Array(items);
                }
                loop {
                    items.push(self.node());
                    if !self.next_is(b',') {
                        return Node::Array(items);
                    }
                }
            }
            b'{' => {
                let mut members = Box::<Object<'a>>::default();
                self.at += 1;
                if self.peek() == Some(b'}') {
                    self.at += 1;
                    return Node::Object(members);
                }
                loop {
                    let key = self.string();
                    self.at += ":".len();
                    members.insert(key, self.node());
                    if !self.next_is(b',') {
                        return Node::Object(members);
                    }
                }
            }
            _ => Node::Number(self.number()),
        }
    }

    fn word(&mut self, word: &str, node: Node<'a>) -> Node<'a> {
        self.at += word.len();
        node
    }

    fn number(&mut self) -> Number<'a> {
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
        self.at += end;
        Number(&rest[..end])
    }

    fn string(&mut self) -> Cow<'a, str> {
        let raw = self.raw_string();
        if raw.contains('\\') {
            Cow::Owned(serde_json::from_str(raw).expect("a value's strings are Unicode"))
        } else {
            Cow::Borrowed(&raw[1..raw.len() - 1])
        }
    }

    /// A string with its quotes and escapes.
    fn raw_string(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let mut end = 1;
        loop {
            match rest.as_bytes()[end] {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at += end + 1;
        &rest[..=end]
    }
}
