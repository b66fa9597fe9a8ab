//! A private PostgreSQL cluster, made and run with the system's own binaries.
//!
//! `tandem up` keeps its data in one, the tests share one, and the fault tests break their own.
//! A cluster belongs to a *directory* that the caller names, and to nobody else on the machine:
//! it listens on no TCP port, its Unix socket lies in a directory of mode 0700, and every
//! connection needs the random password that was drawn when the cluster was made.
//!
//! # What lies where
//! The *home* of a cluster is the directory that was asked for, and holds
//!
//! | name | meaning |
//! |---|---|
//! | `lock` | held while somebody starts, stops or removes the cluster, and by an `initdb` or `pg_ctl` that outlived its parent |
//! | `data/` | PostgreSQL's data directory, of mode 0700; it appears by a rename, so it is always complete |
//! | `data.new/` | an `initdb` under way, or one that was interrupted; made anew at the next start |
//! | `password` | the superuser's password, of mode 0600 |
//! | `server.conf` | the server's whole configuration, rewritten from [`Settings`] at every start |
//! | `log` | what the server says; put aside as `log.old` when it has grown large |
//!
//! The socket lies in `/tmp/tandem-<uid>-<hash of the data directory>`: a socket's path may have
//! 107 bytes, and a checkout may lie deep.
//!
//! # Who runs the server
//! An ordinary user runs it as himself. PostgreSQL refuses to run as root, so root runs it as
//! `postgres`, or as `nobody` where there is no such user. Where that user cannot enter the
//! directory (a checkout below `/root`), the home moves to `/var/lib/tandem/<hash>`, and a file
//! `location` in the directory that was asked for leads there. An existing cluster is always
//! run by the owner of its data, with the version that made it.
//!
//! # The life of a server
//! A server has a session of its own and outlives the process that started it: Ctrl-C does not
//! reach it, and **dropping a [`Cluster`] does not stop it**. [`Cluster::start`] therefore looks
//! for a running one first and *adopts* it. A server counts as ours only if a living process
//! named by `data/postmaster.pid` works in our data directory (the same inode, so copies and
//! recycled process ids do not deceive) and that very process listens on the socket.
//!
//! Linux only: the check reads `/proc` and asks the socket for its peer.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod binaries;
mod cluster;
mod databases;
mod error;
mod files;
mod home;
mod initdb;
mod postmaster;
mod programs;
mod server;
mod server_user;
mod settings;
mod socket;
pub mod testing;

pub use cluster::Cluster;
pub use error::ClusterError;
pub use settings::Settings;
