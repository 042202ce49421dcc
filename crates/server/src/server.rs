// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Server`]: from options to running workers, and back to nothing.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

#[cfg(feature = "faults")]
use oyez_core::Timestamp;
use oyez_core::{Home, KeySpace, Recovered, WorkerId};
use oyez_journal::{Committer, Journal, OpenError, Redb};
#[cfg(feature = "faults")]
use oyez_protocol::position::Term;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::LocalOptions;

use crate::apps::{Apps, AppsError};
use crate::options::Options;
use crate::resolver::{Sources, SourcesError};
use crate::shared::{Equipment, Shared};
use crate::startup::{Clock, commit, homes, resolve, rule_books, rules, sources};
use crate::webhooks::{Webhooks, WebhooksError};
use crate::worker::Worker;
use crate::worker::mail::{Mailbox, mailboxes};

/// Connections that the kernel may hold for a worker that is busy.
const LISTEN_BACKLOG: i32 = 4096;

/// A server whose port is open, and which is not running yet.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    listeners: Vec<TcpListener>,
    mailboxes: Vec<Mailbox>,
    homes: Vec<Home>,
    committer: Option<Committer>,
}

/// Stops a server from any thread.
#[derive(Clone, Debug)]
pub struct Handle(pub(crate) Arc<Shared>);

/// A journal, and what survived in it; or why it cannot be opened.
type Opened = Result<(Box<dyn Journal>, Recovered), OpenError>;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken.
    #[error(
        "cannot listen on {0}: something else already does. Stop it, or choose another address \
         with --listen or `listen` in the config"
    )]
    InUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// `listen` of the config.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The apps of the config do not go together.
    #[error(transparent)]
    Apps(#[from] AppsError),
    /// Webhooks cannot be kept.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// What survived cannot be read.
    #[error(transparent)]
    Journal(#[from] oyez_journal::OpenError),
    /// Truths cannot be asked for.
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The data folder cannot be made.
    #[error("cannot make the data folder {path}: {error}")]
    DataDir {
        /// `data_dir` of the config.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Why a server stopped without being asked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system refused what a worker needs.
    #[error("worker {worker} stopped: {error}")]
    Worker {
        /// Which.
        worker: usize,
        /// What the system says.
        error: io::Error,
    },
    /// The journal failed.
    #[error(
        "the journal failed: {0}. What was acknowledged before is safe. Make room on the disk, or \
         replace it, and start again"
    )]
    Journal(Arc<str>),
    /// A bug took a worker down.
    #[error("worker {0} panicked: please report this")]
    Panic(usize),
}

impl Server {
    /// Opens the port.
    ///
    /// # Errors
    /// Everything that would keep the server from serving, each with what to do about it.
    pub fn bind(options: Options) -> Result<Server, StartError> {
        Server::bind_over(options, |dir, ids, clock| {
            let (journal, recovered) = Redb::open(dir, ids, clock.time, clock.term)?;
            Ok((Box::new(journal), recovered))
        })
    }

    /// The same with another journal than the one in the data folder, which must be given for
    /// what else is kept there. `open` is told the ids of the apps, the time, and the term that
    /// this start begins. For tests only.
    ///
    /// # Errors
    /// As [`Server::bind`].
    #[cfg(feature = "faults")]
    pub fn bind_with(
        options: Options,
        open: impl FnOnce(&[&str], Timestamp, Term) -> Opened,
    ) -> Result<Server, StartError> {
        Server::bind_over(options, |_, ids, clock| open(ids, clock.time, clock.term))
    }

    fn bind_over(
        options: Options,
        open: impl FnOnce(&Path, &[&str], &Clock) -> Opened,
    ) -> Result<Server, StartError> {
        let workers = match options.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let rules = rules(&options, workers);
        let apps = Apps::new(options.apps.clone())?.remembering(rule_books(&rules));
        let apps = Arc::new(apps);
        let listeners = listen(options.listen, workers)?;
        let address = listeners[0]
            .local_addr()
            .map_err(|error| StartError::Listen { address: options.listen, error })?;
        if let Some(path) = &options.data_dir {
            std::fs::create_dir_all(path)
                .map_err(|error| StartError::DataDir { path: path.clone(), error })?;
        }
        let boxes = mailboxes(workers, &Arc::default());
        let post = boxes[0].post().clone();
        let (keys, clock) = (KeySpace::new(rand::random()), Clock::now());
        let sources = Sources::new(&apps, sources(&options))?;
        let stats = sources.stats();
        let (committer, recovered) = match &options.data_dir {
            None => (None, Recovered { terms: vec![clock.term], ..Recovered::default() }),
            Some(path) => {
                let ids: Vec<_> = apps.iter().map(|app| app.options.id.as_str()).collect();
                let (journal, recovered) = open(path, &ids, &clock)?;
                let committer = commit(journal, &post).map_err(StartError::Thread)?;
                (Some(committer), recovered)
            }
        };
        let webhooks = Webhooks::start(&apps, &options.limits, options.data_dir.as_deref())?;
        let resolver = resolve(sources, &options, &post).map_err(StartError::Thread)?;
        let (homes, opened) = homes(&rules, workers, recovered, &keys, &clock);
        let equipment = Equipment {
            webhooks,
            resolver,
            sources: stats,
            journal: committer.as_ref().map(Committer::appender),
            post,
            keys,
            start: clock.start,
        };
        let shared = Arc::new(Shared::new(options, apps, equipment, workers));
        for app in opened {
            shared.channels(app).fetch_add(1, Ordering::Relaxed);
        }
        Ok(Server { shared, address, listeners, mailboxes: boxes, homes, committer })
    }

    /// Where it listens, with the port that it got if the options asked for any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Serves until [`Handle::drain`], then until everybody has gone or `drain_seconds` are over.
    ///
    /// # Errors
    /// When a worker fails, which nothing but the system or a bug can cause.
    pub fn run(self) -> Result<(), RunError> {
        self.run_with(work)
    }

    /// The same, with what each worker's thread does.
    fn run_with(self, work: Work) -> Result<(), RunError> {
        let Server { shared, listeners, mailboxes, homes, committer, .. } = self;
        let threads: Vec<_> = listeners
            .into_iter()
            .zip(mailboxes)
            .zip(homes)
            .map(|((listener, mail), home)| {
                let shared = Arc::clone(&shared);
                let WorkerId(at) = mail.me();
                thread::Builder::new()
                    .name(format!("worker-{at}"))
                    .spawn(move || {
                        let _alarm = Alarm(Arc::clone(&shared));
                        work(shared, mail, listener, home)
                    })
                    .map_err(|error| RunError::Worker { worker: usize::from(at), error })
            })
            .collect::<Result<_, _>>()?;
        let mut result = Ok(());
        for (worker, thread) in threads.into_iter().enumerate() {
            let ended = match thread.join() {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => RunError::Worker { worker, error },
                Err(_) => RunError::Panic(worker),
            };
            result = result.and(Err(ended));
        }
        shared.resolver.stop();
        // What nobody waits for is committed, too, before the process ends.
        if let Some(committer) = committer {
            committer.stop();
        }
        shared.webhooks.stop(WEBHOOK_FLUSH);
        match shared.failure() {
            Some(reason) => Err(RunError::Journal(Arc::clone(reason))),
            None => result,
        }
    }
}

/// Time for webhooks to leave before the process ends; what does not is kept in the data folder.
const WEBHOOK_FLUSH: std::time::Duration = std::time::Duration::from_secs(2);

impl Handle {
    /// Stops gently: new publishes are refused, accepted ones delivered, connections closed with
    /// 4200 over `drain_seconds`.
    pub fn drain(&self) {
        self.0.drain();
    }
}

/// When a worker ends, however it does, the others shall end too: a server without one of its
/// workers has lost a share of its channels.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.drain();
    }
}

/// What a worker's thread does.
type Work = fn(Arc<Shared>, Mailbox, TcpListener, Home) -> io::Result<()>;

fn work(shared: Arc<Shared>, mail: Mailbox, listener: TcpListener, home: Home) -> io::Result<()> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async move {
        let poll = mio::Poll::new()?;
        let listener = mio::net::TcpListener::from_std(listener);
        let worker = Worker::new(shared, mail, listener, &poll, home)?;
        // As a task among the HTTP tasks, so that waking it is cheap.
        match tokio::task::spawn_local(worker.run(poll)).await {
            Ok(ended) => ended,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(io::Error::other(error)),
            },
        }
    })
}

/// One listener per worker, all on the same port.
fn listen(address: SocketAddr, workers: usize) -> Result<Vec<TcpListener>, StartError> {
    // Sockets that share a port do not notice a second server that shares it too: ask first.
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::InUse(address),
        _ => StartError::Listen { address, error },
    };
    let probe = open_listener(address, Sharing::Alone).map_err(failed)?;
    drop(probe);
    let first = open_listener(address, Sharing::Workers).map_err(failed)?;
    let bound = first.local_addr().map_err(failed)?;
    let more = (1..workers).map(|_| open_listener(bound, Sharing::Workers).map_err(failed));
    std::iter::once(Ok(first)).chain(more).collect()
}

/// Whether a port is shared among workers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Workers,
}

fn open_listener(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if sharing == Sharing::Workers {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;
