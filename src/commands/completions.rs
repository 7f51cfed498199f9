//! `completions` and `man`: both from the same tree of commands that parses the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::Cli;
use crate::error::{Code, Error, Result};
use crate::ui::Report;

pub(super) fn completions(shell: Shell) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "moko-mon", &mut script);
    // For a name with a hyphen clap_complete 4.6 sets one name of a command and looks for another.
    let script = String::from_utf8_lossy(&script).replace("moko__subcmd__mon", "moko__mon");
    Report::new(json!({"shell": shell.to_string(), "script": script}), script)
}

pub(super) fn man(directory: &Path) -> Result<Report> {
    let failed = |error: std::io::Error| {
        Error::new(Code::Io, "could not write the man pages")
            .cause(format!("{}: {error}", directory.display()))
            .hint("name a folder that you may write to with `-o DIR`")
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let mut pages = Vec::new();
    let mut command = Cli::command();
    command.build();
    write(&command, "moko-mon", directory, &mut pages).map_err(failed)?;
    let text = format!("wrote {} man pages to {}", pages.len(), directory.display());
    Ok(Report::new(json!({"directory": directory, "pages": pages}), text))
}

/// One page for a command and for each command beneath it: `moko-mon-config-show.1`.
fn write(command: &clap::Command, name: &str, directory: &Path, pages: &mut Vec<String>) -> std::io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name).render(&mut page)?;
    let file = format!("{name}.1");
    std::fs::write(directory.join(&file), page)?;
    pages.push(file);
    for below in command.get_subcommands() {
        write(below, &format!("{name}-{}", below.get_name()), directory, pages)?;
    }
    Ok(())
}
