// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client asks for, and whether it may have it (protocol section 3).
//!
//! Everything is checked here, at the door; what reaches a channel's home is valid and authorised.

use oyez_core::{ChannelKey, Command, Listener, Place};
use oyez_protocol::channel::{Access, ChannelName};
use oyez_protocol::close::CloseCode;
use oyez_protocol::message::{
    ClientMessage, FailedSubscription, MessageError, Subscribe, resume_in_channel_data,
};
use oyez_protocol::user::Member;

use super::Worker;
use super::follow::Marking;
use super::relocate::{Admitted, Wish};
use crate::shared::Shared;
use crate::socket::connection::Connection;
use crate::socket::subscriptions::{LocalId, State, Subscription, View};

/// Why a subscription was refused, as `pusher:subscription_error` tells it.
struct Refusal {
    kind: &'static str,
    status: u16,
    error: String,
}

impl Refusal {
    fn unauthorized(error: impl ToString) -> Refusal {
        Refusal { kind: "AuthError", status: 401, error: error.to_string() }
    }

    fn invalid(error: impl ToString) -> Refusal {
        Refusal { kind: "InvalidData", status: 400, error: error.to_string() }
    }

    fn limit(error: String) -> Refusal {
        Refusal { kind: "LimitReached", status: 403, error }
    }

    fn of(self, channel: &ChannelName) -> MessageError {
        let Refusal { kind, status, error } = self;
        let channel = channel.clone();
        let subscription = Some(FailedSubscription { channel, kind, status });
        MessageError { subscription, ..MessageError::new(error) }
    }
}

impl Worker {
    pub(super) fn on_message(&mut self, slot: u32, message: ClientMessage<'_>) {
        match message {
            ClientMessage::Ping => {
                self.say(slot, self.frames.pong.bytes().clone());
                self.mark(slot, Marking::WithPing);
            }
            ClientMessage::Pong => {}
            ClientMessage::Subscribe(subscribe) => self.subscribe(slot, &subscribe),
            ClientMessage::Unsubscribe(channel) => self.unsubscribe(slot, channel),
            ClientMessage::Resync { channel, have: _ } => self.resync(slot, channel),
            ClientMessage::SignIn { auth, user_data } => self.sign_in(slot, &auth, &user_data),
            ClientMessage::ClientEvent { channel, event, data } => {
                if let Err(error) = self.client_event(slot, channel, &event, &data) {
                    self.complain(slot, error);
                }
            }
        }
    }

    fn subscribe(&mut self, slot: u32, subscribe: &Subscribe<'_>) {
        let shared = self.shared.clone();
        let Some(connection) = self.seats.connection(slot) else { return };
        let app = shared.apps.get(connection.app);
        let key = shared.keys.key(app.index, subscribe.channel.clone());
        let local = self.channels.find(&key);
        let held = local.and_then(|id| connection.subscriptions.get_mut(id));
        let state = held.map(|subscription| subscription.state);
        if state.is_some_and(|state| state != State::Leaving) {
            let channel = &subscribe.channel;
            let error = format!("this connection is already subscribed to {channel}");
            return self.complain(slot, MessageError::new(error));
        }
        match authorize(&shared, connection, subscribe) {
            Err(refusal) => self.complain(slot, refusal.of(&subscribe.channel)),
            Ok(wish) => match local.filter(|_| state == Some(State::Leaving)) {
                Some(local) => self.will_return(slot, local, wish),
                None => self.subscribe_to(slot, Admitted { key, wish }),
            },
        }
    }

    fn unsubscribe(&mut self, slot: u32, channel: ChannelName) {
        let Some(connection) = self.seats.connection(slot) else { return };
        let key = self.shared.keys.key(connection.app, channel);
        let Some(local) = self.channels.find(&key) else { return };
        let Some(subscription) = connection.subscriptions.get_mut(local) else { return };
        match subscription.state {
            // Its home has not answered: leave as soon as it has.
            State::Pending => {
                subscription.state = State::Leaving;
                if self.give_up_admission(slot, local) {
                    if let Some(connection) = self.seats.connection(slot) {
                        connection.subscriptions.remove(local);
                    }
                    self.channels.release(local);
                }
            }
            State::Leaving => {}
            State::Returning => {
                subscription.state = State::Leaving;
                self.returns.remove(&(slot, local));
            }
            State::Live(_) => {
                let serial = connection.serial;
                if let Some(subscription) = connection.subscriptions.remove(local) {
                    let place = self.seats.place(slot, serial);
                    self.left(local, place, subscription);
                }
            }
        }
    }

    /// The client left and came back before its home had answered to its first coming.
    fn will_return(&mut self, slot: u32, local: LocalId, wish: Wish) {
        let Some(connection) = self.seats.connection(slot) else { return };
        if let Some(subscription) = connection.subscriptions.get_mut(local) {
            subscription.state = State::Returning;
            self.returns.insert((slot, local), wish);
        }
    }

    /// Its home has answered: whoever left and came back comes now.
    pub(super) fn comes_back(&mut self, place: Place, local: LocalId) {
        let Some(wish) = self.returns.remove(&(place.slot, local)) else { return };
        let Some(connection) = self.seats.at(place) else { return };
        if let Some(subscription) = connection.subscriptions.get_mut(local) {
            subscription.state = State::Pending;
            subscription.view = View::of(wish.listener.aware.as_deref());
            if subscription.view.counts() {
                self.counts(place.slot);
            }
            let key = self.channels.key(local).clone();
            self.admission_repeated(&key, place);
            self.ask_to_subscribe(key, place, wish);
        }
    }

    fn client_event(
        &mut self,
        slot: u32,
        channel: ChannelName,
        event: &str,
        data: &str,
    ) -> Result<(), MessageError> {
        let uptime = self.shared.uptime();
        let Some(connection) = self.seats.connection(slot) else { return Ok(()) };
        let app = self.shared.apps.get(connection.app);
        if !app.options.switches.client_events {
            return Err(MessageError::new(
                "client events are off for this app: set client_events = true in its [[apps]] block",
            ));
        }
        let kind = channel.kind();
        if kind.encrypted || !matches!(kind.access, Access::Private | Access::Presence) {
            return Err(MessageError::new(format!(
                "client events go to private and presence channels only, not to {channel}"
            )));
        }
        let key = self.shared.keys.key(connection.app, channel);
        let held = self.channels.find(&key).and_then(|id| connection.subscriptions.get_mut(id));
        let Some(Subscription { state: State::Live(_), user, .. }) = held else {
            return Err(MessageError::new(format!(
                "a client event needs a subscription: subscribe to {} first",
                key.name()
            )));
        };
        let user = user.clone();
        if connection.client_events.take(self.allowances.client_events, uptime).is_err() {
            let limit = self.limits().client_events_per_second;
            return Err(MessageError::with_code(
                CloseCode::ClientEventRate,
                format!(
                    "the client event was dropped: at most {limit} per second are allowed \
                     (limits.client_events_per_second)"
                ),
            ));
        }
        let from = connection.socket_id;
        let (event, data) = (event.to_owned(), data.to_owned());
        self.ask(Command::ClientEvent { key, event, data, from, user });
        Ok(())
    }

    /// Tells the rest of the server that a live subscription, which its connection no longer
    /// holds, has ended.
    pub(super) fn left(&mut self, local: LocalId, place: Place, subscription: Subscription) {
        let State::Live(at) = subscription.state else { return };
        if let Some(other) = self.channels.leave(local, at)
            && let Some(connection) = self.seats.connection(other)
        {
            connection.subscriptions.moved(local, at);
        }
        self.behind.remove(&(place.slot, local));
        self.counts.remove(&(place.slot, local));
        self.stats().subscriptions.sub(1);
        let key: ChannelKey = self.channels.key(local).clone();
        self.channels.release(local);
        self.ask(Command::Unsubscribe { key, place, user: subscription.user });
    }
}

/// Whether the connection may subscribe; as whom, on a presence channel, and from where on.
fn authorize(
    shared: &Shared,
    connection: &Connection,
    subscribe: &Subscribe<'_>,
) -> Result<Wish, Refusal> {
    let member = admit(shared, connection, subscribe)?;
    let mut resume = subscribe.resume;
    if subscribe.channel.kind().access == Access::Private
        && let (None, Some(signed)) = (&resume, &subscribe.channel_data)
    {
        // A page may be rendered as of a position, which its backend signs with the rest.
        resume = resume_in_channel_data(signed).map_err(Refusal::invalid)?;
    }
    let aware = subscribe.aware.map(Box::new);
    Ok(Wish { member, listener: Listener { aware, resume: resume.map(Box::new) } })
}

/// Whether the connection may subscribe; as whom, on a presence channel.
fn admit(
    shared: &Shared,
    connection: &Connection,
    subscribe: &Subscribe<'_>,
) -> Result<Option<Member>, Refusal> {
    let limits = &shared.options.limits;
    let app = shared.apps.get(connection.app);
    if connection.subscriptions.len() >= limits.subscriptions {
        let limit = limits.subscriptions;
        return Err(Refusal::limit(format!(
            "a connection may have at most {limit} subscriptions (limits.subscriptions)"
        )));
    }
    let access = subscribe.channel.kind().access;
    let check = || {
        app.credentials()
            .check_subscription(
                subscribe.auth.as_deref(),
                &connection.socket_id.to_string(),
                subscribe.channel.as_str(),
                subscribe.channel_data.as_deref(),
            )
            .map_err(Refusal::unauthorized)
    };
    match access {
        Access::Public => Ok(None),
        Access::Private => check().map(|()| None),
        Access::User => {
            let wanted = subscribe.channel.user();
            if connection.user().map(|user| user.as_str()) == wanted {
                return Ok(None);
            }
            Err(Refusal::unauthorized(
                "only the signed-in user itself may subscribe to this channel",
            ))
        }
        Access::Presence => {
            check()?;
            match (&subscribe.channel_data, &connection.identity) {
                (Some(data), _) => Member::parse(data, limits).map(Some).map_err(Refusal::invalid),
                (None, Some(identity)) => Ok(Some(identity.member.clone())),
                (None, None) => Err(Refusal::invalid(
                    "a presence channel needs `channel_data` with a user_id, or a sign-in before",
                )),
            }
        }
    }
}
