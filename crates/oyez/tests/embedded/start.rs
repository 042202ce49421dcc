// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is told before it starts, and what it says when that cannot be.

use std::fs;

use oyez::{App, Channel, Server, StartError, TruthRule};

use super::page::Page;
use super::{ANYWHERE, server, start, wait};

#[test]
fn without_an_app_it_makes_one_for_this_machine_and_keeps_it_in_the_folder() {
    let oyez = start(Server::builder().listen(ANYWHERE));
    Page::open(oyez.address(), oyez.key()).ping();
    let folder = tempfile::tempdir().expect("a folder");
    let of_folder = || start(Server::builder().listen(ANYWHERE).data_dir(folder.path()));
    let first = of_folder();
    let (key, secret) = (first.key().to_owned(), first.secret().to_owned());
    wait(first.drain()).expect("it ended well");
    let second = of_folder();
    assert_eq!((second.key(), second.secret()), (&*key, &*secret));
    let public = Server::builder().listen(([0, 0, 0, 0], 0)).start().expect_err("refused");
    assert!(matches!(public, StartError::Public(_)), "{public}");
}

#[test]
fn an_option_of_the_first_app_is_set_also_where_the_app_is_made() {
    let made = || Server::builder().listen(ANYWHERE);
    for builder in [made(), made().app(App::new("1", "key", "a-secret-for-tests"))] {
        let oyez = start(builder.configure_app(|app| app.key = "chosen".to_owned()));
        Page::open(oyez.address(), "chosen").subscribe("LOBBY_7");
    }
}

#[test]
fn a_config_file_is_where_it_begins_and_the_program_has_the_last_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("oyez.toml");
    let text = format!(
        "listen = \"127.0.0.1:1\"\ndata_dir = {:?}\nworkers = 1\n[[apps]]\nid = \"7\"\nkey = \
         \"key-7\"\nsecret = \"a-secret-of-a-file\"\n[[apps.channels]]\nmatch = \"GAME_*\"\nreplay \
         = \"latest\"\n",
        folder.path().join("data")
    );
    fs::write(&file, text).expect("written");
    let builder = Server::builder().truth("GAME_1", |_| async { Some("of the program") });
    let oyez = start(builder.listen(ANYWHERE).config_file(&file));
    assert_eq!(oyez.id(), "7");
    let mut page = Page::open(oyez.address(), "key-7");
    page.subscribe("GAME_1");
    assert_eq!(page.hear("truth"), "of the program");
    wait(oyez.trigger("GAME_2", "E", &1)).expect("sent");
    page.subscribe("GAME_2");
    assert_eq!(page.hear("E"), 1);

    fs::write(&file, "listn = 1\n").expect("written");
    let wrong = Server::builder().config_file(&file).start().expect_err("refused");
    assert!(wrong.to_string().contains("listn"), "{wrong}");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (builder, part) in [
        (server().truth("two words", |_| async { Some(1) }), "\"two words\""),
        (server().truth_with("a", "", |_| async { Some(1) }), "needs a name"),
        (server().truth_with("a", TruthRule::event("oyez:x"), |_| async { Some(1) }), "oyez:"),
        (server().channel(Channel::matching("")), "no channel"),
        (server().limit("chanels", 1), "chanels"),
        (server().limit("message_bytes", 1), "message_bytes"),
        (server().app(oyez::App::new("1", "other", "secret")), "two apps"),
    ] {
        let refused = builder.start().expect_err(part).to_string();
        assert!(refused.contains(part), "{refused}");
    }
    let first = start(server());
    let taken = server().listen(first.address()).start().expect_err("the port is taken");
    assert!(taken.to_string().contains("something else already does"), "{taken}");
}

#[test]
fn inside_of_a_runtime_closures_run_on_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("the-program")
        .build()
        .expect("a runtime");
    let guard = runtime.enter();
    let oyez = start(
        server().truth("GAME_*", |_| async { std::thread::current().name().map(str::to_owned) }),
    );
    drop(guard);
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("GAME_7");
    assert_eq!(page.hear("truth"), "the-program");
}
