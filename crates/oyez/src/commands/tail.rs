// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez tail`: prints the events of channels, one line each, across lost connections.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use oyez_protocol::channel::{Access, ChannelName};
use serde_json::{Value, json};

use super::place::{Cut, Hole, Place};
use super::print::{self, Reader, one_line};
use super::trigger::NAME;
use crate::cli::TailArgs;
use crate::client::socket::{End, Incoming, Return, Socket};
use crate::client::target::Target;
use crate::clock;
use crate::failure::Failure;

/// The wait before coming back lies between the least and a ceiling, which doubles up to the most.
const LEAST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(30);

/// A connection that lived so long ends the series of failures.
const LIVED: Duration = Duration::from_secs(10);

/// Prints until it is stopped, the reader is gone, or the server says not to come back.
pub(crate) fn run(args: &TailArgs) -> Result<(), Failure> {
    let channels = channels(&args.channels)?;
    let target = Target::find(&args.client)?;
    let form = if args.json { Form::Json } else { Form::Line };
    let mut tail = Tail { target, channels, places: HashMap::new(), form };
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let end = match tail.follow()? {
            Followed::Gone => return Ok(()),
            Followed::Ended { end, connected } => {
                if !connected && failures == 0 && matches!(end, End::Unreachable(_)) {
                    let text =
                        format!("{} {}; does the server run there?", tail.target, end.text());
                    return Err(Failure::impossible(text));
                }
                end
            }
        };
        if began.elapsed() >= LIVED {
            failures = 0;
        }
        let wait = match end.comes_back() {
            Return::Never => {
                return Err(Failure::impossible(format!(
                    "{} {}",
                    tail.target,
                    one_line(&end.text())
                )));
            }
            Return::AtOnce if failures == 0 => Duration::ZERO,
            Return::AtOnce | Return::Later => wait(failures, random()),
        };
        failures += 1;
        print::note(&format!(
            "{} {}; again in {:.1} s",
            tail.target,
            one_line(&end.text()),
            wait.as_secs_f64()
        ));
        std::thread::sleep(wait);
    }
}

/// How events are printed.
#[derive(Clone, Copy)]
enum Form {
    Line,
    Json,
}

struct Tail {
    target: Target,
    channels: Vec<ChannelName>,
    /// How far each channel with memory was followed, by its name.
    places: HashMap<String, Place>,
    form: Form,
}

/// How following one connection ended.
enum Followed {
    /// Nobody reads any more.
    Gone,
    /// The connection did.
    Ended { end: End, connected: bool },
}

impl Tail {
    /// Connects, subscribes and prints until the connection ends.
    fn follow(&mut self) -> Result<Followed, Failure> {
        let mut socket = match Socket::connect(&self.target) {
            Ok(socket) => socket,
            Err(end) => return Ok(Followed::Ended { end, connected: false }),
        };
        print::note(&format!("connected to {} as {}", self.target, socket.id));
        self.places.values_mut().for_each(Place::interrupt);
        let mut refused = 0;
        for channel in &self.channels {
            let data = self.subscription(channel, &socket.id)?;
            if let Err(end) = socket.send("pusher:subscribe", &data) {
                return Ok(Followed::Ended { end, connected: true });
            }
        }
        loop {
            let message = match socket.next() {
                Ok(message) => message,
                Err(end) => return Ok(Followed::Ended { end, connected: true }),
            };
            let channel = message.channel.as_deref().unwrap_or_default();
            match (message.event.as_str(), channel) {
                ("pusher_internal:subscription_succeeded", _) => {
                    self.begin(channel, json_of(&message.data)["oyez"].take());
                }
                ("oyez:reset", _) => self.begin(channel, json_of(&message.data)),
                ("oyez:mark", _) => {}
                ("oyez:term", _) => {
                    if let (Some(place), Some(term)) =
                        (self.places.get_mut(channel), json_of(&message.data)["term"].as_str())
                    {
                        place.term(term);
                    }
                }
                ("pusher:subscription_error", _) => {
                    print::note(&format!(
                        "{} refused: {}",
                        one_line(channel),
                        one_line(&reason(&message.data))
                    ));
                    refused += 1;
                    if refused == self.channels.len() {
                        return Err(Failure::impossible("no channel could be subscribed to"));
                    }
                }
                ("pusher:error", _) => {
                    print::note(&format!("error: {}", one_line(&reason(&message.data))))
                }
                (_, "") => {}
                _ => {
                    let covers = covers(&message);
                    if print::text(&self.line(&message, covers))? == Reader::Gone {
                        return Ok(Followed::Gone);
                    }
                    if let Some((from, to)) = covers
                        && let Some(place) = self.places.get_mut(channel)
                        && let Some(Hole { from, to }) = place.printed(from, to)
                    {
                        let channel = one_line(channel);
                        print::note(&format!("{channel}: #{from} to #{to} never came"));
                    }
                }
            }
        }
    }

    /// A subscription begins, or begins anew in the middle of its life.
    fn begin(&mut self, channel: &str, cut: Value) {
        let name = one_line(channel);
        let Some(cut) = Cut::read(cut) else {
            self.places.remove(channel);
            return print::note(&format!("subscribed to {name}"));
        };
        let follow = match cut.replay {
            0 => String::new(),
            count => format!(", {count} from before"),
        };
        let offset = cut.offset;
        print::note(&match (&cut.reason, cut.resumed) {
            (_, true) => format!("subscribed to {name}, going on up to #{offset}{follow}"),
            (None, false) => format!("subscribed to {name} at #{offset}{follow}"),
            (Some(reason), false) => {
                let why = why(reason);
                format!(
                    "subscribed to {name} anew at #{offset}{follow}: {why} ({})",
                    one_line(reason)
                )
            }
        });
        self.places.entry(channel.to_owned()).or_default().begin(cut);
    }

    /// Data of the subscribe message: signed where the channel wants that, going on where the
    /// channel was left.
    fn subscription(&self, channel: &ChannelName, socket_id: &str) -> Result<Value, Failure> {
        let name = channel.as_str();
        let sign = |data: Option<&str>| self.target.credentials().authorize(socket_id, name, data);
        let mut data = match channel.kind().access {
            Access::Public | Access::User => json!({"channel": name}),
            Access::Private => json!({"channel": name, "auth": sign(None)}),
            Access::Presence => {
                // The socket's id makes the member distinct: two tails are two members.
                let member = json!({"user_id": format!("oyez-tail-{socket_id}"), "user_info": {"name": "oyez tail"}});
                let member = member.to_string();
                json!({"channel": name, "auth": sign(Some(&member)), "channel_data": member})
            }
        };
        data["oyez"] = json!({"v": 1});
        if let Some(resume) = self.places.get(name).and_then(Place::resume) {
            data["resume"] = resume;
        }
        Ok(data)
    }

    /// A message as it is printed; `covers` are its offsets.
    fn line(&self, message: &Incoming, covers: Option<(u64, u64)>) -> String {
        let channel = message.channel.as_deref().unwrap_or_default();
        // As `pusher-js` names them to the handlers of a page.
        let event = match message.event.strip_prefix("pusher_internal:") {
            Some(name) => format!("pusher:{name}"),
            None => message.event.clone(),
        };
        match self.form {
            Form::Line => {
                let offset = covers.map_or_else(String::new, |(_, to)| format!("#{to}  "));
                let replayed = if message.replayed { " (replayed)" } else { "" };
                format!(
                    "{}  {}  {offset}{}{replayed}  {}\n",
                    clock::time_of_day(),
                    one_line(channel),
                    one_line(&event),
                    one_line(&message.data)
                )
            }
            Form::Json => {
                let mut object = json!({"time": clock::now(), "channel": channel, "event": event, "data": message.data});
                if let Some(user_id) = &message.user_id {
                    object["user_id"] = json!(user_id);
                }
                if let Some((_, to)) = covers {
                    object["offset"] = json!(to);
                }
                if message.replayed {
                    object["replayed"] = json!(true);
                }
                format!("{object}\n")
            }
        }
    }
}

fn channels(names: &[String]) -> Result<Vec<ChannelName>, Failure> {
    let mut channels = Vec::new();
    for name in names {
        let channel = ChannelName::parse(name, NAME).map_err(Failure::misasked)?;
        if channel.kind().access == Access::User {
            let text = format!("{channel} belongs to one signed-in user: `tail` is nobody's user");
            return Err(Failure::misasked(text));
        }
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

/// The offsets that a message covers, first and last, where it has a place in its channel's log.
fn covers(message: &Incoming) -> Option<(u64, u64)> {
    if let Some(offset) = message.offset {
        return Some((offset, offset));
    }
    if !matches!(message.event.as_str(), "oyez:skip" | "oyez:forget") {
        return None;
    }
    let data = json_of(&message.data);
    let to = data["offset"].as_u64()?;
    Some((data["from"].as_u64().unwrap_or(to), to))
}

/// Why a subscription begins anew.
fn why(reason: &str) -> &'static str {
    match reason {
        "trimmed" => "some of what it missed is not held any more",
        "epoch" => "the channel's numbering has started afresh",
        "diverged" => "the server has lost events that were printed here",
        "ahead" => "the server has not come so far",
        "slow" => "it read too slowly",
        _ => "the server says so",
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// What an error's data says.
fn reason(data: &str) -> String {
    let value = json_of(data);
    let text = value["error"].as_str().or(value["message"].as_str()).unwrap_or(data);
    match value["code"].as_u64().or(value["status"].as_u64()) {
        Some(code) => format!("{text} ({code})"),
        None => text.to_owned(),
    }
}

/// The wait after so many failures; `luck`, from 0 to 1, spreads it over the range.
fn wait(failures: u32, luck: f64) -> Duration {
    let ceiling =
        LEAST_WAIT.saturating_mul(2_u32.saturating_pow(failures.min(16) + 1)).min(MOST_WAIT);
    LEAST_WAIT + (ceiling - LEAST_WAIT).mul_f64(luck)
}

fn random() -> f64 {
    // Without randomness everybody waits the middle, which is no harm.
    getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_ceiling_and_are_spread() {
        assert_eq!(wait(0, 0.0), LEAST_WAIT);
        assert_eq!(wait(0, 1.0), Duration::from_secs(2));
        assert_eq!(wait(3, 1.0), Duration::from_secs(16));
        assert_eq!(wait(1000, 1.0), MOST_WAIT);
        assert_eq!(wait(1000, 0.0), LEAST_WAIT);
    }

    #[test]
    fn each_kind_of_channel_is_signed_as_it_must_be() {
        let target = Target::parse("http://k:s@h/apps/1").expect("a URL");
        let names = ["a", "private-a", "presence-a", "private-encrypted-a", "a"].map(str::to_owned);
        let tail = Tail {
            target,
            channels: channels(&names).expect("names"),
            places: HashMap::new(),
            form: Form::Line,
        };
        assert_eq!(tail.channels.len(), 4, "a channel is watched once");
        for channel in &tail.channels {
            let data = tail.subscription(channel, "1.2").expect("data");
            let member = data["channel_data"].as_str();
            let checked = tail.target.credentials().check_subscription(
                data["auth"].as_str(),
                "1.2",
                channel.as_str(),
                member,
            );
            match channel.kind().access {
                Access::Public => {
                    assert_eq!(data, json!({"channel": "a", "oyez": {"v": 1}}))
                }
                access => {
                    assert_eq!(checked, Ok(()));
                    assert_eq!(member.is_some(), access == Access::Presence);
                }
            }
        }
        assert!(channels(&["#server-to-user-7".to_owned()]).is_err());
        assert!(channels(&["a b".to_owned()]).is_err());
    }

    #[test]
    fn an_event_is_one_line() {
        let target = Target::parse("http://k:s@h/apps/1").expect("a URL");
        let mut tail =
            Tail { target, channels: Vec::new(), places: HashMap::new(), form: Form::Line };
        let message = Incoming {
            event: "pusher_internal:member_added".to_owned(),
            channel: Some("presence-a".to_owned()),
            data: "a\nb\u{1b}".to_owned(),
            user_id: Some("7".to_owned()),
            offset: None,
            replayed: false,
        };
        let line = tail.line(&message, None);
        assert_eq!(&line[12..], "  presence-a  pusher:member_added  a\\nb\\u{1b}\n");
        tail.form = Form::Json;
        let value: Value = serde_json::from_str(&tail.line(&message, None)).expect("JSON");
        assert_eq!((&value["data"], &value["user_id"]), (&json!("a\nb\u{1b}"), &json!("7")));
        assert_eq!((value.get("offset"), value.get("replayed")), (None, None));
    }

    #[test]
    fn an_event_of_a_log_shows_its_offset() {
        let target = Target::parse("http://k:s@h/apps/1").expect("a URL");
        let mut tail =
            Tail { target, channels: Vec::new(), places: HashMap::new(), form: Form::Line };
        let message = |event: &str, data: &str, offset, replayed| Incoming {
            event: event.to_owned(),
            channel: Some("a".to_owned()),
            data: data.to_owned(),
            user_id: None,
            offset,
            replayed,
        };
        let skip = message("oyez:skip", "{\"offset\":42,\"from\":40}", None, false);
        let event = message("E", "x", Some(41), true);
        for (message, covered, text) in [
            (&skip, (40, 42), "  a  #42  oyez:skip  {\"offset\":42,\"from\":40}\n"),
            (&event, (41, 41), "  a  #41  E (replayed)  x\n"),
        ] {
            assert_eq!(covers(message), Some(covered));
            assert_eq!(&tail.line(message, covers(message))[12..], text);
        }
        tail.form = Form::Json;
        let line = tail.line(&event, covers(&event));
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&value["offset"], &value["replayed"]), (&json!(41), &json!(true)));
    }

    #[test]
    fn a_subscription_goes_on_where_its_channel_was_left() {
        let target = Target::parse("http://k:s@h/apps/1").expect("a URL");
        let channels = channels(&["a".to_owned()]).expect("names");
        let mut tail = Tail { target, channels, places: HashMap::new(), form: Form::Line };
        let cut = json!({"epoch": "e", "term": "t", "offset": 41, "resumed": false, "replay": 0});
        tail.begin("a", cut);
        let data = tail.subscription(&tail.channels[0], "1.2").expect("data");
        assert_eq!(data["resume"], json!({"epoch": "e", "term": "t", "offset": 41}));
        tail.begin("a", Value::Null);
        let data = tail.subscription(&tail.channels[0], "1.2").expect("data");
        assert_eq!(data.get("resume"), None, "it has no memory any more");
    }
}
