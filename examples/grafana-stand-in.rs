//! Grafana's API stand-in as a program, for machines where no registry gives the real image.
//!
//! `grafana-stand-in [server flags]` serves on `GF_SERVER_HTTP_PORT`, with its data in `GF_PATHS_DATA`. The flags of
//! Grafana's server are taken and ignored.
//! `grafana-stand-in cli [flags] admin reset-admin-password --password-from-stdin` sets the password.

use std::env;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[path = "../tests/support/grafana_stand_in/mod.rs"]
mod grafana_stand_in;

use grafana_stand_in::{Server, VERSION, reset_admin_password, router};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("cli") => reset(&args),
        _ => serve(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), String> {
    let port = variable("GF_SERVER_HTTP_PORT", "3000");
    let user = variable("GF_SECURITY_ADMIN_USER", "admin");
    let password = expand(&variable("GF_SECURITY_ADMIN_PASSWORD", "admin"))?;
    let server = Arc::new(Server::open(data_dir(), &user, password.trim(), true)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let address = format!("0.0.0.0:{port}");
        let listener = TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
        let stop = |kind| signal(kind).map_err(|error| error.to_string());
        let (mut term, mut interrupt) = (stop(SignalKind::terminate())?, stop(SignalKind::interrupt())?);
        say(&format!("moko-mon's Grafana stand-in {VERSION} listens on {address}"));
        // Nothing is lost by an end at once: a change is on disk before it is answered.
        tokio::select! {
            ended = async { axum::serve(listener, router(server)).await } => ended.map_err(|error| error.to_string()),
            _ = term.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

fn reset(args: &[String]) -> Result<(), String> {
    let has = |word: &str| args.iter().any(|arg| arg == word);
    if !has("reset-admin-password") || !has("--password-from-stdin") {
        return Err("all that this can do is `cli admin reset-admin-password --password-from-stdin`".into());
    }
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.len() < 4 {
        return Err("New password is too short".into());
    }
    reset_admin_password(&data_dir(), password)?;
    say("Admin password changed successfully ✔");
    Ok(())
}

fn data_dir() -> PathBuf {
    PathBuf::from(variable("GF_PATHS_DATA", "/var/lib/grafana"))
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.into())
}

/// Grafana's `$__file{/path}`.
fn expand(value: &str) -> Result<String, String> {
    match value.strip_prefix("$__file{").and_then(|rest| rest.strip_suffix('}')) {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}")),
        None => Ok(value.to_owned()),
    }
}

#[expect(clippy::print_stdout, reason = "a program of its own, whose log is its standard output")]
fn say(line: &str) {
    println!("{line}");
}
