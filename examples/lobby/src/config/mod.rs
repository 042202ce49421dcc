// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Config`]: how the app runs. Every option has a flag, a variable and a default.

pub(crate) mod pusher;

use std::net::SocketAddr;
use std::path::PathBuf;

/// How the app runs.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "lobby", about = "Lobby, chat and Crazy Eights on an embedded Oyez.")]
pub struct Config {
    /// The address of the one port, for pages and realtime connections.
    #[arg(long, env = "LOBBY_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// The folder for what must survive: the database, and what Oyez remembers.
    #[arg(long, env = "LOBBY_DATA", default_value = "lobby-data")]
    pub data: PathBuf,

    /// The app is reached through a proxy with TLS: cookies are Secure, and the last
    /// X-Forwarded-For says who calls.
    #[arg(long, env = "LOBBY_BEHIND_PROXY")]
    pub behind_proxy: bool,

    /// What everybody may do how often.
    #[command(flatten)]
    pub limits: Limits,
}

/// What everybody may do how often.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Wrong and right passwords a minute, for each name and for each address.
    #[arg(long, env = "LOBBY_LOGINS_PER_MINUTE", default_value_t = per(10))]
    pub logins_per_minute: std::num::NonZeroU32,

    /// New users a minute from one address.
    #[arg(long, env = "LOBBY_REGISTRATIONS_PER_MINUTE", default_value_t = per(10))]
    pub registrations_per_minute: std::num::NonZeroU32,

    /// Chat messages a minute of one user; a quarter of them at once.
    #[arg(long, env = "LOBBY_MESSAGES_PER_MINUTE", default_value_t = per(40))]
    pub messages_per_minute: std::num::NonZeroU32,

    /// New games a minute of one user.
    #[arg(long, env = "LOBBY_GAMES_PER_MINUTE", default_value_t = per(60))]
    pub games_per_minute: std::num::NonZeroU32,

    /// Games that one user may be in.
    #[arg(long, env = "LOBBY_GAMES_PER_USER", default_value_t = 20)]
    pub games_per_user: u32,

    /// Seconds after which a player without a page is skipped.
    #[arg(long, env = "LOBBY_AWAY_SECONDS", default_value_t = 60)]
    pub away_seconds: u64,

    /// Days after which a game that nobody touched is deleted; one without players goes after the
    /// first.
    #[arg(long, env = "LOBBY_KEEP_DAYS", default_value_t = 30)]
    pub keep_days: u64,
}

impl Limits {
    /// How long a player may be away, in milliseconds.
    pub(crate) fn away_millis(&self) -> i64 {
        i64::try_from(self.away_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
    }

    /// How long a game is kept that nobody touches, in milliseconds.
    pub(crate) fn keep_millis(&self) -> i64 {
        i64::try_from(self.keep_days.saturating_mul(24 * 3_600_000)).unwrap_or(i64::MAX)
    }
}

fn per(minute: u32) -> std::num::NonZeroU32 {
    std::num::NonZeroU32::new(minute).expect("no limit is zero by default")
}
