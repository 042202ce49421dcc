// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: one line per event on standard error, for people on a terminal, as JSON elsewhere.
//!
//! Promises: a line has at most [`LINE`] bytes, whatever a stranger made the server say, and a
//! value cannot begin a line of its own or move the cursor.

use std::fmt;
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock;
use crate::failure::Failure;

/// Bytes of the longest line.
const LINE: usize = 8192;

/// Bytes of a line that its frame may need: time, level, target, end.
const FRAME: usize = 256;

/// Bytes of the longest value; escaping at most doubles it.
const VALUE: usize = 1024;

/// Bytes for all fields beside the message.
const FIELDS: usize = LINE - FRAME - 2 * VALUE;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// For people; with colours if the terminal has them.
    Human(Colours),
    /// An object per line.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    On,
    Off,
}

/// Starts the log as `OYEZ_LOG` and `OYEZ_LOG_FORMAT` say.
pub(crate) fn start() -> Result<(), Failure> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let level = variable("OYEZ_LOG").unwrap_or_else(|| "info".to_owned());
    let targets: Targets = level.parse().map_err(|_| {
        Failure::misasked(format!(
            "OYEZ_LOG must be error, warn, info, debug, trace or parts like \
             warn,oyez_server=debug; it is {level:?}"
        ))
    })?;
    let format = format(
        variable("OYEZ_LOG_FORMAT").as_deref(),
        std::io::stderr().is_terminal(),
        variable("NO_COLOR").is_some(),
    )?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(Lines(format))
        .with_filter(targets);
    tracing_subscriber::registry().with(layer).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no text");
        tracing::error!(place, what, "a part of Oyez failed: this is a bug, please report it");
    }));
    Ok(())
}

fn format(asked: Option<&str>, terminal: bool, plain: bool) -> Result<Format, Failure> {
    let colours = if terminal && !plain { Colours::On } else { Colours::Off };
    match asked {
        Some("json") => Ok(Format::Json),
        Some("human") => Ok(Format::Human(colours)),
        None if terminal => Ok(Format::Human(colours)),
        None => Ok(Format::Json),
        Some(other) => Err(Failure::misasked(format!(
            "OYEZ_LOG_FORMAT must be human or json; it is {other:?}"
        ))),
    }
}

struct Lines(Format);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields =
            Fields { format: self.0, message: String::new(), rest: String::new(), left_out: 0 };
        event.record(&mut fields);
        let (metadata, message) = (event.metadata(), &fields.message);
        match self.0 {
            Format::Human(colours) => {
                let level = level(*metadata.level(), colours);
                write!(writer, "{} {level} {message}{}", clock::time_of_day(), fields.rest)?;
                if fields.left_out > 0 {
                    write!(writer, " (and {} more)", fields.left_out)?;
                }
                writeln!(writer)
            }
            Format::Json => {
                let level = metadata.level().as_str().to_lowercase();
                let target = metadata.target();
                write!(
                    writer,
                    "{{\"time\":\"{}\",\"level\":\"{level}\",\"message\":{},\"target\":{}{}",
                    clock::now(),
                    json(message),
                    json(target),
                    fields.rest
                )?;
                if fields.left_out > 0 {
                    write!(writer, ",\"left_out\":{}", fields.left_out)?;
                }
                writeln!(writer, "}}")
            }
        }
    }
}

fn level(level: Level, colours: Colours) -> String {
    let (code, word) = match level {
        Level::ERROR => (31, "ERROR"),
        Level::WARN => (33, "WARN "),
        Level::INFO => (32, "INFO "),
        Level::DEBUG => (34, "DEBUG"),
        Level::TRACE => (35, "TRACE"),
    };
    match colours {
        Colours::On => format!("\u{1b}[{code}m{word}\u{1b}[0m"),
        Colours::Off => word.to_owned(),
    }
}

/// The fields of one event, as text of the line.
struct Fields {
    format: Format,
    message: String,
    rest: String,
    left_out: usize,
}

impl Fields {
    /// Adds a value that is text; `bare` values are JSON as they stand.
    fn add(&mut self, field: &Field, value: &str, bare: Bare) {
        let value = shorten(value);
        if field.name() == "message" {
            self.message = value;
            return;
        }
        let text = match (self.format, bare) {
            (Format::Human(_), _) if value.contains([' ', '"']) || value.is_empty() => {
                format!(" {}={}", field.name(), json(&value))
            }
            (Format::Human(_), _) => format!(" {}={value}", field.name()),
            (Format::Json, Bare::No) => format!(",{}:{}", json(field.name()), json(&value)),
            (Format::Json, Bare::Yes) => format!(",{}:{value}", json(field.name())),
        };
        if self.rest.len() + text.len() > FIELDS {
            self.left_out += 1;
        } else {
            self.rest.push_str(&text);
        }
    }
}

/// Whether a value needs no quotes in JSON.
#[derive(Clone, Copy)]
enum Bare {
    Yes,
    No,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"), Bare::No);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value, Bare::No);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, &value.to_string(), Bare::Yes);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, &value.to_string(), Bare::Yes);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, &value.to_string(), Bare::Yes);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let bare = if value.is_finite() { Bare::Yes } else { Bare::No };
        self.add(field, &value.to_string(), bare);
    }
}

/// At most [`VALUE`] bytes, none of which moves the cursor.
fn shorten(value: &str) -> String {
    let mut text = String::with_capacity(value.len().min(VALUE));
    for c in value.chars() {
        if text.len() + c.len_utf8() + '…'.len_utf8() > VALUE {
            text.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => text.push(' '),
            c if c.is_control() => text.push('?'),
            c => text.push(c),
        }
    }
    text
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic elsewhere").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(format: Format, say: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .event_format(Lines(format));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        let bytes = sink.0.lock().expect("no panic elsewhere").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_line_is_bounded_and_stays_one_line() {
        let long = "é\n\u{1b}[2J\"".repeat(5000);
        let say = || tracing::warn!(a = %long, b = long, c = %long, n = 7, ok = true, "bad {long}");
        for format in [Format::Json, Format::Human(Colours::Off)] {
            let text = lines(format, say);
            assert!(text.len() <= LINE && text.ends_with('\n'), "{}", text.len());
            assert!(text.trim_end().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn a_json_line_is_json() {
        let text =
            lines(Format::Json, || tracing::info!(port = 6001, who = "a \"b\"", "it {}", "runs"));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&value["level"], &value["message"]), (&"info".into(), &"it runs".into()));
        assert_eq!((&value["port"], &value["who"]), (&6001.into(), &"a \"b\"".into()));
    }

    #[test]
    fn a_human_line_reads_well() {
        let text = lines(Format::Human(Colours::Off), || {
            tracing::info!(port = 6001, who = "a b", "it runs")
        });
        assert_eq!(&text[12..], " INFO  it runs port=6001 who=\"a b\"\n");
    }

    #[test]
    fn the_format_follows_the_terminal_unless_it_is_named() {
        assert_eq!(format(None, true, false).expect("a format"), Format::Human(Colours::On));
        assert_eq!(format(None, true, true).expect("a format"), Format::Human(Colours::Off));
        assert_eq!(format(None, false, false).expect("a format"), Format::Json);
        assert_eq!(
            format(Some("human"), false, false).expect("a format"),
            Format::Human(Colours::Off)
        );
        assert_eq!(format(Some("json"), true, false).expect("a format"), Format::Json);
        assert!(format(Some("xml"), true, false).is_err());
    }
}
