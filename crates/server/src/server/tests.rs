// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker that fails takes the server with it.

use std::sync::mpsc;
use std::time::Duration;

use oyez_core::{AppIndex, Command, Listener, Place, Room};
use oyez_protocol::channel::ChannelName;

use super::*;
use crate::options::AppOptions;
use crate::worker::mail::Letter;

const BROKEN: WorkerId = WorkerId(1);

/// How long a server that must end may take.
const DEADLINE: Duration = Duration::from_secs(20);

fn ended_with(work: Work) -> RunError {
    let options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        workers: 3,
        drain: Duration::from_secs(1),
        apps: vec![AppOptions::new("1", "key", "secret")],
        ..Options::default()
    };
    let server = Server::bind(options).expect("a free port");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(server.run_with(work)));
    let ended = told.recv_timeout(DEADLINE).expect("the other workers end too");
    ended.expect_err("the server lost a share of its channels")
}

#[test]
fn a_worker_that_panics_ends_the_server_with_an_error() {
    let error = ended_with(|shared, mail, listener, home| {
        if mail.me() == BROKEN {
            // Nobody can ask for an app that is not there, and no guard covers mail.
            let channel = ChannelName::parse("room", 164).expect("a valid name");
            let key = shared.keys.key(AppIndex(99), channel);
            let place = Place { worker: BROKEN, slot: 0, serial: 1 };
            let command = Command::Subscribe {
                key,
                place,
                member: None,
                listener: Listener::default(),
                room: Room::Left,
            };
            mail.post().send(BROKEN, Letter::Command(command)).expect("it lives");
        }
        work(shared, mail, listener, home)
    });
    assert!(matches!(error, RunError::Panic(worker) if worker == usize::from(BROKEN.0)), "{error}");
}

#[test]
fn a_worker_that_the_system_refuses_something_ends_the_server_with_an_error() {
    let error = ended_with(|shared, mail, listener, home| match mail.me() {
        BROKEN => Err(io::Error::other("no more files")),
        _ => work(shared, mail, listener, home),
    });
    assert_eq!(error.to_string(), "worker 1 stopped: no more files");
}
