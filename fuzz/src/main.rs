// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzer: libFuzzer's main function with the target that `OYEZ_FUZZ_TARGET` names.
//! `fuzz/run` builds and starts it.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use oyez_fuzz::Target;

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("OYEZ_FUZZ_TARGET").unwrap_or_default();
        let target = Target::find(&name).unwrap_or_else(|| {
            let names: Vec<_> = Target::ALL.iter().map(|target| target.name).collect();
            panic!("OYEZ_FUZZ_TARGET must be one of {names:?}, not {name:?}")
        });
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| (TARGET.get().expect("set before the first input").run)(data)
);
