// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written reads back, and no bytes at all make a reader panic.

use std::num::NonZeroU64;

use oyez_core::{BodyHash, Entry, EntryKind, Identity, StoredAnswer, Timestamp};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::socket_id::SocketId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::sample::{epoch, offset, term};
use crate::stored::{self, Kept};

fn channel() -> impl Strategy<Value = ChannelName> {
    "[a-zA-Z0-9_=@,.;-]{1,200}|#server-to-user-[a-zé #/]{1,20}"
        .prop_map(|name| ChannelName::parse(&name, 1000).unwrap())
}

fn entry() -> impl Strategy<Value = Entry> {
    let texts = (".{0,200}", ".{0,2000}");
    let exclude = proptest::option::of((1..1u64 << 53, 1..1u64 << 53));
    let numbers = (0..1u64 << 53, any::<u64>(), any::<u64>(), 0..EntryKind::ALL.len());
    (texts, exclude, numbers).prop_map(|((event, data), exclude, (place, time, expires, kind))| {
        let (place, kind) = (offset(place), EntryKind::ALL[kind]);
        let mut entry = Entry::new(place, kind, &event, &data, Timestamp(time));
        entry.expires = NonZeroU64::new(expires);
        entry.exclude =
            exclude.map(|(high, low)| Box::new(SocketId::parse(&format!("{high}.{low}")).unwrap()));
        entry
    })
}

fn answer() -> impl Strategy<Value = StoredAnswer> {
    (".{0,100}", any::<[u8; 32]>(), any::<u16>(), any::<u64>(), vec(any::<u8>(), 0..300)).prop_map(
        |(key, body, status, expires, answer)| StoredAnswer {
            key: key.into(),
            body: BodyHash(body),
            status,
            answer: answer.into(),
            expires: Timestamp(expires),
        },
    )
}

fn identity() -> impl Strategy<Value = Identity> {
    (any::<u16>(), 0..1u64 << 53, vec(0..1u64 << 53, 0..64), any::<u64>()).prop_map(
        |(name, head, ends, touched)| Identity {
            epoch: epoch(name.into()),
            term: term(name.into()),
            head: offset(head),
            lineage: (0..).map(term).zip(ends.into_iter().map(offset)).collect(),
            touched: Timestamp(touched),
        },
    )
}

/// Reads the bytes as everything there is.
fn read_all(bytes: &[u8]) {
    let _ = stored::kept(bytes);
    let _ = stored::identity(bytes);
    let _ = stored::app_and_channel(bytes);
    let _ = stored::terms(bytes);
}

/// Reads the bytes cut, lengthened and changed.
fn spoil(bytes: &[u8], at: prop::sample::Index, by: u8) {
    (0..=bytes.len()).for_each(|end| read_all(&bytes[..end]));
    let mut bytes = bytes.to_vec();
    bytes.push(by);
    read_all(&bytes);
    bytes.pop();
    let at = at.index(bytes.len());
    bytes[at] ^= by;
    read_all(&bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_a_reader_panic(tag in 0..4u8, bytes in vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
        read_all(&[&[tag][..], &bytes[..]].concat());
    }

    #[test]
    fn entries_read_back(
        app in ".{0,60}", channel in channel(), entry in entry(),
        at: prop::sample::Index, by: u8,
    ) {
        let mut bytes = Vec::new();
        stored::put_entry(&mut bytes, &app, &channel, &entry);
        spoil(&bytes, at, by);
        prop_assert_eq!(stored::kept(&bytes), Ok(Kept::Entry { app: &app, channel, entry }));
    }

    #[test]
    fn answers_read_back(
        app in ".{0,60}", answer in answer(), at: prop::sample::Index, by: u8,
    ) {
        let mut bytes = Vec::new();
        stored::put_answer(&mut bytes, &app, &answer);
        spoil(&bytes, at, by);
        prop_assert_eq!(stored::kept(&bytes), Ok(Kept::Answer { app: &app, answer }));
    }

    #[test]
    fn identities_read_back(
        app in ".{0,60}", channel in channel(), identity in identity(),
        at: prop::sample::Index, by: u8,
    ) {
        let mut bytes = Vec::new();
        stored::put_identity(&mut bytes, &identity);
        spoil(&bytes, at, by);
        prop_assert_eq!(stored::identity(&bytes), Ok(identity));
        bytes.clear();
        stored::put_channel(&mut bytes, &app, &channel);
        spoil(&bytes, at, by);
        prop_assert_eq!(stored::app_and_channel(&bytes), Ok((&*app, channel)));
    }
}
