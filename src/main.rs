//! The `moko-mon` binary: reads the command line and the environment, and leaves the rest to the library.

use std::process::ExitCode;

use clap::Parser as _;
use moko_mon::cli::Cli;
use moko_mon::commands;
use moko_mon::error::ExitStatus;
use moko_mon::ui::usage;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return usage(&refused, std::env::args_os()).into(),
    };
    // One thread: the work is waiting, and a pool would be slower to start than most commands take.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitStatus::Failed.into();
    };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let directory = std::env::current_dir().unwrap_or_default();
    let status = runtime.block_on(commands::run(cli, environment, directory));
    // A thread that still waits for an answer on the terminal must not keep the process.
    runtime.shutdown_background();
    status.into()
}
