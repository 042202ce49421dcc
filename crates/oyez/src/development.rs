// SPDX-License-Identifier: MIT OR Apache-2.0
//! Development mode: a server without a config file, for this machine only.
//!
//! Its app is made once and kept in the data folder, readable by its owner alone, so that a page
//! goes on working when the server is started again. The folder also tells where the server was
//! last listening, so that the client commands find it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use oyez_server::options::{AppOptions, Console};

use crate::config::{self, Config, Environment, Problems, Sources};
use crate::credentials::{NewApp, NoRandomness};

/// The file with the credentials: a config file with one app.
pub const APP_FILE: &str = "dev-app.toml";

/// The file with the address.
pub const ADDRESS_FILE: &str = "dev-address";

/// Why development mode cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentError {
    /// The folder or a file in it.
    #[error("{path}: {error}; name another folder with --data")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The credentials were edited into something that is no app.
    #[error("{0}\nmend the file, or delete it to get a new app")]
    Credentials(Problems),
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Gives the config its app, which is made if the folder has none yet, and switches the
/// development page on.
pub fn prepare(config: &mut Config) -> Result<(), DevelopmentError> {
    let folder = folder(config);
    fs::create_dir_all(&folder)
        .map_err(|error| DevelopmentError::Folder { path: folder.clone(), error })?;
    let path = folder.join(APP_FILE);
    if !path.exists() {
        create(&path, &NewApp::generate(None)?)
            .map_err(|error| DevelopmentError::Folder { path: path.clone(), error })?;
    }
    config.options.apps = vec![read(&path)?];
    config.options.console = Console::Development;
    Ok(())
}

/// Notes where the server listens.
pub fn note_address(config: &Config, address: SocketAddr) -> Result<(), DevelopmentError> {
    let path = folder(config).join(ADDRESS_FILE);
    fs::write(&path, format!("{address}\n"))
        .map_err(|error| DevelopmentError::Folder { path, error })
}

/// The app of the folder and the address its server was last seen at; `None` when no development
/// server was ever started there.
pub fn find(config: &Config) -> Result<Option<(AppOptions, SocketAddr)>, DevelopmentError> {
    let path = folder(config).join(APP_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let noted = fs::read_to_string(folder(config).join(ADDRESS_FILE)).ok();
    let address = noted.and_then(|text| text.trim().parse().ok()).unwrap_or(config.options.listen);
    Ok(Some((read(&path)?, address)))
}

fn folder(config: &Config) -> PathBuf {
    config.options.data_dir.clone().unwrap_or_else(|| PathBuf::from(config::DATA_DIR))
}

fn read(path: &Path) -> Result<AppOptions, DevelopmentError> {
    let sources = Sources {
        file: Some(path.to_owned()),
        environment: Environment::default(),
        ..Sources::default()
    };
    let mut config = config::load(&sources).map_err(DevelopmentError::Credentials)?;
    Ok(config.options.apps.swap_remove(0))
}

/// Writes the file whole or not at all: two servers that start at once end with one app.
fn create(path: &Path, app: &NewApp) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written = write!(
        file,
        "# The app of development mode, made once. Delete this file to get a new one.\n{app}"
    )
    .and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    linked.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> Config {
        let data = Some(folder.to_str().expect("a plain path").to_owned());
        config::load(&Sources { data, ..Sources::default() }).expect("development mode")
    }

    #[test]
    fn the_app_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("new").join("data");
        let mut first = config(&data);
        assert!(find(&first).expect("readable").is_none());
        prepare(&mut first).expect("a new app");
        let mut second = config(&data);
        prepare(&mut second).expect("the same app");
        let (one, two) = (&first.options.apps[0], &second.options.apps[0]);
        assert_eq!((&one.id, &one.key), (&two.id, &two.key));
        assert_eq!(one.secret.reveal(), two.secret.reveal());
        assert_eq!(second.options.console, Console::Development);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data.join(APP_FILE)).expect("the file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let left: Vec<_> = fs::read_dir(&data).expect("the folder").collect();
        assert_eq!(left.len(), 1, "no draft is left behind");
    }

    #[test]
    fn servers_that_start_at_once_end_with_one_app() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(APP_FILE);
        let apps = [1, 2].map(|_| NewApp::generate(None).expect("randomness"));
        for app in &apps {
            create(&path, app).expect("written or already there");
        }
        assert_eq!(read(&path).expect("an app").key, apps[0].key);
    }

    #[test]
    fn the_client_commands_find_the_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(folder.path());
        prepare(&mut config).expect("a new app");
        let found = |config: &Config| find(config).expect("readable").expect("an app").1;
        assert_eq!(found(&config), config.options.listen);
        let address = SocketAddr::from(([127, 0, 0, 1], 7001));
        note_address(&config, address).expect("written");
        assert_eq!(found(&config), address);
    }

    #[test]
    fn a_broken_file_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(APP_FILE), "[[apps]]\nid = \"1\"\n").expect("written");
        let error = prepare(&mut config(folder.path())).expect_err("broken").to_string();
        assert!(error.contains("dev-app.toml:1") && error.contains("delete it"), "{error}");
    }
}
