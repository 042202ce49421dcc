// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez trigger`.

use std::io::Read;

use oyez_protocol::channel::ChannelName;
use serde_json::json;

use super::print;
use crate::cli::TriggerArgs;
use crate::client::api::Api;
use crate::client::target::Target;
use crate::failure::Failure;

/// Length of a channel's name that no server exceeds; the server has its own limit.
pub(super) const NAME: usize = 200;

/// The argument that stands for standard input.
const STDIN: &str = "-";

/// Bytes of input that are read; a server takes far less.
const INPUT: u64 = 16 * 1024 * 1024;

/// Sends one event.
pub(crate) fn run(args: &TriggerArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let data = payload(&args.payload)?;
    let body = json!({
        "name": args.event,
        "channels": [channel.as_str()],
        "data": data,
        "info": "subscription_count",
    });
    let answer = Api::new(&target).post("/events", &body)?;
    let count = answer["channels"][channel.as_str()]["subscription_count"].as_u64();
    let event = print::one_line(&args.event);
    match count {
        Some(1) => print::note(&format!("{event} sent to {channel}, which has 1 subscriber")),
        Some(count) => {
            print::note(&format!("{event} sent to {channel}, which has {count} subscribers"))
        }
        None => print::note(&format!("{event} sent to {channel}")),
    }
    Ok(())
}

/// The data that an argument stands for.
pub(super) fn payload(argument: &str) -> Result<String, Failure> {
    if argument == STDIN { input() } else { Ok(argument.to_owned()) }
}

fn input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(INPUT)
        .read_to_string(&mut text)
        .map_err(|error| Failure::impossible(format!("standard input: {error}")))?;
    Ok(text)
}
