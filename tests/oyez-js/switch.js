// SPDX-License-Identifier: MIT OR Apache-2.0
// Switches the library: test files that are imported after this one run with our own client.
import { register } from 'node:module';

register('./hooks.js', import.meta.url);
