// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `user`: `channel_data` and `user_data` name whom a plain reading of protocol sections 3
//! and 5 finds there.
//!
//! Input: two bytes of settings (which of the two, limits), then the text.

use oyez_protocol::limits::Limits;
use oyez_protocol::user::{Member, User, UserId};

use crate::json::{self, Fields, Kind, Refused};
use crate::{REFUSAL_BYTES, Settings, tight_limits};

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let which = settings.pick(&[Which::Member, Which::User]);
    let limits = if settings.byte() == 0 { Limits::default() } else { tight_limits() };
    let Ok(text) = std::str::from_utf8(settings.rest) else { return };
    let refusal = match which {
        Which::Member => {
            let actual = Member::parse(text, &limits);
            assert_eq!(actual.clone().map_err(|_| Refused), member(text, &limits));
            actual.err()
        }
        Which::User => {
            let actual = User::parse(text, &limits);
            assert_eq!(actual.clone().map_err(|_| Refused), user(text, &limits));
            actual.err()
        }
    };
    if let Some(error) = refusal {
        assert!(error.to_string().len() <= REFUSAL_BYTES, "{error}");
    }
}

#[derive(Clone, Copy)]
enum Which {
    Member,
    User,
}

fn member(text: &str, limits: &Limits) -> Result<Member, Refused> {
    let data = json::read(text)?;
    let fields = data.fields(&["user_id", "user_info"])?;
    let id = fields.get("user_id").ok_or(Refused)?;
    let id = match &id.kind {
        Kind::Number => id.text.to_owned(),
        _ => id.string()?,
    };
    Ok(Member { user_id: user_id(&id, limits)?, user_info: info(&fields, limits)? })
}

fn user(text: &str, limits: &Limits) -> Result<User, Refused> {
    let data = json::read(text)?;
    let fields = data.fields(&["id", "user_info", "watchlist"])?;
    let id = fields.string("id")?.ok_or(Refused)?;
    let watchlist = match fields.get("watchlist").map(|json| &json.kind) {
        None => Vec::new(),
        Some(Kind::Array(ids)) => ids.iter().map(|id| id.string()).collect::<Result<_, _>>()?,
        Some(_) => return Err(Refused),
    };
    let counting = watchlist.iter().take(limits.watchlist);
    Ok(User {
        member: Member { user_id: user_id(&id, limits)?, user_info: info(&fields, limits)? },
        watchlist: counting.map(|id| UserId::of(id)).collect(),
        watchlist_asked: watchlist.len(),
    })
}

fn user_id(id: &str, limits: &Limits) -> Result<UserId, Refused> {
    let length = id.chars().count();
    let is_fit = length > 0 && !id.chars().any(|c| c.is_control());
    if !is_fit || length > limits.user_id { Err(Refused) } else { Ok(UserId::of(id)) }
}

fn info(fields: &Fields<'_, '_>, limits: &Limits) -> Result<Option<std::sync::Arc<str>>, Refused> {
    let Some(info) = fields.get("user_info") else { return Ok(None) };
    let compact = info.compact();
    if compact.len() > limits.user_info_bytes { Err(Refused) } else { Ok(Some(compact.into())) }
}
