//! What a user meets: whole files in, whole messages out.

use std::path::Path;

use super::*;
use crate::error::Error;

mod checks;
mod contents;
mod jobs;
mod layers;
mod receivers;
mod settings;
mod syntax;
mod table;
mod thresholds;

/// A directory with files in it, as the sources of a configuration.
struct Case {
    directory: tempfile::TempDir,
    sources: Sources,
}

impl Case {
    /// A `moko-mon.yaml` with this text.
    fn new(yaml: impl AsRef<[u8]>) -> Self {
        Self::empty().file(FILE_NAME, yaml)
    }

    /// No file at all.
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sources = Sources { directory: directory.path().to_owned(), ..Sources::default() };
        Self { directory, sources }
    }

    /// Another file beside it, readable by its owner alone.
    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        mode(&path, 0o600);
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, flag: &str, key: &str, value: &str) -> Self {
        self.sources.flags.push((flag.to_owned(), key.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn error(&self) -> Error {
        resolve(&self.sources).map(|resolved| resolved.config).unwrap_err()
    }

    /// Every problem on a line of its own.
    fn problems(&self) -> String {
        self.error().causes.join("\n")
    }

    fn resolved(&self) -> Resolved {
        resolve(&self.sources).unwrap()
    }

    fn config(&self) -> Config {
        self.resolved().config
    }
}

/// The problems of each text, one text after the other.
fn refusals(texts: &[&str]) -> String {
    let texts = texts.iter().map(|text| match resolve(&Case::new(text).sources) {
        Ok(_) => panic!("accepted {text}"),
        Err(error) => error.causes.join("\n"),
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &Path, _: u32) {}
