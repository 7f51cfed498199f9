//! The `moko-mon` binary: reads the command line and the environment, and leaves the rest to the library.

use std::collections::BTreeMap;
use std::process::ExitCode;

use moko_mon::cli::{Cli, Command, OUTPUT_VARIABLE};
use moko_mon::error::ExitStatus;
use moko_mon::ui::{Ui, usage};
use moko_mon::{commands, environment};

fn main() -> ExitCode {
    let mut cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(refused) => return usage(&refused, std::env::args_os()).into(),
    };
    let environment = environment::read(std::env::vars_os());
    if let Command::Run(flags) = &cli.command {
        // No runtime and no signal handlers yet: the command comes first.
        return commands::run::run(flags, &cli.global, environment).into();
    }
    let output = cli.output_from(std::env::var_os(OUTPUT_VARIABLE));
    let environment = match environment.and_then(|environment| output.map(|()| environment)) {
        Ok(environment) => environment,
        Err(error) => {
            return Ui::new(cli.global.output, &BTreeMap::new()).finish(cli.command.name(), Err(error)).into();
        }
    };
    // One thread: the work is waiting, and a pool would be slower to start than most commands take.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitStatus::Failed.into();
    };
    let directory = std::env::current_dir().unwrap_or_default();
    let status = runtime.block_on(commands::run(cli, environment, directory));
    // A thread that still waits for an answer on the terminal must not keep the process.
    runtime.shutdown_background();
    status.into()
}
