// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what a call says to [`Order`]s, one for each channel.

use oyez_core::{ChangeOf, Patch, Value};
use oyez_protocol::api::{
    Action, ApiError, Changed, ChannelCommand, ErrorCode, Forget, Trigger, TruthChange,
    TruthOperation,
};
use oyez_protocol::channel::ChannelName;

use super::caller::wanted;
use crate::door::{Order, What};

/// One order for each channel of a trigger, in their order.
pub(super) fn of(trigger: Trigger) -> Result<Vec<Order>, ApiError> {
    let Trigger { action, mut channels, exclude, info, condition, .. } = trigger;
    let (wanted, last) = (wanted(info), channels.pop());
    let order = |channel, action| -> Result<Order, ApiError> {
        let order = match action {
            Action::Event { name, data } => {
                Order { condition, ..Order::event(channel, name, data) }
            }
            Action::Command(ChannelCommand::Truth(truth)) => change(channel, truth)?,
            Action::Command(ChannelCommand::Forget(what)) => forget(channel, what),
            Action::Command(ChannelCommand::Changed(what)) => changed(channel, what),
        };
        Ok(Order { exclude, wanted, ..order })
    };
    let mut orders = Vec::with_capacity(channels.len() + 1);
    for channel in channels {
        orders.push(order(channel, action.clone())?);
    }
    if let Some(channel) = last {
        orders.push(order(channel, action)?);
    }
    Ok(orders)
}

/// A change of the channel's truth.
pub(super) fn change(channel: ChannelName, change: TruthChange) -> Result<Order, ApiError> {
    let TruthChange { operation, event, condition, ttl } = change;
    let what = match operation {
        TruthOperation::Set(text) => ChangeOf::Set(event, value(&text, "data")?),
        TruthOperation::Merge(text) => ChangeOf::Merge(event, value(&text, "merge")?),
        TruthOperation::Patch(text) => {
            let patch = Patch::parse(&text, usize::MAX).map_err(|error| {
                let text = format!("`patch` cannot be applied: {error}");
                ApiError::at(ErrorCode::PatchFailed, "patch", text)
            })?;
            ChangeOf::Patch(event, patch.into_owned())
        }
        TruthOperation::Delete => ChangeOf::Delete,
    };
    Ok(Order { condition, ..Order::new(channel, What::Change(what, ttl)) })
}

/// An event that is to be forgotten.
pub(super) fn forget(channel: ChannelName, Forget { event }: Forget) -> Order {
    Order::new(channel, What::Change(ChangeOf::Forget(event), None))
}

/// The source of the channel's truth has changed.
pub(super) fn changed(channel: ChannelName, Changed { min_version }: Changed) -> Order {
    Order::new(channel, What::Changed(min_version))
}

fn value(text: &str, field: &str) -> Result<Value<'static>, ApiError> {
    let value = Value::parse(text).map_err(|error| {
        ApiError::at(ErrorCode::NotJson, field, format!("`{field}` cannot be used: {error}"))
    })?;
    Ok(value.into_owned())
}
