// SPDX-License-Identifier: MIT OR Apache-2.0
// The classic script: defines the globals `Pusher` and `Oyez`, which are the same class.
import { Pusher } from './pusher.js';

Object.assign(globalThis, { Pusher, Oyez: Pusher });
