// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez forget`.

use oyez_protocol::channel::ChannelName;
use serde_json::json;

use super::print;
use super::trigger::NAME;
use crate::cli::ForgetArgs;
use crate::client::api::{Api, channel_path};
use crate::client::target::Target;
use crate::failure::Failure;

/// Removes a remembered event.
pub(crate) fn run(args: &ForgetArgs) -> Result<(), Failure> {
    let channel = ChannelName::parse(&args.channel, NAME).map_err(Failure::misasked)?;
    let target = Target::find(&args.client)?;
    let body = json!({"event": args.event});
    Api::new(&target).post(&channel_path(&channel, "forget"), &body)?;
    print::note(&format!("{channel} does not remember {} any more", print::one_line(&args.event)));
    Ok(())
}
