// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rivals: installed from their package registries with the ordinary clients, at low
//! priority, into a folder below the target folder, and configured for one app, in memory, with
//! nothing that would slow them down switched on. A rival that cannot be had is a sentence in the
//! table, not a failure of the run.

use crate::process::Program;
use crate::signature::app;
use crate::trouble::Trouble;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOCKUDO_VERSION: &str = "5.2.0";

/// What Sockudo ships by default, without its tracing exporter.
const SOCKUDO_FEATURES: &str = "local,v2";

/// One of its dependencies generates code while it is built.
const NEEDS_PROTOC: &str =
    "not installed: its build needs `protoc`; on Debian: apt-get install protobuf-compiler";

/// soketi names its WebSocket engine by a git address; a build of the same engine that is
/// published in the registry takes its place.
const SOKETI_MANIFEST: &str = r#"{
  "name": "rival-soketi",
  "private": true,
  "dependencies": { "@soketi/soketi": "1.6.1" },
  "overrides": { "uWebSockets.js": "npm:@trufflesuite/uws-js-unofficial@20.30.0-unofficial.0" }
}
"#;

/// Loads the engine's compiled part for this version of Node, and nothing else.
const SOKETI_ENGINE_CHECK: &str = "require('uWebSockets.js/binaries/uws_' + \
     [process.platform, process.arch, process.versions.modules].join('_') + '.node')";

/// A server of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    /// `sockudo` of the Rust registry.
    Sockudo,
    /// `@soketi/soketi` of the Node registry.
    Soketi,
}

impl Rival {
    /// Installs it below `rivals` unless it is there; the reason in words when that fails.
    pub(crate) fn install(self, rivals: &Path) -> Result<(), String> {
        if self.executable(rivals).exists() {
            return self.check(rivals);
        }
        let folder = self.folder(rivals);
        fs::create_dir_all(&folder).map_err(|error| format!("not installed: {error}"))?;
        eprintln!("installing {self:?}, which can take many minutes …");
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).current_dir(&folder).stdin(Stdio::null());
        match self {
            Self::Sockudo => {
                if Command::new("protoc").arg("--version").output().is_err() {
                    return Err(NEEDS_PROTOC.to_owned());
                }
                command.args(["cargo", "install", "sockudo", "--locked", "--version"]);
                command.args([SOCKUDO_VERSION, "--no-default-features"]);
                command.args(["--features", SOCKUDO_FEATURES, "--root", "."]);
                command.env("CARGO_TARGET_DIR", folder.join("target"));
            }
            Self::Soketi => {
                fs::write(folder.join("package.json"), SOKETI_MANIFEST)
                    .map_err(|error| format!("not installed: {error}"))?;
                command.args(["npm", "install", "--omit=dev", "--no-audit", "--no-fund"]);
                command.arg("--ignore-scripts");
            }
        }
        let log = folder.join("install.log");
        let output = File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = output.map_err(|error| format!("not installed: {error}"))?;
        let status = command
            .stdout(out)
            .stderr(err)
            .status()
            .map_err(|error| format!("not installed: {}: {error}", self.installer()))?;
        if status.success() && self.executable(rivals).exists() {
            return self.check(rivals);
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        let reason = said.lines().find(|line| line.contains("error")).unwrap_or("no reason given");
        Err(format!("not installed: {} says: {}", self.installer(), reason.trim()))
    }

    /// Makes sure that it is the real thing: soketi's engine would fall back to plain JavaScript
    /// where its compiled part does not load, and then measure something else.
    fn check(self, rivals: &Path) -> Result<(), String> {
        if self == Self::Sockudo {
            return Ok(());
        }
        let output = Command::new("node")
            .args(["-e", SOKETI_ENGINE_CHECK])
            .current_dir(self.folder(rivals))
            .output()
            .map_err(|error| format!("not measured: node: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().find(|line| line.contains("Error")).unwrap_or("no reason given");
        Err(format!("not measured: its engine does not load here: {reason}"))
    }

    /// How to run it on `address`.
    pub(crate) fn program(
        self,
        rivals: &Path,
        address: SocketAddr,
        folder: PathBuf,
    ) -> Result<Program, Trouble> {
        let executable = self.executable(rivals);
        match self {
            Self::Sockudo => {
                let config = sockudo_config(address);
                fs::write(folder.join("sockudo.json"), config)
                    .map_err(Trouble::io("writing a config"))?;
                Ok(Program {
                    path: executable,
                    arguments: ["--config", "sockudo.json"].map(String::from).to_vec(),
                    environment: vec![("RUST_LOG", "error".to_owned())],
                    directory: folder,
                })
            }
            Self::Soketi => Ok(Program {
                path: PathBuf::from("node"),
                arguments: vec![executable.display().to_string(), "start".to_owned()],
                environment: vec![
                    ("SOKETI_HOST", address.ip().to_string()),
                    ("SOKETI_PORT", address.port().to_string()),
                    ("SOKETI_DEFAULT_APP_ID", app::ID.to_owned()),
                    ("SOKETI_DEFAULT_APP_KEY", app::KEY.to_owned()),
                    ("SOKETI_DEFAULT_APP_SECRET", app::SECRET.to_owned()),
                ],
                directory: folder,
            }),
        }
    }

    fn folder(self, rivals: &Path) -> PathBuf {
        rivals.join(match self {
            Self::Sockudo => "sockudo",
            Self::Soketi => "soketi",
        })
    }

    fn executable(self, rivals: &Path) -> PathBuf {
        self.folder(rivals).join(match self {
            Self::Sockudo => "bin/sockudo",
            Self::Soketi => "node_modules/@soketi/soketi/bin/server.js",
        })
    }

    const fn installer(self) -> &'static str {
        match self {
            Self::Sockudo => "cargo install",
            Self::Soketi => "npm install",
        }
    }
}

fn sockudo_config(address: SocketAddr) -> String {
    format!(
        r#"{{
  "debug": false,
  "host": "{}",
  "port": {},
  "adapter": {{ "driver": "local" }},
  "cache": {{ "driver": "memory" }},
  "queue": {{ "driver": "memory" }},
  "metrics": {{ "enabled": false }},
  "rate_limiter": {{ "enabled": false }},
  "app_manager": {{
    "driver": "memory",
    "array": {{ "apps": [
      {{ "id": "{}", "key": "{}", "secret": "{}", "enabled": true }}
    ] }}
  }}
}}
"#,
        address.ip(),
        address.port(),
        app::ID,
        app::KEY,
        app::SECRET
    )
}
