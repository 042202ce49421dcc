// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recovery: reads everything that survived, drops what is too old, and writes down the new term,
//! all in one transaction.
//!
//! What belongs to apps that this run does not have is read as carefully, but left where it is: it
//! comes back when the app does. What cannot be read ends the start; nothing is skipped silently.

use std::collections::HashMap;

use oyez_core::{
    AppIndex, Entry, IDENTITY_AGE, Identity, Recovered, RecoveredChannel, Row, Timestamp,
};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Term;
use redb::{Database, ReadableTable, Table, TableDefinition, TableHandle, WriteTransaction};

use crate::apps::Apps;
use crate::codec::DecodeError;
use crate::error::OpenError;
use crate::stored::{self, FORMAT, Kept};

/// How many terms are kept, the newest.
pub const TERMS_KEPT: usize = 1024;

/// By row: an entry or an answer, in the order in which they were committed.
pub(crate) const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

/// By app and channel: where the channel stands.
pub(crate) const CHANNELS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("channels");

/// By name: the format, and the terms.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

const FORMAT_KEY: &str = "format";
const TERMS_KEY: &str = "terms";

/// Stands before the number of the format.
const FORMAT_NAME: &str = "oyez-journal ";

/// Why nothing could be recovered; the path is added by whoever knows it.
#[derive(Debug)]
pub(crate) enum Problem {
    Redb(redb::Error),
    Damaged(String),
    Foreign(&'static str),
    Format(String),
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Problem {
            fn from(error: redb::$error) -> Problem {
                Problem::Redb(error.into())
            }
        })*
    };
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);

impl Problem {
    pub(crate) fn at(self, path: &std::path::Path) -> OpenError {
        let path_buf = path.to_owned();
        match self {
            Problem::Redb(error) => OpenError::redb(path, error),
            Problem::Damaged(reason) => OpenError::Damaged { path: path_buf, reason },
            Problem::Foreign(reason) => {
                OpenError::Foreign { path: path_buf, reason: reason.to_owned() }
            }
            Problem::Format(found) => OpenError::Format { path: path_buf, found, known: FORMAT },
        }
    }

    /// What happened, for errors that have a path of their own.
    pub(crate) fn reason(self) -> String {
        match self {
            Problem::Redb(error) => error.to_string(),
            Problem::Damaged(reason) | Problem::Format(reason) => reason,
            Problem::Foreign(reason) => reason.to_owned(),
        }
    }

    fn row(row: u64, reason: DecodeError) -> Problem {
        Problem::Damaged(format!("row {row} of the table \"rows\" cannot be read: {reason}"))
    }

    fn channel(key: &[u8], reason: DecodeError) -> Problem {
        let key = key.escape_ascii();
        Problem::Damaged(format!(
            "row \"{key}\" of the table \"channels\" cannot be read: {reason}"
        ))
    }
}

/// What is found of one channel.
struct Found {
    identity: Identity,
    /// When it was last touched or written to.
    newest: Timestamp,
    rows: Vec<u64>,
    /// Of apps that this run has.
    entries: Vec<(Row, Entry)>,
}

/// By the app's id and the channel's name.
type Channels = HashMap<Box<str>, HashMap<ChannelName, Found>>;

/// Reads the file, drops what is too old, and begins `term` durably.
pub(crate) fn recover(
    database: &Database,
    apps: &Apps,
    now: Timestamp,
    term: Term,
) -> Result<Recovered, Problem> {
    let write = database.begin_write()?;
    let mut recovered = Recovered { terms: begin(&write, term)?, ..Recovered::default() };
    let mut drop_rows = Vec::new();
    let mut found = channels(&write.open_table(CHANNELS)?, now)?;
    let mut table = write.open_table(ROWS)?;
    for item in table.iter()? {
        let (row, bytes) = item?;
        let row = row.value();
        recovered.next_row =
            row.checked_add(1).ok_or_else(|| Problem::row(row, DecodeError::Number))?;
        match stored::kept(bytes.value()).map_err(|reason| Problem::row(row, reason))? {
            Kept::Entry { app, channel, mut entry } => {
                entry.time = entry.time.min(now);
                match found.get_mut(app).and_then(|channels| channels.get_mut(&channel)) {
                    Some(found) => found.take(row, entry, apps.index(app)),
                    // Its numbering is gone, and with it what the entry's offset means.
                    None => drop_rows.push(row),
                }
            }
            Kept::Answer { answer, .. } if answer.expires <= now => drop_rows.push(row),
            Kept::Answer { app, answer } => {
                recovered.answers.extend(apps.index(app).map(|app| (Row(row), app, answer)));
            }
        }
    }
    let mut identities = write.open_table(CHANNELS)?;
    drop_old(&mut found, now, &mut identities, &mut drop_rows)?;
    for row in drop_rows {
        table.remove(row)?;
    }
    recovered.channels = loaded(found, apps)?;
    drop((table, identities));
    write.commit()?;
    Ok(recovered)
}

/// Checks the format and writes the new term; all terms, oldest first.
fn begin(write: &WriteTransaction, term: Term) -> Result<Vec<Term>, Problem> {
    let tables: Vec<String> = write.list_tables()?.map(|table| table.name().to_owned()).collect();
    let is_new = tables.is_empty() && write.list_multimap_tables()?.next().is_none();
    if !is_new && !tables.iter().any(|table| table == META.name()) {
        return Err(Problem::Foreign("it is a redb database with tables of somebody else"));
    }
    let mut meta = write.open_table(META)?;
    if is_new {
        meta.insert(FORMAT_KEY, format!("{FORMAT_NAME}{FORMAT}").as_bytes())?;
        write.open_table(ROWS)?;
        write.open_table(CHANNELS)?;
    } else {
        check_format(&meta)?;
    }
    let mut terms = match meta.get(TERMS_KEY)? {
        Some(bytes) => stored::terms(bytes.value())
            .map_err(|reason| Problem::Damaged(format!("the terms cannot be read: {reason}")))?,
        None => Vec::new(),
    };
    terms.push(term);
    terms.drain(..terms.len().saturating_sub(TERMS_KEPT));
    let mut bytes = Vec::new();
    stored::put_terms(&mut bytes, &terms);
    meta.insert(TERMS_KEY, bytes.as_slice())?;
    Ok(terms)
}

fn check_format(meta: &Table<'_, &str, &[u8]>) -> Result<(), Problem> {
    let format = meta.get(FORMAT_KEY)?;
    let format = format.as_ref().map_or(&[][..], |format| format.value());
    let number = format.strip_prefix(FORMAT_NAME.as_bytes());
    let number = number.ok_or(Problem::Foreign("its table \"meta\" names no journal format"))?;
    if number == FORMAT.to_string().as_bytes() {
        Ok(())
    } else {
        Err(Problem::Format(number.escape_ascii().to_string()))
    }
}

fn channels(table: &Table<'_, &[u8], &[u8]>, now: Timestamp) -> Result<Channels, Problem> {
    let mut channels = Channels::new();
    for item in table.iter()? {
        let (key, bytes) = item?;
        let failed = |reason| Problem::channel(key.value(), reason);
        let (app, channel) = stored::app_and_channel(key.value()).map_err(failed)?;
        let mut identity = stored::identity(bytes.value()).map_err(failed)?;
        identity.touched = identity.touched.min(now);
        let newest = identity.touched;
        let found = Found { identity, newest, rows: Vec::new(), entries: Vec::new() };
        if !channels.contains_key(app) {
            channels.insert(app.into(), HashMap::new());
        }
        channels.get_mut(app).expect("just made").insert(channel, found);
    }
    Ok(channels)
}

impl Found {
    fn take(&mut self, row: u64, entry: Entry, app: Option<AppIndex>) {
        self.newest = self.newest.max(entry.time);
        self.rows.push(row);
        if app.is_some() {
            self.entries.push((Row(row), entry));
        }
    }
}

fn drop_old(
    found: &mut Channels,
    now: Timestamp,
    identities: &mut Table<'_, &[u8], &[u8]>,
    drop_rows: &mut Vec<u64>,
) -> Result<(), Problem> {
    let kept_for = IDENTITY_AGE.as_millis() as u64;
    let mut key = Vec::new();
    for (app, channels) in found {
        let is_old = |found: &Found| now.0 - found.newest.0 > kept_for;
        for (channel, old) in channels.extract_if(|_, found| is_old(found)) {
            key.clear();
            stored::put_channel(&mut key, app, &channel);
            identities.remove(key.as_slice())?;
            drop_rows.extend(old.rows);
        }
    }
    Ok(())
}

/// What this run has to know, by app and name.
fn loaded(found: Channels, apps: &Apps) -> Result<Vec<RecoveredChannel>, Problem> {
    let mut loaded = Vec::new();
    for (id, channels) in found {
        let Some(app) = apps.index(&id) else { continue };
        for (name, Found { identity, mut entries, .. }) in channels {
            entries.sort_by_key(|(_, entry)| entry.offset);
            if let Some(twice) = entries.windows(2).find(|two| two[0].1.offset == two[1].1.offset) {
                let (Row(one), Row(two)) = (twice[0].0, twice[1].0);
                return Err(Problem::Damaged(format!(
                    "rows {one} and {two} of the table \"rows\" are the same place of one channel"
                )));
            }
            loaded.push(RecoveredChannel { app, name, identity, entries });
        }
    }
    loaded.sort_by(|a, b| (a.app, a.name.as_str()).cmp(&(b.app, b.name.as_str())));
    Ok(loaded)
}
