// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Key`]: one setting as data, and [`Walk`], which reads a TOML table by a list of keys.
//!
//! Loading, environment variables, the nearest-name help, `check-config` and the manual's table
//! all read the lists in `keys`; nothing else knows a key's name.

use toml::de::{DeArray, DeTable, DeValue};

use super::given::{Given, Read, kind};
use super::problem::{Place, Problem, Source};
use super::unknown::unknown;

/// One setting of a `T`.
pub(super) struct Key<T: 'static> {
    pub(super) name: &'static str,
    pub(super) need: Need,
    /// What it is for, in one sentence of the manual.
    pub(super) doc: &'static str,
    /// Reads a written value into its place.
    pub(super) read: fn(&mut T, &Given<'_>) -> Read<()>,
    /// The value as TOML; a secret shows as dots.
    pub(super) show: fn(&T) -> String,
}

/// Whether a block is complete without the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be there.
    Required,
    /// It has a default.
    Optional,
}

/// One row of the manual's table of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The section as it is written in the file; empty at the top.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// The environment variable of the same meaning, for settings of the whole server.
    pub variable: Option<String>,
    /// The default as TOML, empty where there is none; `None` where the key must be given.
    pub default: Option<String>,
    /// What it is for.
    pub doc: String,
}

/// The rows of a list of keys, with the defaults that `base` holds.
pub(super) fn rows<T>(section: &'static str, keys: &[Key<T>], base: &T) -> Vec<Row> {
    let row = |key: &Key<T>| Row {
        section,
        key: key.name,
        variable: section.is_empty().then(|| super::environment::variable(&[key.name])),
        default: (key.need == Need::Optional).then(|| (key.show)(base)),
        doc: key.doc.to_owned(),
    };
    keys.iter().map(row).collect()
}

/// A reading of one file, which collects everything that is wrong with it.
pub(super) struct Walk<'a> {
    pub(super) source: Source<'a>,
    pub(super) problems: Vec<Problem>,
}

/// Where each key of a block stands, and the block itself.
pub(super) struct Places {
    block: Place,
    keys: Vec<(&'static str, Place)>,
}

impl Places {
    /// The place of that key, or of its block when it was not given.
    pub(super) fn of(&self, name: &str) -> Place {
        let found = self.keys.iter().find(|(key, _)| *key == name);
        found.map_or(&self.block, |(_, place)| place).clone()
    }

    /// Whether the file has that key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|(key, _)| *key == name)
    }
}

impl<'a> Walk<'a> {
    /// Notes something that is wrong at that byte.
    pub(super) fn wrong(&mut self, byte: usize, text: impl Into<String>) {
        self.problems.push(Problem::new(self.source.place(byte), text));
    }

    /// Reads a block into `target`. Keys named in `nested` are blocks of their own, which the
    /// caller reads. `start` is where the block begins.
    pub(super) fn block<T>(
        &mut self,
        section: &'static str,
        keys: &[Key<T>],
        nested: &[&'static str],
        (start, table): (usize, &DeTable<'_>),
        target: &mut T,
    ) -> Places {
        let mut places = Places { block: self.source.place(start), keys: Vec::new() };
        for (name, value) in table {
            let byte = name.span().start;
            let Some(key) = keys.iter().find(|key| key.name == name.get_ref().as_ref()) else {
                if let Some(name) = nested.iter().find(|nested| **nested == name.get_ref().as_ref())
                {
                    places.keys.push((name, self.source.place(byte)));
                } else {
                    self.wrong(byte, unknown(section, name.get_ref()));
                }
                continue;
            };
            places.keys.push((key.name, self.source.place(byte)));
            if let Err(text) = (key.read)(target, &Given::Toml(value.get_ref())) {
                self.wrong(byte, format!("`{}` {text}", key.name));
            }
        }
        for key in keys.iter().filter(|key| key.need == Need::Required && !places.has(key.name)) {
            self.wrong(start, format!("{section} needs `{}`: {}", key.name, key.doc));
        }
        places
    }

    /// The table under that name, with where it begins.
    pub(super) fn table<'t>(
        &mut self,
        parent: &'t DeTable<'_>,
        name: &str,
    ) -> Option<(usize, &'t DeTable<'t>)> {
        let (key, value) = parent.get_key_value(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((key.span().start, table)),
            other => {
                self.wrong(
                    key.span().start,
                    format!("`{name}` must be a table, not {}", kind(other)),
                );
                None
            }
        }
    }

    /// The blocks under that name, each with where it begins.
    pub(super) fn blocks<'t>(
        &mut self,
        parent: &'t DeTable<'_>,
        name: &str,
        written: &'static str,
    ) -> Vec<(usize, &'t DeTable<'t>)> {
        let Some((key, value)) = parent.get_key_value(name) else { return Vec::new() };
        let expected = format!("`{name}` must be blocks that begin with {written}");
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(key.span().start, expected);
            return Vec::new();
        };
        let items: &DeArray<'_> = items;
        let mut blocks = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => blocks.push((item.span().start, table)),
                _ => self.wrong(item.span().start, expected.clone()),
            }
        }
        blocks
    }
}
