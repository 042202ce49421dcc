// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez truth get|put|changed`. Values pass through as they are written: no number is read and
//! written again.

use oyez_protocol::channel::ChannelName;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::print::{self, one_line};
use super::trigger::{self, NAME};
use crate::cli::{TruthChangedArgs, TruthCommand, TruthGetArgs, TruthPutArgs};
use crate::client::api::{Api, channel_path};
use crate::client::target::Target;
use crate::clock;
use crate::failure::Failure;

/// The body of a change.
#[derive(Default, Serialize)]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_epoch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
}

/// The answer to the question for a truth.
#[derive(Deserialize)]
struct View<'a> {
    epoch: String,
    version: u64,
    event: String,
    #[serde(borrow)]
    data: &'a RawValue,
    time: u64,
    stale: bool,
}

/// Does what is asked of a truth.
pub(crate) fn run(command: &TruthCommand) -> Result<(), Failure> {
    match command {
        TruthCommand::Get(args) => get(args),
        TruthCommand::Put(args) => put(args),
        TruthCommand::Changed(args) => changed(args),
    }
}

fn get(args: &TruthGetArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let version = args.wait_version.map(|version| version.to_string());
    let query: Vec<_> = version.iter().map(|version| ("wait_version", version.as_str())).collect();
    let answer = Api::new(&target).get_text(&channel_path(&channel, "truth"), &query)?;
    if args.json {
        print::text(&format!("{answer}\n"))?;
        return Ok(());
    }
    let view: View<'_> = serde_json::from_str(&answer)
        .map_err(|_| Failure::impossible(format!("{target} answered without a truth")))?;
    print::text(&format!("{}\n", view.data.get()))?;
    let View { epoch, version, event, time, stale, .. } = view;
    let stale = if stale { "; it may be stale: its source has failed since" } else { "" };
    print::note(&format!(
        "version {version} of epoch {}, since {}, as {}{stale}",
        one_line(&epoch),
        clock::at(time),
        one_line(&event)
    ));
    Ok(())
}

fn put(args: &TruthPutArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let text = args.payload.as_deref().map(trigger::payload).transpose()?;
    let body = change(args, text.as_deref())?;
    let answer = Api::new(&target).post_text(&channel_path(&channel, "truth"), &body)?;
    if args.json {
        print::text(&format!("{answer}\n"))?;
        return Ok(());
    }
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let (epoch, version) = (answer["epoch"].as_str().unwrap_or_default(), &answer["version"]);
    print::note(&match (answer["changed"].as_bool(), args.delete) {
        (Some(true), true) => format!("{channel} holds no truth any more"),
        (Some(false), true) => format!("{channel} held no truth"),
        (Some(false), false) => {
            format!("that was the truth of {channel} already: version {version} of epoch {epoch}")
        }
        _ => format!("the truth of {channel} has version {version} of epoch {epoch}"),
    });
    Ok(())
}

/// The body of the call.
fn change(args: &TruthPutArgs, text: Option<&str>) -> Result<String, Failure> {
    let value = text.map(|text| {
        serde_json::from_str::<&RawValue>(text.trim()).map_err(|error| {
            let hint = "a text is JSON with its quotes, like '\"hello\"'";
            Failure::misasked(format!("DATA is not JSON: {error}; {hint}"))
        })
    });
    let value = value.transpose()?;
    let body = Change {
        delete: args.delete.then_some(true),
        event: args.event.as_deref(),
        if_version: args.if_version,
        if_epoch: args.if_epoch.as_deref(),
        ttl: args.ttl.as_deref(),
        idempotency_key: args.key.as_deref(),
        ..Change::default()
    };
    let body = match (args.merge, args.patch) {
        (true, _) => Change { merge: value, ..body },
        (_, true) => Change { patch: value, ..body },
        _ => Change { data: value, ..body },
    };
    serde_json::to_string(&body).map_err(Failure::impossible)
}

fn changed(args: &TruthChangedArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let body = match args.min_version {
        None => json!({}),
        Some(version) => json!({"min_version": version}),
    };
    Api::new(&target).post(&channel_path(&channel, "changed"), &body)?;
    print::note(&format!("the source of {channel} is asked again"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, TruthArgs};

    fn args(line: &[&str]) -> TruthPutArgs {
        let line = ["oyez", "truth", "put", "c"].into_iter().chain(line.iter().copied());
        let asked = Cli::parse_from(line).asked().expect("a command");
        let Command::Truth(TruthArgs { command: TruthCommand::Put(args) }) = asked else {
            panic!("{asked:?}")
        };
        args
    }

    #[test]
    fn a_change_says_what_was_asked_and_keeps_values_as_they_are_written() {
        for (line, body) in [
            (
                &["{\"b\":1.0,\"a\":123456789012345678901}"][..],
                r#"{"data":{"b":1.0,"a":123456789012345678901}}"#,
            ),
            (&["-1"], r#"{"data":-1}"#),
            (&["null"], r#"{"data":null}"#),
            (&["--merge", "{\"a\":null}"], r#"{"merge":{"a":null}}"#),
            (&["[]", "--patch", "--event", "E"], r#"{"patch":[],"event":"E"}"#),
            (&["--delete", "--if-version", "0"], r#"{"delete":true,"if_version":0}"#),
            (
                &["1", "--if-epoch", "x", "--ttl", "30s", "--key", "k"],
                r#"{"data":1,"if_epoch":"x","ttl":"30s","idempotency_key":"k"}"#,
            ),
        ] {
            let args = args(line);
            let change = change(&args, args.payload.as_deref()).expect("a change");
            assert_eq!(change, body, "{line:?}");
        }
        let error = change(&args(&["hello"]), Some("hello")).expect_err("not JSON");
        assert!(error.text().contains("'\"hello\"'"), "{}", error.text());
    }

    #[test]
    fn a_change_has_one_meaning() {
        for line in [
            &[][..],
            &["1", "--delete"],
            &["{}", "--merge", "--patch"],
            &["--delete", "--ttl", "1s"],
            &["1", "--if-version", "x"],
        ] {
            let line = ["oyez", "truth", "put", "c"].into_iter().chain(line.iter().copied());
            assert!(Cli::try_parse_from(line).is_err());
        }
    }
}
