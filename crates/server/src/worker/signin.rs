// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signing in, and hearing who of one's watchlist comes and goes (protocol section 5).

use oyez_core::{AppIndex, ChannelKey, Command, Place, UserPresence};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::message::MessageError;
use oyez_protocol::user::{User, UserId};

use super::Worker;
use crate::socket::connection::{Identity, WatchReport};

impl Worker {
    pub(super) fn sign_in(&mut self, slot: u32, auth: &str, user_data: &str) {
        match self.check_sign_in(slot, auth, user_data) {
            Err(message) => {
                self.complain(slot, MessageError::with_code(CloseCode::Unauthorized, message));
            }
            Ok(user) => {
                let success = Frame::signin_success(user_data);
                self.say(slot, success.bytes().clone());
                if let Some(user) = user {
                    self.signed_in(slot, user);
                }
            }
        }
    }

    /// The user that the connection becomes; `None` when it is that user already.
    fn check_sign_in(
        &mut self,
        slot: u32,
        auth: &str,
        user_data: &str,
    ) -> Result<Option<User>, String> {
        let shared = self.shared.clone();
        let Some(connection) = self.seats.connection(slot) else { return Ok(None) };
        let app = shared.apps.get(connection.app);
        app.credentials()
            .check_signin(auth, &connection.socket_id.to_string(), user_data)
            .map_err(|error| error.to_string())?;
        let user =
            User::parse(user_data, &shared.options.limits).map_err(|error| error.to_string())?;
        match connection.user() {
            None => Ok(Some(user)),
            Some(id) if *id == user.member.user_id => Ok(None),
            Some(_) => Err("this connection is signed in as another user: open a new one".into()),
        }
    }

    fn signed_in(&mut self, slot: u32, user: User) {
        let shared = self.shared.clone();
        let Some(connection) = self.seats.connection(slot) else { return };
        let app = shared.apps.get(connection.app);
        let User { member, mut watchlist, watchlist_asked } = user;
        if !app.options.switches.watchlist {
            watchlist.clear();
        }
        watchlist.sort_unstable();
        watchlist.dedup();
        let report = WatchReport { missing: watchlist.len(), ..WatchReport::default() };
        let me = self.user_key(app.index, &member.user_id);
        let watched: Vec<_> = watchlist.iter().map(|id| self.user_key(app.index, id)).collect();
        let identity = Identity { member, watching: watchlist, report: Some(report) };
        let Some(connection) = self.seats.connection(slot) else { return };
        connection.identity = Some(Box::new(identity));
        let place = Place { worker: self.mail.me(), slot, serial: connection.serial };
        let limit = shared.options.limits.watchlist;
        if app.options.switches.watchlist && watchlist_asked > limit {
            let message = format!(
                "the watchlist has {watchlist_asked} ids, the first {limit} count (limits.watchlist)"
            );
            self.complain(slot, MessageError::with_code(CloseCode::ListTooLong, message));
        }
        self.ask(Command::SignIn { key: me, place });
        for key in watched {
            self.ask(Command::Watch { key, place });
        }
    }

    /// A home's word about a user on a connection's watchlist.
    pub(super) fn presence(&mut self, place: Place, user: UserId, presence: UserPresence) {
        let Some(connection) = self.seats.at(place) else { return };
        let Some(identity) = &mut connection.identity else { return };
        let Some(report) = &mut identity.report else {
            let one = [user];
            let (online, offline): (&[_], &[_]) = match presence {
                UserPresence::Online => (&one, &[]),
                UserPresence::Offline => (&[], &one),
            };
            if let Some(frame) = Frame::watchlist_events(online, offline) {
                self.say(place.slot, frame.bytes().clone());
            }
            return;
        };
        // A change may come while other homes are still to answer: the report tells the newest.
        if !report.correct(&user) {
            report.missing -= 1;
        }
        match presence {
            UserPresence::Online => report.online.push(user),
            UserPresence::Offline => report.offline.push(user),
        }
        if report.missing == 0
            && let Some(report) = identity.report.take()
            && let Some(frame) = Frame::watchlist_events(&report.online, &report.offline)
        {
            self.say(place.slot, frame.bytes().clone());
        }
    }

    /// Tells the homes concerned that a signed-in connection is no more.
    pub(super) fn sign_out(&mut self, app: AppIndex, place: Place, identity: &Identity) {
        let key = self.user_key(app, &identity.member.user_id);
        self.ask(Command::SignOut { key, place });
        for id in &identity.watching {
            let key = self.user_key(app, id);
            self.ask(Command::Unwatch { key, place });
        }
    }

    fn user_key(&self, app: AppIndex, id: &UserId) -> ChannelKey {
        self.shared.keys.key(app, ChannelName::of_user(id.as_str()))
    }
}

impl WatchReport {
    /// Forgets what was said of a user before; answers whether anything was.
    fn correct(&mut self, user: &UserId) -> bool {
        let before = self.online.len() + self.offline.len();
        self.online.retain(|id| id != user);
        self.offline.retain(|id| id != user);
        self.online.len() + self.offline.len() < before
    }
}
