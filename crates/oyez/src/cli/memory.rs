// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments and help of the commands about what a channel remembers.

use clap::{Args, Subcommand};

use super::ClientArgs;

pub(super) const TRUTH_HELP: &str = "\
Examples:
  oyez truth put GAME_7 '{\"players\":[]}'        set it; subscribers get it as an event
  oyez truth put GAME_7 --merge '{\"round\":2}'   change a part of it
  oyez truth get GAME_7 | jq .players           read it
  oyez truth changed GAME_7                     have its source asked again

A channel holds a truth when its rule in the config has `truth`, or any rule gives it memory and
the call names the event: `oyez truth put --event GAME_STATE …`.";

pub(super) const TRUTH_GET_HELP: &str = "\
Examples:
  oyez truth get GAME_7
  oyez truth get GAME_7 --json                  with epoch, version, event, time and staleness
  oyez truth get GAME_7 --wait-version 42       once it has that version, or a later one

The JSON value goes to standard output exactly as the server holds it, what is known about it to
standard error.";

pub(super) const TRUTH_PUT_HELP: &str = "\
Examples:
  oyez truth put GAME_7 '{\"players\":[\"Ada\"]}'
  oyez truth put GAME_7 - < state.json
  oyez truth put GAME_7 --merge '{\"round\":2,\"winner\":null}'
  oyez truth put GAME_7 --patch '[{\"op\":\"add\",\"path\":\"/players/-\",\"value\":\"Bob\"}]'
  oyez truth put GAME_7 '{\"n\":5}' --if-version 41 --if-epoch k3Vd9Qw2
  oyez truth put GAME_7 --delete

A truth that is the same already is not sent again. With --if-version the change is made only if
nobody was faster: otherwise the exit code is 1, and the error names the version that there is.";

pub(super) const TRUTH_CHANGED_HELP: &str = "\
Examples:
  oyez truth changed private-GAME_7
  oyez truth changed private-GAME_7 --min-version 12

The source that the channel's rule names (`truth = { url = … }`) is asked again, also if a call is
on its way. With --min-version an answer with a smaller version of its own counting is not taken.";

pub(super) const HISTORY_HELP: &str = "\
Examples:
  oyez history LOBBY_7                          what is held, the oldest first
  oyez history LOBBY_7 --since 41 --epoch k3Vd9Qw2 --term a81xR0pe
  oyez history LOBBY_7 --json | jq -r '.events[].data'

Each event is one line: time (UTC), offset, event, data. Where the channel is goes to standard
error. If what came after --since is gone, the exit code is 1 and the error says why.";

pub(super) const FORGET_HELP: &str = "\
Examples:
  oyez forget LOBBY_7 PLAYER_JOIN

New subscribers are not shown the event any more. It is an entry of the channel's log: clients
that know Oyez are told.";

#[derive(Clone, Debug, Args)]
pub(crate) struct TruthArgs {
    #[command(subcommand)]
    pub(crate) command: TruthCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TruthCommand {
    /// Print a channel's truth
    #[command(after_help = TRUTH_GET_HELP, after_long_help = [TRUTH_GET_HELP, "\n\n", super::CLIENT_HELP].concat())]
    Get(TruthGetArgs),
    /// Set, change or delete a channel's truth
    #[command(after_help = TRUTH_PUT_HELP, after_long_help = [TRUTH_PUT_HELP, "\n\n", super::CLIENT_HELP].concat())]
    Put(TruthPutArgs),
    /// Say that what a channel's truth is made of has changed
    #[command(after_help = TRUTH_CHANGED_HELP, after_long_help = [TRUTH_CHANGED_HELP, "\n\n", super::CLIENT_HELP].concat())]
    Changed(TruthChangedArgs),
}

impl TruthCommand {
    pub(super) fn client(&mut self) -> &mut ClientArgs {
        match self {
            TruthCommand::Get(args) => &mut args.client,
            TruthCommand::Put(args) => &mut args.client,
            TruthCommand::Changed(args) => &mut args.client,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TruthGetArgs {
    /// Whose truth
    pub(crate) channel: String,
    /// Wait up to 25 s for this version, or a later one
    #[arg(long, value_name = "VERSION")]
    pub(crate) wait_version: Option<u64>,
    /// The server's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TruthPutArgs {
    /// Whose truth
    pub(crate) channel: String,
    /// The JSON value, merge patch or patch; - reads it from standard input
    #[arg(
        allow_negative_numbers = true,
        value_name = "DATA",
        required_unless_present = "delete",
        conflicts_with = "delete"
    )]
    pub(crate) payload: Option<String>,
    /// DATA is a merge patch (RFC 7396): its fields replace, null removes
    #[arg(long, conflicts_with_all = ["patch", "delete"])]
    pub(crate) merge: bool,
    /// DATA is a JSON Patch (RFC 6902): a list of operations, all or none
    #[arg(long, conflicts_with = "delete")]
    pub(crate) patch: bool,
    /// There is no truth any more
    #[arg(long)]
    pub(crate) delete: bool,
    /// Name of the event that carries it [default: that of the channel's rule]
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// Only if the truth has this version; 0: only if there is none
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<u64>,
    /// Only if the channel's numbering is this one
    #[arg(long, value_name = "EPOCH")]
    pub(crate) if_epoch: Option<String>,
    /// How long it holds if nobody changes it, like 30s [default: for ever]
    #[arg(long, value_name = "TIME", conflicts_with = "delete")]
    pub(crate) ttl: Option<String>,
    /// Idempotency key: the same call with the same key is done once
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The server's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TruthChangedArgs {
    /// Whose truth
    pub(crate) channel: String,
    /// The version that the truth must have reached, by the source's own counting
    #[arg(long, value_name = "VERSION")]
    pub(crate) min_version: Option<u64>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Whose history
    pub(crate) channel: String,
    /// Only what came after this offset
    #[arg(long, value_name = "OFFSET")]
    pub(crate) since: Option<u64>,
    /// The numbering that --since belongs to
    #[arg(long)]
    pub(crate) epoch: Option<String>,
    /// The term in which --since was reached
    #[arg(long)]
    pub(crate) term: Option<String>,
    /// Events at most [default: limits.history_page of the server]
    #[arg(long, value_name = "EVENTS")]
    pub(crate) limit: Option<u64>,
    /// The server's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ForgetArgs {
    /// Which channel forgets
    pub(crate) channel: String,
    /// Name of the event that is forgotten
    pub(crate) event: String,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}
