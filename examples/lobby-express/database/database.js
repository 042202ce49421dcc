// SPDX-License-Identifier: MIT OR Apache-2.0
// The SQLite file, by node-sqlite3-wasm: SQLite itself as WebAssembly, which npm installs without
// compiling or downloading anything more.
//
// Its calls are synchronous, and this process alone has the file. So a function that reads and then
// writes is never interrupted by another request, and a `transaction` is all or nothing also when
// the process is killed in it.
//
// Its limits, which suit an app of this size: one process; a query holds up all others, and each
// write waits for the disk. The library locks a file by a folder beside it (`….lock`), which stays
// when the process is killed; SQLite then takes the file for locked, for ever. We know better by
// then (owner.js) and remove it. A text ends at its first NUL: callers let none in.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Database } = require('node-sqlite3-wasm');
const { own } = require('./owner');

const MIGRATIONS = path.join(__dirname, 'migrations');

let database;

/** Opens the file, makes it if need be, and brings its tables up to date. */
async function open(file) {
  await own(file);
  fs.rmSync(`${file}.lock`, { recursive: true, force: true });
  database = new Database(file);
  // WAL without a lock to share costs one sync for each commit; FULL makes it survive a power cut.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  migrate();
}

function migrate() {
  const { user_version: done } = get('PRAGMA user_version');
  const files = fs.readdirSync(MIGRATIONS).sort();
  for (const [index, name] of files.entries()) {
    if (index < done) continue;
    transaction(() => {
      database.exec(fs.readFileSync(path.join(MIGRATIONS, name), 'utf8'));
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

function close() {
  if (database?.isOpen) database.close();
}

/** Does one statement. Answers `{changes, lastInsertRowid}`. */
function run(sql, values = []) {
  return database.run(sql, values);
}

/** The first row, or null. */
function get(sql, values = []) {
  return database.get(sql, values);
}

/** All rows. */
function all(sql, values = []) {
  return database.all(sql, values);
}

/** What `work` writes happens as a whole, or, if it throws, not at all. It must not be async. */
function transaction(work) {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

module.exports = { open, close, run, get, all, transaction };
