// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez serve`: from settings to a running server, and gently back on a signal.

use std::net::SocketAddr;

use oyez::config::{self, Config, Environment, Mode, Sources};
use oyez::development;
use oyez_server::console::snippets::{Connection, Snippet, host_of};
use oyez_server::{Handle, Server};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, signal_name};

use crate::cli::ServeArgs;
use crate::commands::print;
use crate::failure::Failure;
use crate::log;

/// Serves until a signal has drained it.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    log::start()?;
    let mut config = config::load(&Sources {
        file: Sources::file_or_here(args.config.clone()),
        environment: Environment::of_process(),
        listen: args.listen.clone(),
        data: args.data.clone(),
    })?;
    for warning in &config.warnings {
        tracing::warn!(place = %warning.place, "{}", warning.text);
    }
    if config.mode == Mode::Development {
        development::prepare(&mut config).map_err(Failure::impossible)?;
    }
    let server = Server::bind(config.options.clone()).map_err(Failure::impossible)?;
    let address = server.address();
    drain_on_signal(server.handle())?;
    let version = env!("CARGO_PKG_VERSION");
    match &config.mode {
        Mode::Development => {
            development::note_address(&config, address).map_err(Failure::impossible)?;
            print::text(&welcome(&config, address))?;
            tracing::info!(%address, version, "Oyez is listening, in development mode");
        }
        Mode::File(file) => {
            let (config, apps) = (file.display(), config.options.apps.len());
            tracing::info!(%address, version, %config, apps, "Oyez is listening");
        }
    }
    server.run().map_err(Failure::impossible)?;
    tracing::info!("Oyez has stopped");
    Ok(())
}

/// The first signal drains, the second ends the process as if nobody had listened.
fn drain_on_signal(handle: Handle) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        let mut draining = false;
        for signal in signals.forever() {
            if draining {
                // It cannot fail for a signal that ends a process.
                let _ = emulate_default_handler(signal);
            }
            draining = true;
            let name = signal_name(signal).unwrap_or("a signal");
            tracing::info!("{name}: closing connections; another one stops at once");
            handle.drain();
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).stack_size(SIGNAL_STACK).spawn(wait)?;
    Ok(())
}

/// Bytes: the thread waits, logs a line and sets a flag.
const SIGNAL_STACK: usize = 128 * 1024;

/// What a person needs next, ready to paste: it holds the secret of an app that works on this
/// machine only. It goes to standard output and never to the log.
fn welcome(config: &Config, address: SocketAddr) -> String {
    let options = &config.options;
    let [app] = options.apps.as_slice() else { return String::new() };
    let folder = options.data_dir.as_deref().unwrap_or("".as_ref());
    let file = folder.join(development::APP_FILE).display().to_string();
    let connection = Connection {
        host: &host_of(address),
        port: address.port(),
        prefix: &options.path,
        id: &app.id,
        key: &app.key,
        secret: app.secret.reveal(),
    };
    let indented = |snippet: Snippet| {
        let lines: Vec<_> =
            snippet.text(&connection).lines().map(|line| format!("    {line}")).collect();
        lines.join("\n").replace("\n    \n", "\n\n")
    };
    format!(
        "\n  Oyez {} in development mode: for this machine only.\n\
         \n  Open      http://{}:{}/    to see channels and events, and to send some\n  \
         App       {} with key {}; kept in {file}\n\
         \n  In a page ({}):\n\n{}\n\
         \n  In a Node backend ({}):\n\n{}\n\
         \n  Or from another terminal:\n\n    oyez trigger my-channel my-event '{{\"message\": \"hello\"}}'\n\
         \n  Apps of your own and a public address: oyez new-app >> oyez.toml\n\n",
        env!("CARGO_PKG_VERSION"),
        connection.host,
        connection.port,
        app.id,
        app.key,
        Snippet::BROWSER.install,
        indented(Snippet::BROWSER),
        Snippet::NODE.install,
        indented(Snippet::NODE),
    )
}

#[cfg(test)]
mod tests {
    use oyez_server::options::AppOptions;

    use super::*;

    #[test]
    fn the_welcome_has_what_a_person_pastes() {
        let data = Some("some-folder".to_owned());
        let mut config = config::load(&Sources { data, ..Sources::default() }).expect("settings");
        config.options.apps = vec![AppOptions::new("12345", "the-key", "the-secret")];
        let text = welcome(&config, SocketAddr::from(([127, 0, 0, 1], 7001)));
        for part in [
            "http://127.0.0.1:7001/ ",
            "const key = \"the-key\"",
            "wsPort: 7001,",
            "secret: \"the-secret\"",
            "some-folder/dev-app.toml",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
