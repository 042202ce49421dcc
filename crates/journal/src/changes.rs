// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Changes`]: what is left to do of a batch of appends once each place is written only once.
//!
//! A busy channel that keeps its latest event adds and removes an entry with each append; of all
//! that one commit holds, the disk sees the last.

use oyez_core::{AppIndex, Append, ChannelKey, Entry, Identity, Record, Row, StoredAnswer};
use redb::{StorageError, Table, WriteTransaction};

use crate::apps::Apps;
use crate::recover::{CHANNELS, Problem, ROWS};
use crate::stored;

/// What a commit changes, by place: of what it changes twice, only the last remains.
#[derive(Default)]
pub(crate) struct Changes<'a> {
    rows: Vec<(Row, Option<Kept<'a>>)>,
    channels: Vec<(&'a ChannelKey, Option<&'a Identity>)>,
}

/// What a row is to hold.
#[derive(Clone, Copy)]
enum Kept<'a> {
    Entry(&'a ChannelKey, &'a Entry),
    Answer(AppIndex, &'a StoredAnswer),
}

impl<'a> Changes<'a> {
    /// The changes of these appends.
    pub(crate) fn of(appends: &'a [Append]) -> Changes<'a> {
        let mut changes = Changes::default();
        let Changes { rows, channels } = &mut changes;
        // The last first: sorting keeps their order, and dropping repetitions keeps the first.
        for record in appends.iter().rev().flat_map(|append| append.records.iter().rev()) {
            match record {
                Record::Entry { row, key, entry } => {
                    rows.push((*row, Some(Kept::Entry(key, entry))));
                }
                Record::Answer { row, app, answer } => {
                    rows.push((*row, Some(Kept::Answer(*app, answer))));
                }
                Record::Remove(row) => rows.push((*row, None)),
                Record::Identity { key, identity } => channels.push((key, Some(identity))),
                Record::Unidentify(key) => channels.push((key, None)),
            }
        }
        rows.sort_by_key(|(row, _)| *row);
        rows.dedup_by_key(|(row, _)| *row);
        let place = |key: &'a ChannelKey| (key.app(), key.name().as_str());
        channels.sort_by_key(|(key, _)| place(key));
        channels.dedup_by_key(|(key, _)| place(key));
        changes
    }

    /// Writes them; `name` and `value` are room to encode in.
    pub(crate) fn write(
        &self,
        write: &WriteTransaction,
        apps: &Apps,
        name: &mut Vec<u8>,
        value: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        put_rows(&self.rows, apps, &mut write.open_table(ROWS)?, value)?;
        put_channels(&self.channels, apps, &mut write.open_table(CHANNELS)?, name, value)?;
        Ok(())
    }
}

fn put_rows(
    rows: &[(Row, Option<Kept<'_>>)],
    apps: &Apps,
    table: &mut Table<'_, u64, &'static [u8]>,
    value: &mut Vec<u8>,
) -> Result<(), StorageError> {
    for (Row(row), kept) in rows {
        value.clear();
        match kept {
            Some(Kept::Entry(key, entry)) => {
                stored::put_entry(value, apps.id(key.app()), key.name(), entry);
            }
            Some(Kept::Answer(app, answer)) => stored::put_answer(value, apps.id(*app), answer),
            None => {
                table.remove(row)?;
                continue;
            }
        }
        table.insert(row, value.as_slice())?;
    }
    Ok(())
}

fn put_channels(
    channels: &[(&ChannelKey, Option<&Identity>)],
    apps: &Apps,
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    name: &mut Vec<u8>,
    value: &mut Vec<u8>,
) -> Result<(), StorageError> {
    for (key, identity) in channels {
        name.clear();
        stored::put_channel(name, apps.id(key.app()), key.name());
        if let Some(identity) = identity {
            value.clear();
            stored::put_identity(value, identity);
            table.insert(name.as_slice(), value.as_slice())?;
        } else {
            table.remove(name.as_slice())?;
        }
    }
    Ok(())
}
