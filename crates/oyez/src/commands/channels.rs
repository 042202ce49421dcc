// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez channels`.

use serde_json::{Map, Value};

use super::print;
use crate::cli::ChannelsArgs;
use crate::client::api::Api;
use crate::client::target::Target;
use crate::failure::Failure;

/// What the names of presence channels begin with; only those count users.
const PRESENCE: &str = "presence-";

/// Prints the occupied channels.
pub(crate) fn run(args: &ChannelsArgs) -> Result<(), Failure> {
    let target = Target::find(&args.client)?;
    let api = Api::new(&target);
    let list = |info: &str, prefix: &str| {
        let answer = api.get("/channels", &[("filter_by_prefix", prefix), ("info", info)])?;
        match answer.get("channels") {
            Some(Value::Object(channels)) => Ok(channels.clone()),
            _ => Err(Failure::impossible(format!("{target} answered without a list of channels"))),
        }
    };
    let mut channels = list("subscription_count", &args.prefix)?;
    // The longer of the two prefixes, unless they exclude each other.
    let presence = match args.prefix.as_str() {
        prefix if prefix.starts_with(PRESENCE) => Some(prefix),
        prefix if PRESENCE.starts_with(prefix) => Some(PRESENCE),
        _ => None,
    };
    if let Some(prefix) =
        presence.filter(|_| channels.keys().any(|name| name.starts_with(PRESENCE)))
    {
        for (name, info) in list("user_count,subscription_count", prefix)? {
            channels.insert(name, info);
        }
    }
    if args.json {
        print::text(&format!("{}\n", Value::Object(channels)))?;
        return Ok(());
    }
    if channels.is_empty() {
        print::note(&format!("no channel of {target} has subscribers"));
        return Ok(());
    }
    print::text(&table(&channels))?;
    Ok(())
}

fn table(channels: &Map<String, Value>) -> String {
    let width =
        channels.keys().map(|name| name.chars().count()).max().unwrap_or(0).max("CHANNEL".len());
    let mut out = format!("{:width$}  {:>11}  {:>5}\n", "CHANNEL", "SUBSCRIBERS", "USERS");
    for (name, info) in channels {
        let number = |key: &str| info.get(key).and_then(Value::as_u64).map(|n| n.to_string());
        let subscribers = number("subscription_count").unwrap_or_default();
        let users = number("user_count").unwrap_or_default();
        let line = format!("{:width$}  {subscribers:>11}  {users:>5}", print::one_line(name));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_a_line_per_channel() {
        let Value::Object(channels) = json!({
            "LOBBY_7": {"subscription_count": 12},
            "presence-room": {"subscription_count": 3, "user_count": 2},
        }) else {
            panic!("an object")
        };
        let expected = "CHANNEL        SUBSCRIBERS  USERS\n\
                        LOBBY_7                 12\n\
                        presence-room            3      2\n";
        assert_eq!(table(&channels), expected);
    }
}
