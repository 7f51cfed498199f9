//! The engine, through its own client.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Output;

/// Runs `docker` and returns what it wrote, trimmed; a failure fails the test.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = attempt(arguments);
    assert_eq!(output.code, 0, "{output}");
    output.stdout.trim().to_owned()
}

/// Runs `docker`, whatever comes of it.
pub(crate) fn attempt(arguments: &[&str]) -> Output {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("the `docker` client is needed for the end-to-end tests: run .ci/engine");
    Output::of(format!("docker {}", arguments.join(" ")), &output)
}

/// Lines that `docker` wrote.
#[track_caller]
pub(crate) fn lines(arguments: &[&str]) -> Vec<String> {
    docker(arguments).lines().map(str::to_owned).collect()
}

/// `docker inspect` of one object.
#[track_caller]
pub(crate) fn inspect(kind: &str, name: &str) -> Value {
    let all: Value = serde_json::from_str(&docker(&["inspect", "--type", kind, name])).unwrap();
    all[0].clone()
}

/// A file in a container, running or not, as `(mode, uid, gid, content)`.
#[track_caller]
pub(crate) fn file(container: &str, path: &str) -> (u32, u64, u64, String) {
    use std::io::Read as _;
    let output = Command::new("docker").args(["cp", &format!("{container}:{path}"), "-"]).output().unwrap();
    assert!(output.status.success(), "docker cp {container}:{path}: {}", String::from_utf8_lossy(&output.stderr));
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let mut text = String::new();
    entry.read_to_string(&mut text).unwrap();
    let header = entry.header();
    (header.mode().unwrap() & 0o7777, header.uid().unwrap(), header.gid().unwrap(), text)
}

/// Puts a file of root into a container, running or not, behind moko-mon's back.
#[track_caller]
pub(crate) fn put_file(container: &str, folder: &str, name: &str, content: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    let archive = builder.into_inner().unwrap();
    let target = format!("{container}:{folder}");
    let mut client = Command::new("docker").args(["cp", "-", &target]).stdin(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all(&archive).unwrap();
    assert!(client.wait().unwrap().success(), "docker cp - {target}");
}

/// An image made from a local one with a few lines; removed when dropped. Needs no registry.
pub(crate) struct Image {
    pub(crate) name: String,
}

impl Image {
    /// Builds `FROM base` plus `lines` under a name of this test's own.
    #[track_caller]
    pub(crate) fn build(name: &str, base: &str, lines: &str) -> Self {
        let image = Self { name: name.to_owned() };
        image.rebuild(base, lines);
        image
    }

    /// Builds it again: the name moves to another image.
    #[track_caller]
    pub(crate) fn rebuild(&self, base: &str, lines: &str) {
        let text = format!("FROM {base}\n{lines}\n");
        let mut client = Command::new("docker")
            .args(["build", "--quiet", "--tag", &self.name, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        client.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = Output::of("docker build".to_owned(), &client.wait_with_output().unwrap());
        assert_eq!(output.code, 0, "{output}");
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = attempt(&["image", "rm", "--force", &self.name]);
    }
}

/// A container of somebody else; removed when dropped.
pub(crate) struct Foreign {
    pub(crate) id: String,
}

impl Foreign {
    /// `docker run -d` with these arguments.
    #[track_caller]
    pub(crate) fn run(arguments: &[&str]) -> Self {
        Self { id: docker(&[&["run", "--detach"], arguments].concat()) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = attempt(&["rm", "--force", "--volumes", &self.id]);
    }
}
