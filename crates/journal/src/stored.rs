// SPDX-License-Identifier: MIT OR Apache-2.0
//! How records look on disk: a tag, the app's id, then the fields; the longest field comes last
//! and needs no length. The layout belongs to [`FORMAT`]; whoever changes it counts that up.

use std::num::NonZeroU64;

use oyez_core::{BodyHash, Entry, EntryKind, Identity, StoredAnswer, Timestamp};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::{Epoch, Offset, Term};
use oyez_protocol::socket_id::SocketId;

use crate::codec::{DecodeError, Reader, put_number, put_text};

/// The version of everything in this file, and of the tables it is kept in.
pub(crate) const FORMAT: u32 = 1;

/// First bytes of a row.
const ENTRY: u8 = 1;
const ANSWER: u8 = 2;

/// What an entry has besides its required fields.
const EXPIRES: u8 = 1;
const EXCLUDE: u8 = 2;

/// Length of the name of an epoch or a term.
const NAME: usize = 8;

/// What a row holds, with the id of its app.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept<'a> {
    Entry { app: &'a str, channel: ChannelName, entry: Entry },
    Answer { app: &'a str, answer: StoredAnswer },
}

pub(crate) fn put_entry(out: &mut Vec<u8>, app: &str, channel: &ChannelName, entry: &Entry) {
    out.push(ENTRY);
    put_text(out, app);
    put_text(out, channel.as_str());
    put_number(out, entry.offset.get());
    put_number(out, entry.time.0);
    let code = EntryKind::ALL.iter().position(|kind| *kind == entry.kind);
    out.push(code.expect("ALL has every kind") as u8);
    let expires = entry.expires.map_or(0, |_| EXPIRES);
    let exclude = entry.exclude.as_ref().map_or(0, |_| EXCLUDE);
    out.push(expires | exclude);
    if let Some(expires) = entry.expires {
        put_number(out, expires.get());
    }
    if let Some(exclude) = &entry.exclude {
        put_text(out, &exclude.to_string());
    }
    put_text(out, entry.event());
    out.extend_from_slice(entry.data().as_bytes());
}

pub(crate) fn put_answer(out: &mut Vec<u8>, app: &str, answer: &StoredAnswer) {
    out.push(ANSWER);
    put_text(out, app);
    put_text(out, &answer.key);
    out.extend_from_slice(&answer.body.0);
    put_number(out, answer.status.into());
    put_number(out, answer.expires.0);
    out.extend_from_slice(&answer.answer);
}

pub(crate) fn kept(bytes: &[u8]) -> Result<Kept<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        ENTRY => entry(reader),
        ANSWER => answer(reader),
        _ => Err(DecodeError::Bad("its first byte")),
    }
}

fn entry(mut reader: Reader<'_>) -> Result<Kept<'_>, DecodeError> {
    let app = reader.text()?;
    let channel = channel(reader.text()?)?;
    let offset = offset(&mut reader)?;
    let time = Timestamp(reader.number()?);
    let kind = reader.byte()?;
    let kind = EntryKind::ALL.get(usize::from(kind)).ok_or(DecodeError::Bad("its kind"))?;
    let has = reader.byte()?;
    if has & !(EXPIRES | EXCLUDE) != 0 {
        return Err(DecodeError::Bad("what it says it has"));
    }
    let mut expires = None;
    if has & EXPIRES != 0 {
        let end = NonZeroU64::new(reader.number()?);
        expires = Some(end.ok_or(DecodeError::Bad("its end"))?);
    }
    let mut exclude = None;
    if has & EXCLUDE != 0 {
        let id = SocketId::parse(reader.text()?).map_err(|_| DecodeError::Bad("its socket"))?;
        exclude = Some(Box::new(id));
    }
    let event = reader.text()?;
    if u32::try_from(event.len()).is_err() {
        return Err(DecodeError::Number);
    }
    let mut entry = Entry::new(offset, *kind, event, reader.rest_text()?, time);
    (entry.expires, entry.exclude) = (expires, exclude);
    Ok(Kept::Entry { app, channel, entry })
}

fn answer(mut reader: Reader<'_>) -> Result<Kept<'_>, DecodeError> {
    let app = reader.text()?;
    let key = reader.text()?.into();
    let body = BodyHash(reader.array()?);
    let status = u16::try_from(reader.number()?).map_err(|_| DecodeError::Number)?;
    let expires = Timestamp(reader.number()?);
    let answer = reader.rest().into();
    Ok(Kept::Answer { app, answer: StoredAnswer { key, body, status, answer, expires } })
}

pub(crate) fn put_channel(out: &mut Vec<u8>, app: &str, channel: &ChannelName) {
    put_text(out, app);
    out.extend_from_slice(channel.as_str().as_bytes());
}

/// The id of the app, and the channel.
pub(crate) fn app_and_channel(bytes: &[u8]) -> Result<(&str, ChannelName), DecodeError> {
    let mut reader = Reader::new(bytes);
    let app = reader.text()?;
    Ok((app, channel(reader.rest_text()?)?))
}

pub(crate) fn put_identity(out: &mut Vec<u8>, identity: &Identity) {
    out.extend_from_slice(identity.epoch.as_str().as_bytes());
    out.extend_from_slice(identity.term.as_str().as_bytes());
    put_number(out, identity.head.get());
    put_number(out, identity.touched.0);
    put_number(out, identity.lineage.len() as u64);
    for (term, end) in &identity.lineage {
        out.extend_from_slice(term.as_str().as_bytes());
        put_number(out, end.get());
    }
}

pub(crate) fn identity(bytes: &[u8]) -> Result<Identity, DecodeError> {
    let mut reader = Reader::new(bytes);
    let epoch = name(&mut reader)?;
    let epoch = Epoch::parse(epoch).map_err(|_| DecodeError::Bad("its epoch"))?;
    let term = term(&mut reader)?;
    let head = offset(&mut reader)?;
    let touched = Timestamp(reader.number()?);
    let count = reader.number()?;
    // A term and at least one byte of an offset each.
    if count > (reader.remaining() / (NAME + 1)) as u64 {
        return Err(DecodeError::Short);
    }
    let mut lineage = Vec::with_capacity(count as usize);
    for _ in 0..count {
        lineage.push((self::term(&mut reader)?, offset(&mut reader)?));
    }
    reader.end()?;
    Ok(Identity { epoch, term, head, lineage, touched })
}

pub(crate) fn put_terms(out: &mut Vec<u8>, terms: &[Term]) {
    for term in terms {
        out.extend_from_slice(term.as_str().as_bytes());
    }
}

pub(crate) fn terms(bytes: &[u8]) -> Result<Vec<Term>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut terms = Vec::with_capacity(bytes.len() / NAME);
    while reader.remaining() > 0 {
        terms.push(term(&mut reader)?);
    }
    Ok(terms)
}

fn name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(reader.take(NAME)?).map_err(|_| DecodeError::Text)
}

fn term(reader: &mut Reader<'_>) -> Result<Term, DecodeError> {
    Term::parse(name(reader)?).map_err(|_| DecodeError::Bad("a term"))
}

fn offset(reader: &mut Reader<'_>) -> Result<Offset, DecodeError> {
    Offset::new(reader.number()?).ok_or(DecodeError::Number)
}

fn channel(name: &str) -> Result<ChannelName, DecodeError> {
    // How long names may be is a matter of the config, which may have changed.
    ChannelName::parse(name, usize::MAX).map_err(|_| DecodeError::Bad("its channel"))
}
