// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`App`]: an `[[apps]]` block, said by a program.

use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use oyez_server::options::{AppOptions, WebhookOptions};

use super::builder::StartError;
use super::channel::Channel;
use super::runtime::Runtimes;
use super::webhook::{IntoTaken, Webhook};

/// An app: its credentials, its channels, its webhooks. `[[apps]]` of the config.
#[derive(Clone, Debug)]
pub struct App {
    options: AppOptions,
    channels: Vec<Channel>,
    webhooks: Vec<Webhook>,
}

impl App {
    /// An app with every default. Pages know the key; the secret signs.
    pub fn new(id: &str, key: &str, secret: &str) -> App {
        let options = AppOptions::new(id, key, secret);
        App { options, channels: Vec::new(), webhooks: Vec::new() }
    }

    /// Adds a rule for channels, behind those added before: the first that matches decides.
    pub fn channel(mut self, channel: Channel) -> App {
        self.channels.push(channel);
        self
    }

    /// Sends those webhook events to that URL.
    pub fn webhook(mut self, url: &str, events: impl Into<Vec<WebhookKind>>) -> App {
        self.options.webhooks.push(WebhookOptions::url(url, events));
        self
    }

    /// Tells that closure those webhook events. See
    /// [`Builder::webhook_with`](super::Builder::webhook_with).
    pub fn webhook_with<F, Answer>(mut self, events: impl Into<Vec<WebhookKind>>, hear: F) -> App
    where
        F: Fn(WebhookEvent) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTaken> + Send + 'static,
    {
        self.webhooks.push(Webhook::new(events.into(), hear));
        self
    }

    /// Any other option of the config, by its name there.
    pub fn configure(mut self, set: impl FnOnce(&mut AppOptions)) -> App {
        set(&mut self.options);
        self
    }

    pub(super) fn into_options(self, runtimes: &mut Runtimes) -> Result<AppOptions, StartError> {
        let App { mut options, channels, webhooks } = self;
        for channel in channels {
            options.channels.push(channel.into_options(runtimes)?);
        }
        for webhook in webhooks {
            options.webhooks.push(webhook.into_options(runtimes)?);
        }
        Ok(options)
    }
}
