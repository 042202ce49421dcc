// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program of `examples/embedded.rs`, as it stands there.

#[allow(dead_code)]
#[path = "../../examples/embedded.rs"]
mod example;

use serde_json::{Value, json};

use super::ANYWHERE;
use super::page::Page;
use super::web::Web;

#[test]
fn the_example_shows_every_page_who_plays() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let guard = runtime.enter();
    let oyez = example::start(ANYWHERE).expect("it starts");
    drop(guard);
    let mut web = Web::open(oyez.address());
    assert!(web.get("/").text().contains(oyez.key()));
    let open = |web: &mut Web| {
        let mut page = Page::open(oyez.address(), oyez.key());
        let form = format!("socket_id={}&channel_name=private-GAME_7", page.socket_id);
        let head = format!(
            "POST /pusher/auth HTTP/1.1\r\nhost: h\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            form.len()
        );
        web.send(&head, form.as_bytes());
        let mut auth: Value = serde_json::from_slice(&web.answer().body).expect("JSON");
        auth["channel"] = json!("private-GAME_7");
        page.say("pusher:subscribe", auth);
        page.hear("pusher_internal:subscription_succeeded");
        page
    };
    let mut first = open(&mut web);
    assert_eq!(first.hear("GAME_STATE"), json!([]));
    let head = "POST /join HTTP/1.1\r\nhost: h\r\ncontent-type: \
                application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\n";
    web.send(head, b"name=anna");
    assert_eq!(web.answer().status, 204);
    assert_eq!(first.hear("GAME_STATE"), json!(["anna"]));
    assert_eq!(open(&mut web).hear("GAME_STATE"), json!(["anna"]));
    drop(oyez.drain());
}
