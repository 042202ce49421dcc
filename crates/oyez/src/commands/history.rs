// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez history`.

use oyez_protocol::channel::ChannelName;
use serde_json::Value;

use super::print::{self, Reader, one_line};
use super::trigger::NAME;
use crate::cli::HistoryArgs;
use crate::client::api::{Api, channel_path};
use crate::client::target::Target;
use crate::clock;
use crate::failure::Failure;

/// Prints what a channel's log holds.
pub(crate) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let query = [
        ("since", number(args.since)),
        ("epoch", args.epoch.clone()),
        ("term", args.term.clone()),
        ("limit", number(args.limit)),
    ];
    let query: Vec<_> =
        query.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
    let answer = Api::new(&target).get_text(&channel_path(&channel, "history"), &query)?;
    if args.json {
        print::text(&format!("{answer}\n"))?;
        return Ok(());
    }
    let page: Value = serde_json::from_str(&answer).unwrap_or_default();
    let Some(events) = page["events"].as_array() else {
        return Err(Failure::impossible(format!("{target} answered without a list of events")));
    };
    let lines: String = events.iter().map(line).collect();
    if print::text(&lines)? == Reader::Gone {
        return Ok(());
    }
    print::note(&place(&channel, &page, events.last()));
    Ok(())
}

fn line(event: &Value) -> String {
    let text = |key: &str| one_line(event[key].as_str().unwrap_or_default());
    let time = clock::at(event["time"].as_u64().unwrap_or_default());
    format!("{time}  #{}  {}  {}\n", event["offset"], text("event"), text("data"))
}

/// Where the channel is, and how to go on if this was not all.
fn place(channel: &ChannelName, page: &Value, last: Option<&Value>) -> String {
    let text = |key: &str| one_line(page[key].as_str().unwrap_or_default());
    let (epoch, term, offset) = (text("epoch"), text("term"), &page["offset"]);
    let place = format!("{channel} is at offset {offset} of epoch {epoch}, term {term}");
    match last.map(|last| &last["offset"]) {
        Some(last) if last.as_u64() < offset.as_u64() => {
            format!("{place}; go on with --since {last} --epoch {epoch} --term {term}")
        }
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line_and_the_place_says_how_to_go_on() {
        let event = json!({"offset": 41, "event": "E\n", "data": "a\u{1b}", "time": 1_000});
        assert_eq!(line(&event), "1970-01-01T00:00:01.000Z  #41  E\\n  a\\u{1b}\n");
        let channel = ChannelName::parse("c", NAME).expect("a name");
        let page = json!({"epoch": "e", "term": "t", "offset": 42});
        let end = "c is at offset 42 of epoch e, term t";
        let all = json!({"offset": 42});
        assert_eq!(place(&channel, &page, Some(&all)), end);
        assert_eq!(place(&channel, &page, None), end);
        let expected = format!("{end}; go on with --since 41 --epoch e --term t");
        assert_eq!(place(&channel, &page, Some(&event)), expected);
    }
}
