// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `check-config` prints: the settings as they were understood, and the manual's table.

use std::fmt::Write;

use oyez_protocol::limits::Limits;
use oyez_server::options::{AppOptions, ChannelOptions, Source};

use super::key::Key;
use super::{Config, Mode, doubts, keys};

/// Width of the column of keys.
const COLUMN: usize = 20;

/// The settings in force. Secrets are dots; what is at its default says so.
pub fn understood(config: &Config) -> String {
    let mut out = String::new();
    section(&mut out, keys::SERVER, &config.options, &keys::base(), Rows::All);
    limits(&mut out, &config.options.limits);
    for app in &config.options.apps {
        out.push_str("\n[[apps]]\n");
        let base = AppOptions::new("", "", "");
        section(&mut out, keys::APP, app, &base, Rows::All);
        for webhook in &app.webhooks {
            out.push_str("\n[[apps.webhooks]]\n");
            section(&mut out, keys::WEBHOOK, webhook, webhook, Rows::Plain);
        }
        for rule in &app.channels {
            out.push_str("\n[[apps.channels]]\n");
            channels(&mut out, rule);
        }
    }
    if config.mode == Mode::Development {
        out.push_str("\nNo config file: development mode, with an app of its own.\n");
    }
    out
}

/// How rows are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// With a mark at each default.
    All,
    /// Without: nothing there has a default.
    Plain,
}

fn section<T>(out: &mut String, keys: &[Key<T>], target: &T, base: &T, rows: Rows) {
    for key in keys {
        let value = (key.show)(target);
        let default = rows == Rows::All && value == (key.show)(base) && key.name != "secret";
        line(out, key.name, &value, if default { "  (default)" } else { "" });
    }
}

fn channels(out: &mut String, rule: &ChannelOptions) {
    section(out, keys::CHANNEL, rule, &ChannelOptions::new(""), Rows::All);
    if doubts::remembers(rule) {
        let note = if rule.history.is_some() { "" } else { "  (default)" };
        let history = rule.history.unwrap_or_default();
        line(out, "history", &inline(keys::CHANNEL_HISTORY.iter(), &history), note);
    }
    if let Some(truth) = &rule.truth {
        let is_asked = matches!(truth.source, Source::Url(_));
        let means = |key: &&Key<_>| is_asked || !keys::OF_URL.contains(&key.name);
        line(out, "truth", &inline(keys::CHANNEL_TRUTH.iter().filter(means), truth), "");
    }
}

/// A table on one line; what is not said and has no default is left out.
fn inline<'k, T: 'static>(keys: impl Iterator<Item = &'k Key<T>>, target: &T) -> String {
    let said = keys.map(|key| (key.name, (key.show)(target)));
    let said = said.filter(|(_, value)| !value.is_empty());
    let parts: Vec<_> = said.map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", parts.join(", "))
}

fn limits(out: &mut String, limits: &Limits) {
    let changed = |key: &str, default: usize| limits.get(key).filter(|value| *value != default);
    out.push_str("\n[limits]\n");
    let mut others = 0;
    for limit in Limits::TABLE {
        match changed(limit.key, limit.default) {
            Some(value) => line(out, limit.key, &value.to_string(), &format!("  {}", limit.unit)),
            None => others += 1,
        }
    }
    let _ = writeln!(out, "# {others} at their defaults: `oyez check-config --keys` shows them");
}

fn line(out: &mut String, key: &str, value: &str, note: &str) {
    let _ = writeln!(out, "{key:COLUMN$} = {value}{note}");
}

/// Every key, as Markdown.
pub fn manual() -> String {
    let mut out = String::new();
    let mut section = None;
    for row in keys::reference() {
        if section != Some(row.section) {
            section = Some(row.section);
            let title = if row.section.is_empty() { "the top of the file" } else { row.section };
            let _ =
                write!(out, "\n### {title}\n\n| key | default | | variable |\n|---|---|---|---|\n");
        }
        let default = match row.default {
            None => "required".to_owned(),
            Some(text) if text.is_empty() => "none".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        let variable = row.variable.map_or(String::new(), |name| format!("`{name}`"));
        let mut doc = row.doc;
        if let Some(first) = doc.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let _ = writeln!(out, "| `{}` | {default} | {doc} | {variable} |", row.key);
    }
    out.trim_start().to_owned()
}
