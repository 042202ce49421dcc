// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a config file: TOML, block by block, by the lists in `keys`.

use std::collections::HashMap;
use std::path::Path;

use oyez_protocol::limits::Limits;
use oyez_server::options::{AppOptions, Options, WebhookOptions};
use toml::de::DeTable;

use super::given::Given;
use super::key::{Places, Walk};
use super::keys;
use super::problem::{Place, Problem, Source};
use super::rule::{self, RulePlaces};
use super::unknown::unknown;

/// Secrets shorter than this can be guessed.
const SECRET_LEAST: usize = 16;

/// Reads the text of a file into `options`; tells where the rules for channels stand.
pub(super) fn read(
    path: &Path,
    text: &str,
    options: &mut Options,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Vec<RulePlaces> {
    let mut walk = Walk { source: Source { path, text }, problems: Vec::new() };
    let mut rules = Vec::new();
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        server(&mut walk, document.get_ref(), options);
        rules = apps(&mut walk, document.get_ref(), options, warnings);
        others_can_read(path, warnings);
    }
    for error in errors {
        // Never the error's own rendering: it quotes the line, which may hold a secret.
        let byte = error.span().map_or(0, |span| span.start);
        walk.wrong(byte, format!("this is not TOML: {}", error.message().replace('\n', "; ")));
    }
    problems.append(&mut walk.problems);
    rules
}

fn server(walk: &mut Walk<'_>, top: &DeTable<'_>, options: &mut Options) {
    walk.block(keys::TOP, keys::SERVER, &["limits", "apps"], (0, top), options);
    let Some((_, table)) = walk.table(top, "limits") else { return };
    for (name, value) in table {
        let (byte, key) = (name.span().start, name.get_ref());
        if !Limits::TABLE.iter().any(|limit| limit.key == *key) {
            walk.wrong(byte, unknown(keys::LIMITS, key));
            continue;
        }
        match Given::Toml(value.get_ref()).count(0..=usize::MAX) {
            Err(text) => walk.wrong(byte, format!("`limits.{key}` {text}")),
            Ok(number) => {
                if let Err(error) = options.limits.set(key, number) {
                    walk.wrong(byte, error.to_string());
                }
            }
        }
    }
}

fn apps(
    walk: &mut Walk<'_>,
    top: &DeTable<'_>,
    options: &mut Options,
    warnings: &mut Vec<Problem>,
) -> Vec<RulePlaces> {
    let mut rules = Vec::new();
    let mut seen: HashMap<(&str, String), Place> = HashMap::new();
    let blocks = walk.blocks(top, "apps", keys::APPS);
    if blocks.is_empty() && walk.problems.is_empty() {
        let text = "names no app, so there is nobody to serve: `oyez new-app` prints an [[apps]] block to add";
        walk.problems.push(Problem::new(Place::File(walk.source.path.to_owned()), text));
    }
    for block in blocks {
        let mut app = AppOptions::new("", "", "");
        let places = walk.block(keys::APPS, keys::APP, &["webhooks", "channels"], block, &mut app);
        for (what, value) in [("id", &app.id), ("key", &app.key)] {
            if value.is_empty() {
                continue;
            }
            let place = places.of(what);
            if let Some(first) = seen.insert((what, value.clone()), place.clone()) {
                let text = format!(
                    "the {what} {value:?} is already that of the app at {first}: give each app its own"
                );
                walk.problems.push(Problem::new(place, text));
            }
        }
        doubts(&app, &places, warnings);
        for hook in walk.blocks(block.1, "webhooks", keys::WEBHOOKS) {
            let mut webhook = WebhookOptions::url("", []);
            walk.block(keys::WEBHOOKS, keys::WEBHOOK, &[], hook, &mut webhook);
            app.webhooks.push(webhook);
        }
        for block in walk.blocks(block.1, "channels", keys::CHANNELS) {
            let (rule, places) = rule::read(walk, options.apps.len(), block);
            app.channels.push(rule);
            rules.push(places);
        }
        options.apps.push(app);
    }
    rules
}

/// What is allowed in an app and probably not meant.
fn doubts(app: &AppOptions, places: &Places, warnings: &mut Vec<Problem>) {
    let mut doubt = |key: &str, text: &str| warnings.push(Problem::new(places.of(key), text));
    if (1..SECRET_LEAST).contains(&app.secret.reveal().len()) {
        doubt(
            "secret",
            "the secret is short enough to be guessed: `oyez new-app` makes a good one",
        );
    }
    if !app.id.is_empty() && !app.id.bytes().all(|b| b.is_ascii_digit()) {
        doubt("id", "the official Python library accepts only ids made of digits");
    }
    if !app.switches.enabled {
        doubt("enabled", "the app is switched off: nobody can connect to it or call it");
    }
}

/// A file with secrets in it is for its owner.
fn others_can_read(path: &Path, warnings: &mut Vec<Problem>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0);
        if open {
            let text = format!(
                "holds secrets and every user of this machine can read it: `chmod o-r {}`",
                path.display()
            );
            warnings.push(Problem::new(Place::File(path.to_owned()), text));
        }
    }
}
