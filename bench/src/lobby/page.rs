// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Page`]: what somebody has open, and how it gets there as in a browser: the HTML, then the
//! WebSocket, then the channels, of which the private ones are authorised by the session; and what
//! it makes of what it hears. The library on it is like `oyez.js`
//! or like `pusher-js`.

use super::http::{Answered, Method, form_value};
use super::message::{Channel, Message};
use super::moment::Moment;
use super::people::{Asked, People};
use super::socket::{Outgoing, Socket};
use super::truth::{Library, Truths};
use super::view::View;
use super::wrong::Wrong;
use crate::trouble::Trouble;
use crate::wire;
use mio::Token;
use serde_json::{Map, Value};

/// Whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Closed,
    /// It will be.
    Opening,
    /// All its channels are there.
    Open,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Page {
    library: Library,
    stage: Stage,
    /// How often its player has opened one: answers for an earlier one are not for this.
    visit: u32,
    /// Place of its WebSocket.
    socket: Option<usize>,
    /// Channels that are not subscribed to yet.
    missing: usize,
    /// Place of what it shows, among all that was ever shown.
    pub(crate) view: Option<usize>,
    truths: Truths,
}

impl Page {
    /// None is open yet; when one is, that will be on it.
    pub(crate) fn with(library: Library) -> Self {
        Self {
            library,
            stage: Stage::Closed,
            visit: 0,
            socket: None,
            missing: 0,
            view: None,
            truths: Truths::new(library),
        }
    }

    /// Whether all of it is there.
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }
}

/// How the library of a page asks for a connection.
fn path(key: &str, library: Library) -> String {
    let client = library.client();
    format!("/app/{key}?protocol=7&client={client}&version=8.4.0&flash=false")
}

/// And for a channel, with what the app has answered to it, if that was asked.
fn subscribe(mut data: Map<String, Value>, channel: String, library: Library) -> String {
    data.insert("channel".to_owned(), channel.into());
    if let Some((name, value)) = library.says() {
        data.insert(name.to_owned(), serde_json::from_str(value).expect("it is JSON"));
    }
    serde_json::json!({ "event": "pusher:subscribe", "data": data }).to_string()
}

impl People {
    /// The player goes to the page of their game, or to the home page; what was open is gone.
    pub(crate) fn load(&mut self, player: u32) -> Result<(), Trouble> {
        self.close(player);
        let address = match self.players[player as usize].lobby {
            Some(lobby) => format!("/lobby/{}", self.rooms[lobby as usize].id),
            None => "/".to_owned(),
        };
        let Self { players, http, poll, .. } = self;
        let whose = &mut players[player as usize];
        whose.page.visit += 1;
        whose.page.stage = Stage::Opening;
        self.opening += 1;
        let asked = Asked::Page(player, whose.page.visit);
        http.ask(poll.registry(), (Method::Get, &address, &whose.cookie), asked)
    }

    /// The page goes away.
    pub(super) fn close(&mut self, player: u32) {
        let page = &mut self.players[player as usize].page;
        if page.stage == Stage::Opening {
            self.opening -= 1;
        }
        page.stage = Stage::Closed;
        if let Some(view) = page.view.take() {
            self.views[view].closed = Some(Moment::now());
        }
        if let Some((socket, _)) = page.socket.take().and_then(|at| self.sockets[at].take()) {
            socket.leave();
        }
    }

    /// Whether an answer is for the page that the player has now.
    fn is_current(&self, player: u32, visit: u32) -> bool {
        let page = &self.players[player as usize].page;
        page.visit == visit && page.stage == Stage::Opening
    }

    /// What the page of that player subscribes to.
    fn channels(&self, player: u32) -> &'static [Channel] {
        let player = &self.players[player as usize];
        match player.lobby {
            None => Channel::HOME,
            Some(lobby) if self.rooms[lobby as usize].has(player.seat) => Channel::PLAYER,
            Some(_) => Channel::STRANGER,
        }
    }

    /// The HTML is there: its scripts connect.
    pub(super) fn loaded(
        &mut self,
        player: u32,
        visit: u32,
        answered: &Answered,
    ) -> Result<(), Trouble> {
        answered.expect(200, "whoever loads a page")?;
        if !self.is_current(player, visit) {
            return Ok(());
        }
        let channels = self.channels(player);
        if channels == Channel::PLAYER
            && wire::find(&answered.body, br#"data-joined="true""#).is_none()
        {
            self.wrongs.add(Wrong::OldPage, || format!("player {player}"));
        }
        if self.path.is_empty() {
            let library = self.players[player as usize].page.library;
            self.path = path(app_key(&answered.body)?, library);
        }
        let index = self.sockets.len();
        let socket = Socket::connect(self.poll.registry(), self.server, Token(index))?;
        self.sockets.push(Some((socket, player)));
        let whose = &mut self.players[player as usize];
        whose.page.socket = Some(index);
        whose.page.missing = channels.len();
        whose.page.view = Some(self.views.len());
        whose.page.truths = Truths::new(whose.page.library);
        self.views.push(View::new(player, whose.lobby));
        Ok(())
    }

    /// The connection stands: the page subscribes, or asks whether it may.
    fn connected(
        &mut self,
        player: u32,
        socket_id: &str,
        out: &mut Outgoing,
    ) -> Result<(), Trouble> {
        let library = self.players[player as usize].page.library;
        for channel in self.channels(player) {
            let name = channel.name(self.game(player));
            if channel.is_public() {
                out.say(&subscribe(Map::new(), name, library));
                self.asks(player, *channel);
                continue;
            }
            let Self { players, http, poll, .. } = self;
            let whose = &players[player as usize];
            let form =
                format!("socket_id={}&channel_name={}", form_value(socket_id), form_value(&name));
            let asked = Asked::Authorises(player, whose.page.visit, *channel);
            let request = (Method::Fetch(&form), "/pusher/auth", whose.cookie.as_str());
            http.ask(poll.registry(), request, asked)?;
        }
        Ok(())
    }

    /// The page may subscribe, and does.
    pub(super) fn authorised(
        &mut self,
        (player, visit): (u32, u32),
        channel: Channel,
        answered: &Answered,
    ) -> Result<(), Trouble> {
        if !self.is_current(player, visit) {
            return Ok(());
        }
        answered.expect(200, "whoever subscribes")?;
        let refused = || Trouble::unexpected("whoever subscribes", &answered.body);
        let data = serde_json::from_slice(&answered.body).map_err(|_| refused())?;
        let page = &self.players[player as usize].page;
        let message = subscribe(data, channel.name(self.game(player)), page.library);
        let socket = page.socket;
        self.asks(player, channel);
        let socket = socket.and_then(|index| self.sockets[index].as_mut());
        socket.map_or(Ok(()), |(socket, _)| socket.say(&message))
    }

    /// It subscribes now.
    fn asks(&mut self, player: u32, channel: Channel) {
        let Some(view) = self.players[player as usize].page.view else { return };
        match channel {
            Channel::Lobby => self.views[view].asked_players = Some(Moment::now()),
            Channel::Chat => self.views[view].asked_messages = Some(Moment::now()),
            Channel::Games | Channel::Presence | Channel::Table => {}
        }
    }

    /// A message came over the WebSocket of that player's page.
    pub(super) fn heard(
        &mut self,
        player: u32,
        text: &[u8],
        now: Moment,
        out: &mut Outgoing,
    ) -> Result<(), Trouble> {
        let whose = &mut self.players[player as usize];
        let game = whose.lobby.map_or("", |lobby| &self.rooms[lobby as usize].id);
        let deltas = whose.page.truths.deltas;
        let message = Message::read(text, game, &mut whose.page.truths)?;
        self.deltas += whose.page.truths.deltas - deltas;
        let Some(view) = whose.page.view else { return Ok(()) };
        let view = &mut self.views[view];
        let shown = whose.lobby.map(|lobby| &mut self.shown[lobby as usize]);
        let counts = &mut self.deliveries;
        match (message, shown) {
            (Message::Established { socket_id }, _) => {
                return self.connected(player, &socket_id, out);
            }
            (Message::Subscribed(channel, members), _) => {
                if channel == Channel::Presence {
                    view.members = members;
                }
                whose.page.missing = whose.page.missing.saturating_sub(1);
                if whose.page.missing == 0 && whose.page.stage == Stage::Opening {
                    whose.page.stage = Stage::Open;
                    self.opening -= 1;
                    return whose.lobby.map_or(Ok(()), |lobby| self.go_on(lobby));
                }
            }
            (Message::Players(list), Some(shown)) => {
                counts.players += 1;
                view.players.push((now, shown.id_of(list)));
            }
            (Message::Messages(messages), Some(shown)) => {
                counts.messages += 1;
                view.show_messages(now, &messages, shown, &mut self.wrongs);
            }
            (Message::Games(games), _) => {
                counts.games += 1;
                view.games = Some(games);
            }
            (Message::Table(table), _) => {
                counts.tables += 1;
                view.table = Some(table);
            }
            (Message::Came(member), _) => {
                counts.members += 1;
                view.members.insert(member);
            }
            (Message::Went(member), _) => {
                counts.members += 1;
                view.members.remove(&member);
            }
            (Message::Ping, _) => out.say(r#"{"event":"pusher:pong","data":{}}"#),
            (Message::Other, _) => counts.others += 1,
            (Message::Players(_) | Message::Messages(_), None) => {
                return Err(Trouble::unexpected("a home page", text));
            }
        }
        Ok(())
    }
}

/// The app key, which stands in an attribute of every page.
fn app_key(html: &[u8]) -> Result<&str, Trouble> {
    const MARK: &[u8] = br#"data-pusher-key=""#;
    let key = || {
        let rest = &html[wire::find(html, MARK)? + MARK.len()..];
        let end = rest.iter().position(|byte| *byte == b'"')?;
        std::str::from_utf8(&rest[..end]).ok().filter(|key| !key.is_empty())
    };
    key().ok_or_else(|| Trouble::unexpected("whoever looks for the app key", html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_key_is_read_from_the_page() {
        let html = br#"<body data-user-id="7" data-pusher-key="k3y" data-room-id="">"#;
        assert_eq!(app_key(html).unwrap(), "k3y");
        assert!(app_key(br#"<body data-pusher-key="">"#).is_err());
        assert!(app_key(b"<body>").is_err());
    }
}
