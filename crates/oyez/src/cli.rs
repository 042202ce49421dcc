// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: every command, flag and help text. It reads arguments and does nothing else.
//!
//! No value is checked here that could hold a secret: the library's own errors repeat what was
//! typed.

mod memory;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

pub(crate) use memory::{
    ForgetArgs, HistoryArgs, TruthArgs, TruthChangedArgs, TruthCommand, TruthGetArgs, TruthPutArgs,
};

const TOP_HELP: &str = "\
Start here:
  oyez                                  a server for development, and what to paste into your app
  oyez trigger my-channel my-event hi   send it an event
  oyez tail my-channel                  watch its events

Then, for a server that others can reach:
  oyez new-app shop >> oyez.toml        an app with fresh credentials
  oyez check-config                     is the file right, and how is it understood?
  oyez --listen 0.0.0.0:6001            oyez.toml is found in the working directory

Environment:
  OYEZ_LISTEN, OYEZ_DATA_DIR, OYEZ_LIMITS_…   every setting of the whole server
                                              (`oyez check-config --keys` lists them)
  OYEZ_URL          the server of the client commands
  OYEZ_LOG          error, warn, info (default), debug, trace; per part: warn,oyez_server=debug
  OYEZ_LOG_FORMAT   human or json; without it, human on a terminal and json elsewhere

Exit codes:
  0   done, or stopped by a signal after draining
  1   it could not be done: port in use, server out of reach, call refused
  2   asked wrongly: bad arguments, bad settings, development mode on a public address";

const SERVE_HELP: &str = "\
Examples:
  oyez                                 development mode on 127.0.0.1:6001
  oyez --listen 127.0.0.1:0            on any free port
  oyez serve --config /etc/oyez.toml   with your settings and apps

Without --config the file oyez.toml of the working directory is used. Without that, the server
runs in development mode: for this machine only, with an app whose credentials it makes once and
keeps in the data folder. SIGTERM or Ctrl-C drains: connections are closed in slices over
drain_seconds, and nothing that was accepted is lost. A second signal stops at once.";

const CHECK_HELP: &str = "\
Examples:
  oyez check-config                    checks oyez.toml, or shows what development mode uses
  oyez check-config --config a.toml    another file
  oyez check-config --keys             every key with its default, meaning and variable

Everything that is wrong is told at once, with its line. Exit code 0: the settings can be used,
though there may be warnings; 2: they cannot.";

const NEW_APP_HELP: &str = "\
Examples:
  oyez new-app >> oyez.toml            adds an app to the config file
  oyez new-app \"Web shop\"              with its name as a comment";

const CLIENT_HELP: &str = "\
The server is the one of --url or OYEZ_URL; without them that of the config file (--config, or
oyez.toml here); without one the development server of the data folder. Prefer OYEZ_URL to --url
where others can see the list of processes: the URL holds the secret.";

const TRIGGER_HELP: &str = "\
Examples:
  oyez trigger LOBBY_7 PLAYER_JOIN '{\"players\":[\"Ada\"]}'
  oyez trigger private-orders shipped 'order 17'
  generate-report | oyez trigger reports ready -
  OYEZ_URL=https://KEY:SECRET@realtime.example.com/apps/ID oyez trigger news flash hello";

const TAIL_HELP: &str = "\
Examples:
  oyez tail LOBBY_7
  oyez tail private-orders presence-room
  oyez tail --json LOBBY_7 | jq .data

Each event is one line: time (UTC), channel, event, data. On a channel with memory the event's
offset stands before its name, like #41, and (replayed) after it for what came before the
subscription. What concerns the connection goes to standard error. Private and presence channels
are signed with the app's secret; on a presence channel this makes `tail` a member that the others
see. A lost connection is made again, after a growing wait, and goes on where it was.";

const CHANNELS_HELP: &str = "\
Examples:
  oyez channels
  oyez channels --prefix presence-
  oyez channels --json";

/// A Pusher Channels server. Without a command it starts: see `oyez serve --help`.
#[derive(Debug, Parser)]
#[command(name = "oyez", version, after_help = TOP_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

impl Cli {
    /// What is asked: the command, with the flags that stand before it; `serve` without one.
    pub(crate) fn asked(self) -> Result<Command, clap::Error> {
        let Some(mut command) = self.command else { return Ok(Command::Serve(self.serve)) };
        let ServeArgs { config, listen, data } = self.serve;
        let (config_slot, listen_slot, data_slot) = match &mut command {
            Command::Serve(args) => {
                (Some(&mut args.config), Some(&mut args.listen), Some(&mut args.data))
            }
            Command::CheckConfig(args) => (Some(&mut args.config), None, None),
            Command::NewApp(_) => (None, None, None),
            Command::Trigger(TriggerArgs { client, .. })
            | Command::Tail(TailArgs { client, .. })
            | Command::Channels(ChannelsArgs { client, .. })
            | Command::History(HistoryArgs { client, .. })
            | Command::Forget(ForgetArgs { client, .. }) => {
                (Some(&mut client.config), None, Some(&mut client.data))
            }
            Command::Truth(TruthArgs { command }) => {
                let client = command.client();
                (Some(&mut client.config), None, Some(&mut client.data))
            }
        };
        hand_on("--config", config, config_slot)?;
        hand_on("--listen", listen, listen_slot)?;
        hand_on("--data", data, data_slot)?;
        Ok(command)
    }
}

/// Gives a flag that stands before the command to the command.
fn hand_on<T>(
    flag: &str,
    given: Option<T>,
    slot: Option<&mut Option<T>>,
) -> Result<(), clap::Error> {
    let wrong = |text: &str| {
        Err(Cli::command().error(ErrorKind::ArgumentConflict, format!("{flag} {text}")))
    };
    match (given, slot) {
        (None, _) => Ok(()),
        (Some(_), None) => wrong("is no flag of that command"),
        (Some(_), Some(Some(_))) => wrong("is given twice, before and after the command"),
        (given, Some(slot)) => {
            *slot = given;
            Ok(())
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Check the settings and show how they are understood
    #[command(after_help = CHECK_HELP)]
    CheckConfig(CheckArgs),
    /// Print an [[apps]] block with fresh credentials
    #[command(after_help = NEW_APP_HELP)]
    NewApp(NewAppArgs),
    /// Send an event to a channel
    #[command(after_help = TRIGGER_HELP, after_long_help = [TRIGGER_HELP, "\n\n", CLIENT_HELP].concat())]
    Trigger(TriggerArgs),
    /// Print the events of channels as they come
    #[command(after_help = TAIL_HELP, after_long_help = [TAIL_HELP, "\n\n", CLIENT_HELP].concat())]
    Tail(TailArgs),
    /// List the channels that have subscribers
    #[command(after_help = CHANNELS_HELP, after_long_help = [CHANNELS_HELP, "\n\n", CLIENT_HELP].concat())]
    Channels(ChannelsArgs),
    /// Read, set or renew a channel's truth
    #[command(after_help = memory::TRUTH_HELP)]
    Truth(TruthArgs),
    /// Print the events that a channel remembers
    #[command(after_help = memory::HISTORY_HELP, after_long_help = [memory::HISTORY_HELP, "\n\n", CLIENT_HELP].concat())]
    History(HistoryArgs),
    /// Make a channel forget an event
    #[command(after_help = memory::FORGET_HELP, after_long_help = [memory::FORGET_HELP, "\n\n", CLIENT_HELP].concat())]
    Forget(ForgetArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// Config file [default: oyez.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:6001]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Folder for what must survive [default: oyez-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// Config file [default: oyez.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print every key that exists, as Markdown
    #[arg(long)]
    pub(crate) keys: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct NewAppArgs {
    /// What you call it; a comment in the block
    pub(crate) name: Option<String>,
}

/// How the client commands find their server.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClientArgs {
    /// The server and app: http://KEY:SECRET@HOST:PORT/apps/ID
    #[arg(long, value_name = "URL", env = "OYEZ_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// Config file that names the server and app [default: oyez.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Id of the app, when the config file has several [default: its first]
    #[arg(long, value_name = "ID")]
    pub(crate) app: Option<String>,
    /// Data folder of a development server [default: oyez-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TriggerArgs {
    /// Channel to send to
    pub(crate) channel: String,
    /// Name of the event
    pub(crate) event: String,
    /// Its data, sent as it is written; - reads it from standard input
    #[arg(allow_hyphen_values = true, value_name = "DATA")]
    pub(crate) payload: String,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TailArgs {
    /// Channels to watch
    #[arg(required = true, value_name = "CHANNEL")]
    pub(crate) channels: Vec<String>,
    /// One JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ChannelsArgs {
    /// Only channels whose names begin so
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) prefix: String,
    /// The server's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_what_happens_without_a_command() {
        let flags = "--config a.toml --listen 127.0.0.1:1 --data d";
        let [bare, after, before] =
            ["oyez FLAGS", "oyez serve FLAGS", "oyez FLAGS serve"].map(|line| {
                let asked = parse(&line.replace("FLAGS", flags)).and_then(Cli::asked);
                format!("{:?}", asked.expect("flags"))
            });
        assert!(bare.starts_with("Serve(") && bare.contains("a.toml"), "{bare}");
        assert_eq!((&after, &before), (&bare, &bare));
    }

    #[test]
    fn a_flag_may_stand_before_the_command_that_has_it() {
        for command in [
            "check-config",
            "channels",
            "trigger a b c",
            "tail a",
            "truth get a",
            "truth put a 1",
            "truth changed a",
            "history a",
            "forget a b",
        ] {
            let [before, after] = [
                format!("oyez --config a.toml {command}"),
                format!("oyez {command} --config a.toml"),
            ]
            .map(|line| format!("{:?}", parse(&line).and_then(Cli::asked).expect("a command")));
            assert!(before == after && before.contains("a.toml"), "{before}");
        }
        assert!(parse("oyez --data d channels").and_then(Cli::asked).is_ok());
        for (line, expected) in [
            ("oyez --listen 127.0.0.1:1 channels", "--listen is no flag of that command"),
            ("oyez --data d check-config", "--data is no flag of that command"),
            ("oyez --config a.toml new-app", "--config is no flag of that command"),
            ("oyez --config a channels --config b", "--config is given twice"),
        ] {
            let error = parse(line).and_then(Cli::asked).expect_err(line);
            assert!(error.exit_code() == 2 && error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_contract_s_commands_are_there_with_examples() {
        for name in [
            "serve",
            "check-config",
            "new-app",
            "trigger",
            "tail",
            "channels",
            "truth",
            "truth get",
            "truth put",
            "truth changed",
            "history",
            "forget",
        ] {
            let error = parse(&format!("oyez {name} --help")).expect_err("help");
            assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp);
            let text = error.to_string();
            assert!(text.contains("Examples:\n  oyez") && text.contains("Usage: oyez "), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        }
        let top = parse("oyez --help").expect_err("help").to_string();
        for part in ["Exit codes:", "OYEZ_LOG_FORMAT", "oyez new-app", "check-config"] {
            assert!(top.contains(part), "{top}");
        }
    }

    #[test]
    fn data_may_look_like_a_flag_and_help_never_shows_the_url() {
        assert!(parse("oyez trigger a b -1").is_ok());
        assert!(parse("oyez trigger a b -").is_ok());
        assert!(parse("oyez tail").is_err());
        let command = Cli::command();
        let trigger = command.find_subcommand("trigger").expect("trigger");
        let url = trigger.get_arguments().find(|arg| arg.get_id() == "url").expect("--url");
        assert!(url.is_hide_env_values_set());
    }
}
