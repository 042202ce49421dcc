// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Subscribe`]: the data of `pusher:subscribe`, and what a client that knows Oyez adds to it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{Field, string};
use super::{MessageError, Resume, channel, data_of};
use crate::channel::ChannelName;
use crate::delta::{DeltaKind, Deltas};
use crate::json::Text;
use crate::limits::Limits;
use crate::position::Offset;

/// The version of what `oyez` in a subscription speaks of.
pub const AWARE_VERSION: u64 = 1;

/// The data of `pusher:subscribe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Which channel.
    pub channel: ChannelName,
    /// `KEY:SIGNATURE`; empty counts as absent.
    pub auth: Option<Cow<'a, str>>,
    /// The signed text about the member, when the auth endpoint gave one.
    pub channel_data: Option<Cow<'a, str>>,
    /// Where the client wants to go on, on channels with memory.
    pub resume: Option<Resume>,
    /// What the client understands of Oyez; `None` for a plain Pusher client.
    pub aware: Option<Aware>,
}

/// What a client that knows Oyez says of itself (`oyez` with `"v":1`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aware {
    /// The client's own number of this subscription, below 2^53: it is given back.
    pub generation: Option<u64>,
    /// In which forms it takes changes of a truth.
    pub deltas: Deltas,
    /// The version of the truth that it holds.
    pub version: Option<Offset>,
}

#[derive(serde::Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    channel: Option<Text<'a>>,
    #[serde(borrow)]
    auth: Option<&'a RawValue>,
    #[serde(borrow)]
    channel_data: Option<&'a RawValue>,
    #[serde(borrow)]
    resume: Option<&'a RawValue>,
    #[serde(borrow)]
    oyez: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
struct AwareData<'a> {
    #[serde(borrow)]
    v: Option<&'a RawValue>,
    #[serde(borrow)]
    r#gen: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    truth: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
struct TruthData<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
}

impl<'a> Subscribe<'a> {
    /// Reads the data. Whatever is wrong once the channel is known fails that subscription.
    pub(super) fn read(
        data: Option<&'a RawValue>,
        limits: &Limits,
    ) -> Result<Subscribe<'a>, MessageError> {
        let data: Data<'a> = data_of("pusher:subscribe", data)?;
        let channel = channel(data.channel, limits)?;
        let a_string = |key, raw| string(Field::new(key), "a string", raw);
        let auth = a_string("auth", data.auth)
            .map_err(|error| MessageError::bad_auth(&channel, error))?
            .filter(|auth| !auth.is_empty());
        let bad_data = |error| MessageError::bad_data(&channel, error);
        let channel_data = a_string("channel_data", data.channel_data).map_err(bad_data)?;
        let resume = data.resume.map(|raw| Resume::read(Field::new("resume"), raw));
        let resume = resume.transpose().map_err(bad_data)?;
        let aware = data.oyez.map(Aware::read).transpose().map_err(bad_data)?;
        Ok(Subscribe { channel, auth, channel_data, resume, aware })
    }
}

impl Aware {
    fn read(raw: &RawValue) -> Result<Aware, String> {
        let at = Field::new("oyez");
        let data: AwareData<'_> = at.object(raw)?;
        let version = data.v.and_then(|raw| Offset::parse(raw.get()));
        if version.is_none_or(|version| version.get() != AWARE_VERSION) {
            let must_be = format!("{AWARE_VERSION}, the one version that this server knows");
            return Err(at.of("v").must_be(&must_be));
        }
        let generation = data.r#gen.map(|raw| at.of("gen").offset(Some(raw))).transpose()?;
        let deltas = match data.delta {
            None => Deltas::NONE,
            Some(raw) => {
                serde_json::from_str::<Offered>(raw.get())
                    .map_err(|_| at.of("delta").must_be("an array of strings"))?
                    .0
            }
        };
        let version = match data.truth {
            None => None,
            Some(raw) => {
                let at = at.of("truth");
                let truth: TruthData<'_> = at.object(raw)?;
                Some(at.of("version").offset(truth.version)?)
            }
        };
        Ok(Aware { generation: generation.map(Offset::get), deltas, version })
    }
}

/// The kinds of an array that this server knows as well; nothing of the array is kept.
struct Offered(Deltas);

impl<'de> Deserialize<'de> for Offered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Offered, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Offered;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of strings")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Offered, A::Error> {
                let mut deltas = Deltas::NONE;
                while let Some(name) = seq.next_element::<Text<'_>>()? {
                    deltas = DeltaKind::named(name.as_str()).map_or(deltas, |k| deltas.with(k));
                }
                Ok(Offered(deltas))
            }
        }
        deserializer.deserialize_seq(Names)
    }
}
