// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Made`]: values made up for tests, edits of them, and many ways to write them.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A made-up value. Numbers are texts, keys are unique.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Made {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Made>),
    Object(Vec<(String, Made)>),
}

/// One change, somewhere.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Replace(Vec<Index>, Made),
    Remove(Vec<Index>, Index),
    Insert(Vec<Index>, Index, String, Made),
    Swap(Vec<Index>, Index, Index),
}

/// Numbers at the edges, and others; among them several that are one double, and several ways to
/// write one number.
pub(super) fn number() -> impl Strategy<Value = String> {
    const EDGES: &[&str] = &[
        "0",
        "-0",
        "0.0",
        "1",
        "1.0",
        "10e-1",
        "100",
        "1e2",
        "1E+2",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "-9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "0.1",
        "0.10000000000000000001",
        "5e-324",
        "1e-400",
        "1e21",
        "999999999999999900000",
        "1.7976931348623157e308",
        "0.000001",
        "1e-7",
    ];
    prop_oneof![
        select(EDGES).prop_map(str::to_owned),
        any::<i32>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
    ]
}

fn string() -> impl Strategy<Value = String> {
    const ODD: &[&str] = &[
        "",
        "a",
        "~",
        "/",
        "~1",
        "0",
        "-",
        "__proto__",
        "é",
        "e\u{301}",
        "😀",
        "\u{fb33}",
        "\"\\\u{0}\n",
        "\u{2028}",
    ];
    prop_oneof![3 => select(ODD).prop_map(str::to_owned), 1 => ".{0,12}"]
}

pub(super) fn made() -> impl Strategy<Value = Made> {
    let leaf = prop_oneof![
        2 => Just(Made::Null),
        1 => any::<bool>().prop_map(Made::Bool),
        3 => number().prop_map(Made::Number),
        3 => string().prop_map(Made::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Made::Array),
            prop::collection::vec((string(), inner), 0..6).prop_map(|members| {
                let mut object = Made::Object(Vec::new());
                for (key, member) in members {
                    object.set(&key, member);
                }
                object
            }),
        ]
    })
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    let path = || prop::collection::vec(any::<Index>(), 0..4);
    prop_oneof![
        (path(), made()).prop_map(|(path, made)| Edit::Replace(path, made)),
        (path(), any::<Index>()).prop_map(|(path, at)| Edit::Remove(path, at)),
        (path(), any::<Index>(), string(), made())
            .prop_map(|(path, at, key, made)| Edit::Insert(path, at, key, made)),
        (path(), any::<Index>(), any::<Index>()).prop_map(|(path, a, b)| Edit::Swap(path, a, b)),
    ]
}

impl Made {
    fn set(&mut self, key: &str, made: Made) {
        let Made::Object(members) = self else { panic!("no object") };
        match members.iter_mut().find(|(known, _)| known == key) {
            Some((_, member)) => *member = made,
            None => members.push((key.to_owned(), made)),
        }
    }

    fn at(&mut self, path: &[Index]) -> &mut Made {
        let Some((first, rest)) = path.split_first() else { return self };
        let inner = match self {
            Made::Array(items) => items.len(),
            Made::Object(members) => members.len(),
            _ => 0,
        };
        if inner == 0 {
            return self;
        }
        match self {
            Made::Array(items) => items[first.index(inner)].at(rest),
            Made::Object(members) => members[first.index(inner)].1.at(rest),
            _ => unreachable!("it has something inside"),
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Replace(path, made) => *self.at(path) = made.clone(),
            Edit::Remove(path, at) => match self.at(path) {
                Made::Array(items) if !items.is_empty() => {
                    drop(items.remove(at.index(items.len())))
                }
                Made::Object(members) if !members.is_empty() => {
                    members.remove(at.index(members.len()));
                }
                leaf => *leaf = Made::Null,
            },
            Edit::Insert(path, at, key, made) => match self.at(path) {
                Made::Array(items) => items.insert(at.index(items.len() + 1), made.clone()),
                object @ Made::Object(_) => object.set(key, made.clone()),
                leaf => *leaf = made.clone(),
            },
            Edit::Swap(path, a, b) => match self.at(path) {
                Made::Array(items) if !items.is_empty() => {
                    let (a, b) = (a.index(items.len()), b.index(items.len()));
                    items.swap(a, b);
                }
                Made::Object(members) if !members.is_empty() => {
                    let (a, b) = (a.index(members.len()), b.index(members.len()));
                    members.swap(a, b);
                }
                _ => {}
            },
        }
    }

    /// The JSON text.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut || 0);
        out
    }

    /// The JSON text in one of many ways: other orders of keys, escapes and white space.
    pub(super) fn written(&self, seed: u64) -> String {
        let mut state = seed | 1;
        let mut out = String::new();
        self.write(&mut out, &mut || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) as usize
        });
        out
    }

    fn write(&self, out: &mut String, choose: &mut dyn FnMut() -> usize) {
        let blank = |out: &mut String, choose: &mut dyn FnMut() -> usize| {
            out.push_str(["", "", " ", "\n\t"][choose() % 4]);
        };
        blank(out, choose);
        match self {
            Made::Null => out.push_str("null"),
            Made::Bool(value) => out.push_str(&value.to_string()),
            Made::Number(number) => {
                out.push_str(number);
                if choose() % 3 == 2 {
                    let mark = if number.contains(['.', 'e', 'E']) { "" } else { ".000" };
                    out.push_str(mark);
                }
            }
            Made::String(string) => write_string(string, out, choose),
            Made::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out, choose);
                    blank(out, choose);
                }
                out.push(']');
            }
            Made::Object(members) => {
                out.push('{');
                let first = choose();
                for at in 0..members.len() {
                    if at > 0 {
                        out.push(',');
                    }
                    let (key, member) = &members[(first + at) % members.len()];
                    blank(out, choose);
                    write_string(key, out, choose);
                    blank(out, choose);
                    out.push(':');
                    member.write(out, choose);
                    blank(out, choose);
                }
                out.push('}');
            }
        }
        blank(out, choose);
    }
}

fn write_string(string: &str, out: &mut String, choose: &mut dyn FnMut() -> usize) {
    out.push('"');
    for character in string.chars() {
        if choose() % 4 == 3 || character < ' ' || matches!(character, '"' | '\\') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}
