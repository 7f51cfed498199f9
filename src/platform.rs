//! What differs between operating systems: signals, permissions, and who holds a port. A port to another system needs this module.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error};

/// How a command is asked to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Set by the first signal; no new step starts after it.
    pub token: CancellationToken,
    terminated: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM. The first sets the token; the second ends the process at once.
    #[must_use]
    pub fn listen() -> Self {
        let stop = Self { token: CancellationToken::new(), terminated: std::sync::Arc::default() };
        let told = stop.clone();
        tokio::spawn(async move {
            loop {
                let terminated = signal().await;
                if told.token.is_cancelled() {
                    end_now(terminated);
                }
                told.terminated.store(terminated, std::sync::atomic::Ordering::SeqCst);
                told.token.cancel();
            }
        });
        stop
    }

    /// Whether the command was asked to stop.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.token.is_cancelled()
    }

    /// The error that a stopped command ends with.
    #[must_use]
    pub fn error(&self, goal: &str) -> Error {
        self.interrupted(goal)
            .cause("what was done up to here stays")
            .hint("run the same command again: it goes on from there")
    }

    /// The error that a stopped command ends with which has changed nothing.
    #[must_use]
    pub fn error_of_look(&self, goal: &str) -> Error {
        self.interrupted(goal).hint("run it again: it changed nothing, and starts from the beginning")
    }

    fn interrupted(&self, goal: &str) -> Error {
        let terminated = self.terminated.load(std::sync::atomic::Ordering::SeqCst);
        let code = if terminated { Code::Terminated } else { Code::Interrupted };
        Error::new(code, format!("{goal} was interrupted"))
    }
}

/// Waits for one signal; true for SIGTERM.
#[cfg(unix)]
async fn signal() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => false,
        _ = terminate.recv() => true,
    }
}

/// Waits for Ctrl-C; there is no SIGTERM.
#[cfg(not(unix))]
async fn signal() -> bool {
    if tokio::signal::ctrl_c().await.is_err() {
        return std::future::pending().await;
    }
    false
}

/// Ends the process as the second signal demands; containers and volumes stay as they are.
#[expect(clippy::exit, reason = "the user asked twice to stop at once")]
fn end_now(terminated: bool) -> ! {
    std::process::exit(if terminated { 143 } else { 130 })
}

/// Who runs this, and where: `jmi@build-1`.
#[must_use]
pub fn who() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
    let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let host = if host.is_empty() { "localhost".to_owned() } else { host };
    format!("{}@{host}", user.unwrap_or_else(|| nix::unistd::geteuid().to_string()))
}

/// Sets who may read and write a file, as Unix permission bits.
#[cfg(unix)]
pub fn set_mode(path: &std::path::Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// There are no permission bits; a new file has those of its folder.
#[cfg(not(unix))]
pub fn set_mode(_path: &std::path::Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// The folder of lock files: one and the same for all users of the machine, whatever their `TMPDIR`.
#[must_use]
pub fn lock_folder() -> PathBuf {
    let shared = Path::new("/run/lock");
    if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() }
}

/// Opens a lock file that all users of the machine share, creating it if it is not there.
///
/// The folder is open to everybody: a link in it is never followed, and what is no plain file is refused.
pub fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    no_links(&mut options);
    let file = match options.open(path) {
        // Readable is enough to lock; only the holder's name is not written then.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => options.write(false).open(path)?,
        // Created only when it is not there: in a shared folder Linux refuses to "create" a file that another user
        // owns (`fs.protected_regular`).
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let file = options.create(true).open(path)?;
            everybody(&file)?;
            file
        }
        opened => opened?,
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

#[cfg(unix)]
fn no_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
}

#[cfg(not(unix))]
fn no_links(_options: &mut OpenOptions) {}

/// Lets everybody lock the file, whatever the umask of the one who came first.
#[cfg(unix)]
fn everybody(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn everybody(_file: &File) -> std::io::Result<()> {
    Ok(())
}

/// Who holds a port of this host, or `None` when it is free.
///
/// The process is named where the operating system lets us see it.
#[must_use]
pub fn port_holder(bind: IpAddr, port: u16) -> Option<String> {
    match TcpListener::bind(SocketAddr::new(bind, port)) {
        Err(failed) if failed.kind() == ErrorKind::AddrInUse => {
            Some(process_on(port).unwrap_or_else(|| "another process".to_owned()))
        }
        // An address that is not this machine's, or a privileged port, is the engine's to judge.
        Ok(_) | Err(_) => None,
    }
}

/// The process that listens on a port: the socket's inode in `/proc/net/tcp*`, then whose descriptor it is.
#[cfg(target_os = "linux")]
fn process_on(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let rows = tables.iter().filter_map(|table| std::fs::read_to_string(table).ok()).collect::<String>();
    let suffix = format!(":{port:04X}");
    let inode = rows.lines().find_map(|row| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        // `0A` is LISTEN; field 9 is the inode.
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    })?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse::<u32>().ok()?;
        let descriptors = std::fs::read_dir(process.path().join("fd")).ok()?;
        let holds = descriptors.flatten().any(|descriptor| {
            std::fs::read_link(descriptor.path()).is_ok_and(|target| target.to_str() == Some(&inode))
        });
        let command = std::fs::read_to_string(process.path().join("comm")).ok()?;
        holds.then(|| format!("process {pid} (`{}`)", command.trim()))
    })
}

/// Elsewhere the process is not looked up.
#[cfg(not(target_os = "linux"))]
fn process_on(_port: u16) -> Option<String> {
    None
}

/// The command that opens a page in the user's browser.
#[must_use]
pub const fn opener() -> &'static str {
    if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_port_names_its_process_and_a_free_one_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let bind = IpAddr::from([127, 0, 0, 1]);
        let holder = port_holder(bind, port).unwrap();
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
        drop(listener);
        assert_eq!(port_holder(bind, port), None);
    }
}
