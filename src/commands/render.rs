//! `render`: the stack for other tools, written whole or not at all.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::Context;
use crate::cli;
use crate::error::{Code, Error, Result};
use crate::platform::set_mode;
use crate::render::{File, compose};
use crate::stack::Stack;
use crate::ui::Report;

pub(super) fn run(context: &Context<'_>, what: &cli::Render) -> Result<Report> {
    match what {
        cli::Render::Compose(flags) => {
            let config = context.config()?.config;
            let files = compose::files(&config, &Stack::desired(&config)?)?;
            write(&context.sources.directory.join(&flags.directory), &flags.directory, &files)
        }
    }
}

/// Writes a rendering: first every refusal, then every byte, and only then names.
fn write(folder: &Path, shown: &Path, files: &[File]) -> Result<Report> {
    let earlier = std::fs::read_to_string(folder.join(compose::FILE)).unwrap_or_default();
    let earlier: BTreeSet<String> = compose::written(&earlier).into_iter().filter(|path| is_below(path)).collect();
    refuse(folder, shown, files, &earlier)?;
    put(folder, files).map_err(|error| {
        Error::new(Code::Io, format!("could not write to `{}`", shown.display()))
            .cause(error.to_string())
            .hint("name a folder that you may write to with `-o DIR`")
    })?;
    let stale = earlier.iter().filter(|path| files.iter().all(|file| file.path != **path));
    // What cannot be removed is only in the way of nobody.
    let removed: Vec<&String> = stale.filter(|path| std::fs::remove_file(folder.join(path)).is_ok()).collect();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let main = shown.join(compose::FILE);
    let text = format!(
        "wrote {} files to {}\nstart it with `docker compose -f {} up -d --wait`",
        files.len(),
        shown.display(),
        main.display()
    );
    Ok(Report::new(json!({"directory": shown, "files": paths, "removed": removed}), text))
}

/// Refuses to overwrite what an earlier rendering did not write; says all of it at once.
fn refuse(folder: &Path, shown: &Path, files: &[File], earlier: &BTreeSet<String>) -> Result<()> {
    let foreign = |file: &&File| {
        let path = folder.join(&file.path);
        let Ok(metadata) = path.symlink_metadata() else { return false };
        if !metadata.is_file() {
            return true;
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content != file.content && !content.starts_with(compose::MARK.as_bytes()) && !earlier.contains(&file.path)
    };
    let foreign: Vec<&File> = files.iter().filter(foreign).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let error = Error::new(Code::Usage, format!("could not write to `{}`", shown.display()));
    let error = foreign.iter().fold(error, |error, file| {
        error.cause(format!("`{}` is there and was not written by `moko-mon render compose`", file.path))
    });
    Err(error.hint("choose another folder with `-o DIR`, or move these files away"))
}

/// Every byte beside its place first, then the renames: a full disk leaves the old rendering as it was.
fn put(folder: &Path, files: &[File]) -> std::io::Result<()> {
    let mut staged = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        let parent = make_folders(folder, &file.path)?;
        if is_there(&path, file) {
            continue;
        }
        let mut temporary = tempfile::NamedTempFile::new_in(parent)?;
        temporary.write_all(&file.content)?;
        // Whatever the umask says: the server runs as another user than whoever renders. A secret is protected by the
        // folder above its own, which the container does not pass through.
        set_mode(temporary.path(), if file.secret { 0o444 } else { 0o644 })?;
        temporary.as_file().sync_all()?;
        staged.push((temporary, path));
    }
    for (temporary, path) in staged {
        temporary.persist(path)?;
    }
    Ok(())
}

/// Whether a file is there already, content and mode.
fn is_there(path: &Path, file: &File) -> bool {
    let same = std::fs::read(path).is_ok_and(|content| content == file.content);
    same && set_mode(path, if file.secret { 0o444 } else { 0o644 }).is_ok()
}

/// Makes the folders above a file, open to everybody but for the one that guards the secrets.
fn make_folders(folder: &Path, path: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let mut parent = folder.to_owned();
    for part in path.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev() {
        let guards = parent == folder && part == compose::SECRETS;
        parent.push(part);
        let made = match std::fs::create_dir(&parent) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
            other => other.map(|()| true)?,
        };
        if guards {
            set_mode(&parent, 0o700)?;
        } else if made {
            set_mode(&parent, 0o755)?;
        }
    }
    Ok(parent)
}

/// Whether a path stays below the folder that it is joined to.
fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}
