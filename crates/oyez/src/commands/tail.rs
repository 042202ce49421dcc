// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez tail`: prints the events of channels, one line each, across lost connections.

use std::time::{Duration, Instant};

use oyez_protocol::channel::{Access, ChannelName};
use serde_json::{Value, json};

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
    let mut tail = Tail { target, channels, form: if args.json { Form::Json } else { Form::Line } };
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
                    print::note(&format!("subscribed to {}", one_line(channel)));
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
                    if print::text(&self.line(&message))? == Reader::Gone {
                        return Ok(Followed::Gone);
                    }
                }
            }
        }
    }

    /// Data of the subscribe message, signed where the channel wants that.
    fn subscription(&self, channel: &ChannelName, socket_id: &str) -> Result<Value, Failure> {
        let name = channel.as_str();
        let sign = |data: Option<&str>| self.target.credentials().authorize(socket_id, name, data);
        Ok(match channel.kind().access {
            Access::Public | Access::User => json!({"channel": name}),
            Access::Private => json!({"channel": name, "auth": sign(None)}),
            Access::Presence => {
                // The socket's id makes the member distinct: two tails are two members.
                let member = json!({"user_id": format!("oyez-tail-{socket_id}"), "user_info": {"name": "oyez tail"}});
                let member = member.to_string();
                json!({"channel": name, "auth": sign(Some(&member)), "channel_data": member})
            }
        })
    }

    fn line(&self, message: &Incoming) -> String {
        let channel = message.channel.as_deref().unwrap_or_default();
        // As `pusher-js` names them to the handlers of a page.
        let event = match message.event.strip_prefix("pusher_internal:") {
            Some(name) => format!("pusher:{name}"),
            None => message.event.clone(),
        };
        match self.form {
            Form::Line => format!(
                "{}  {}  {}  {}\n",
                clock::time_of_day(),
                one_line(channel),
                one_line(&event),
                one_line(&message.data)
            ),
            Form::Json => {
                let mut object = json!({"time": clock::now(), "channel": channel, "event": event, "data": message.data});
                if let Some(user_id) = &message.user_id {
                    object["user_id"] = json!(user_id);
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

/// What an error's data says.
fn reason(data: &str) -> String {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
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
        let tail = Tail { target, channels: channels(&names).expect("names"), form: Form::Line };
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
                Access::Public => assert_eq!(data, json!({"channel": "a"})),
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
        let mut tail = Tail { target, channels: Vec::new(), form: Form::Line };
        let message = Incoming {
            event: "pusher_internal:member_added".to_owned(),
            channel: Some("presence-a".to_owned()),
            data: "a\nb\u{1b}".to_owned(),
            user_id: Some("7".to_owned()),
        };
        let line = tail.line(&message);
        assert_eq!(&line[12..], "  presence-a  pusher:member_added  a\\nb\\u{1b}\n");
        tail.form = Form::Json;
        let value: Value = serde_json::from_str(&tail.line(&message)).expect("JSON");
        assert_eq!((&value["data"], &value["user_id"]), (&json!("a\nb\u{1b}"), &json!("7")));
    }
}
