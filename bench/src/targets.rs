// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be measured, and how each is started with the bench's one app on a free port.

use crate::bare::Delivery;
use crate::process::{Program, Server, free_address};
use crate::rivals::Rival;
use crate::signature::app;
use crate::trouble::Trouble;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// The bench's own hidden command that runs a bare loop.
pub(crate) const LOOP_COMMAND: &str = "loop";

/// A server that the bench can drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Target {
    /// The bare loop: the yardstick.
    Bare,
    /// The bare loop with one write per socket and turn.
    Coalesced,
    /// This project's server.
    Oyez,
    /// A rival in Rust.
    Sockudo,
    /// A rival on Node.
    Soketi,
}

impl Target {
    /// Its name in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Coalesced => "coalesced",
            Self::Oyez => "Oyez",
            Self::Sockudo => "Sockudo 5.2",
            Self::Soketi => "soketi 1.6",
        }
    }

    /// The rival it is, when it is one.
    pub(crate) const fn rival(self) -> Option<Rival> {
        match self {
            Self::Bare | Self::Coalesced | Self::Oyez => None,
            Self::Sockudo => Some(Rival::Sockudo),
            Self::Soketi => Some(Rival::Soketi),
        }
    }
}

/// Starts targets: knows where everything lies.
pub(crate) struct Starter {
    /// The Oyez binary.
    pub(crate) oyez: PathBuf,
    /// Worker threads of Oyez; 0 is its default, one per core.
    pub(crate) oyez_workers: u16,
    /// Where the rivals are installed.
    pub(crate) rivals: PathBuf,
    /// Configs, logs and data folders of this run.
    pub(crate) folder: PathBuf,
}

impl Starter {
    /// A fresh server, alone on its port.
    pub(crate) fn start(&self, target: Target) -> Result<Server, Trouble> {
        let folder = self.fresh_folder(&format!("{target:?}"))?;
        let address = free_address()?;
        let program = match target {
            Target::Bare => self.bare(Delivery::Bare, address)?,
            Target::Coalesced => self.bare(Delivery::Coalesced, address)?,
            Target::Oyez => self.oyez(address, folder.clone(), "")?,
            Target::Sockudo => Rival::Sockudo.program(&self.rivals, address, folder.clone())?,
            Target::Soketi => Rival::Soketi.program(&self.rivals, address, folder.clone())?,
        };
        Server::start(&program, address, folder.join("log"))
    }

    /// A place for an Oyez with those rules for channels, on which it can be started again and
    /// again.
    pub(crate) fn oyez_place(&self, name: &str, rules: &str) -> Result<Place, Trouble> {
        let folder = self.fresh_folder(name)?;
        let address = free_address()?;
        let program = self.oyez(address, folder.clone(), rules)?;
        Ok(Place { program, address, log: folder.join("log") })
    }

    /// An empty folder of that name, for one start.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf, Trouble> {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let start = STARTS.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("{start}-{name}").to_lowercase());
        fs::create_dir_all(&folder).map_err(Trouble::io("creating a server's folder"))?;
        Ok(folder)
    }

    fn bare(&self, delivery: Delivery, address: SocketAddr) -> Result<Program, Trouble> {
        let delivery = match delivery {
            Delivery::Bare => "bare",
            Delivery::Coalesced => "coalesced",
        };
        Ok(Program {
            path: std::env::current_exe().map_err(Trouble::io("finding the bench itself"))?,
            arguments: [LOOP_COMMAND, delivery, &address.to_string()].map(String::from).to_vec(),
            environment: Vec::new(),
            directory: self.folder.clone(),
        })
    }

    /// `subscription_count` is off because the rivals have it off, and every join would otherwise
    /// be a fan-out of its own; everything else is the default.
    fn oyez(&self, address: SocketAddr, folder: PathBuf, rules: &str) -> Result<Program, Trouble> {
        let config = format!(
            "listen = \"{address}\"\ndata_dir = \"data\"\nworkers = {}\n\n[[apps]]\n\
             id = \"{}\"\nkey = \"{}\"\nsecret = \"{}\"\nsubscription_count = false\n{rules}",
            self.oyez_workers,
            app::ID,
            app::KEY,
            app::SECRET
        );
        fs::write(folder.join("oyez.toml"), config).map_err(Trouble::io("writing a config"))?;
        Ok(Program {
            path: self.oyez.clone(),
            arguments: ["serve", "--config", "oyez.toml"].map(String::from).to_vec(),
            environment: Vec::new(),
            directory: folder,
        })
    }
}

/// Where a server lives: its config, its data folder and its address outlive it.
pub(crate) struct Place {
    program: Program,
    address: SocketAddr,
    log: PathBuf,
}

impl Place {
    /// Starts it, on whatever the last one left. The last one must have been dropped.
    pub(crate) fn start(&self) -> Result<Server, Trouble> {
        Server::start(&self.program, self.address, self.log.clone())
    }
}
