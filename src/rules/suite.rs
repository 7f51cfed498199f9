//! Test files of rules in promtool's format, each with everything that it reads, laid out for a container.
//!
//! The files of the user lie below [`DISK`] as they do on his disk, so that relative paths lead where they do there.
//! Beside them are the rules in force, under the paths that they have in Prometheus' own container.

use std::path::{Component, Path, PathBuf};

use crate::config::{Config, Search, did_you_mean, read_file};
use crate::error::{Code, Error, Result};
use crate::jobs;
use crate::rules::shipped;
use crate::stack::{Access, FileSpec, RULES_PATH};
use crate::yaml::{self, Limits, Node};

/// Where the files of the user's disk are in the container.
const DISK: &str = "/rules-test/disk";

/// Where the bundled tests are in the container.
const BUNDLED: &str = "/rules-test/bundled";

/// The largest test or rule file, in bytes.
const LARGEST: u64 = 8 << 20;

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// The unit tests of the built-in rules.
        const TESTS: [(&str, &str); [$($name),*].len()] =
            [$(($name, include_str!(concat!("../../tests/rules/", $name)))),*];
    };
}

bundled![
    "api-rate-limit.yml",
    "circuit-breaker.yml",
    "daily-schedules.yml",
    "no-script-executions.yml",
    "script-duration.yml",
    "script-failures.yml",
    "script-minutes.yml",
    "script-runs.yml",
    "security-findings.yml",
    "stack-pushgateway.yml",
    "stack.yml",
];

/// A test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Its name for people.
    pub name: String,
    /// Whether it is bundled and not the user's.
    pub bundled: bool,
    /// Its path in the container.
    pub path: String,
    /// Everything that has to be in the container, itself included.
    pub files: Vec<FileSpec>,
}

/// The tests that ship with the built-in rules. They expect the default thresholds, so they come with the rules as they
/// ship.
#[must_use]
pub fn bundled() -> Vec<Test> {
    let rules = shipped().map(|(name, text)| public(format!("{BUNDLED}/assets/{name}"), &text));
    let test = |(name, text): (&str, &str)| {
        let path = format!("{BUNDLED}/tests/rules/{name}");
        let files = rules.iter().cloned().chain([public(path.clone(), text)]).collect();
        Test { name: name.to_owned(), bundled: true, path, files }
    };
    TESTS.into_iter().map(test).collect()
}

/// The test of the rules of the jobs, if there are any among those in force.
pub fn of_jobs(config: &Config, in_force: &[FileSpec]) -> Result<Option<Test>> {
    let rules = format!("{RULES_PATH}/{}", jobs::RULE_FILE);
    let Some(file) = in_force.iter().find(|file| file.path == rules) else { return Ok(None) };
    let test = public(format!("{BUNDLED}/jobs.yml"), &jobs::test_file(config, &rules)?);
    let (name, path) = (jobs::TEST_FILE.to_owned(), test.path.clone());
    Ok(Some(Test { name, bundled: true, path, files: vec![file.clone(), test] }))
}

/// A test file of the user, with the rule files that it names and with the rules in force.
pub fn read(directory: &Path, file: &Path, in_force: &[FileSpec]) -> Result<Test> {
    let name = file.display().to_string();
    let wrong =
        |fact: &str| Error::new(Code::ConfigInvalid, format!("could not run the tests of `{name}`")).cause(fact);
    let content = read_file(&directory.join(file), LARGEST)
        .map_err(|fact| wrong(&format!("it {fact}")).hint("name test files in the format of `promtool test rules`"))?;
    let full = std::fs::canonicalize(directory.join(file)).map_err(|error| wrong(&error.to_string()))?;
    let parsed = yaml::parse(&content, Limits { bytes: usize::MAX, depth: 64 });
    let root = parsed.root.filter(|_| parsed.complete).ok_or_else(|| {
        let fault = parsed.faults.first();
        let place = fault.and_then(|fault| fault.position).map(|(line, column)| format!(":{line}:{column}"));
        let found = fault.map_or("the file holds only comments", |fault| fault.found.as_str());
        wrong(&format!("{name}{}: {found}", place.unwrap_or_default()))
            .hint("write it in YAML, in the format of `promtool test rules`")
    })?;
    let tests = root.get("tests").ok_or_else(|| {
        wrong("it has no `tests:`").hint(
            "write it in the format of `promtool test rules`, or list a rule file under `rules.extra` in moko-mon.yaml",
        )
    })?;
    if tests.items().is_empty() {
        return Err(wrong(&format!("{name}:{}:{}: `tests` is no list of tests", tests.line, tests.column))
            .hint("write it in the format of `promtool test rules`"));
    }
    let path = on_disk(&full);
    let mut files = in_force.to_vec();
    files.push(FileSpec { path: path.clone(), content, access: Access::Public });
    for node in root.get("rule_files").map(Node::items).unwrap_or_default() {
        let place = |fact: String| wrong(&format!("{name}:{}:{}: rule_files: {fact}", node.line, node.column));
        let Some(pattern) = node.text() else {
            return Err(place("a value is no text".to_owned()).hint("name one file or pattern in each item"));
        };
        let found = named(full.parent().unwrap_or(directory), pattern, in_force)
            .map_err(|(fact, hint)| place(fact).hint(hint))?;
        files.extend(found);
    }
    // A file may be named twice, once by a pattern.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(Test { name, bundled: false, path, files })
}

/// The files of the disk that a test file names by one path or pattern; none when it means rules in force. The error
/// is a fact and a next step.
fn named(base: &Path, pattern: &str, in_force: &[FileSpec]) -> std::result::Result<Vec<FileSpec>, (String, String)> {
    let paths = || in_force.iter().map(|file| file.path.as_str());
    if pattern.starts_with('/') {
        let of_path = |path: &str| glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(path));
        if paths().any(of_path) {
            return Ok(Vec::new());
        }
        let guess = did_you_mean(pattern, paths());
        return Err((
            format!("`{pattern}` is no rule file of the stack{guess}"),
            format!(
                "a path that starts with `/` means a rule file in force: {}; name a file of your disk relative to the \
                 test file",
                paths().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    let hint = || {
        format!(
            "a path is relative to the test file; the rules in force are `{RULES_PATH}/*.yml` and `{RULES_PATH}/extra/*`"
        )
    };
    let found = Search::default().expand(base, pattern).map_err(|(fact, _)| (format!("`{pattern}` {fact}"), hint()))?;
    let read = |path: PathBuf| {
        let content = read_file(&path, LARGEST).map_err(|fact| (format!("`{}` {fact}", path.display()), hint()))?;
        Ok(FileSpec { path: on_disk(&path), content, access: Access::Public })
    };
    found.into_iter().map(read).collect()
}

/// The path in the container of a file of the disk, without `.` and `..`, as promtool looks for it.
fn on_disk(path: &Path) -> String {
    let mut clean = PathBuf::from(DISK);
    let mut depth = 0;
    for part in path.components() {
        match part {
            Component::Normal(part) => {
                clean.push(part);
                depth += 1;
            }
            Component::ParentDir if depth > 0 => {
                clean.pop();
                depth -= 1;
            }
            Component::ParentDir | Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    clean.display().to_string()
}

/// A line of promtool with the paths of the user's disk.
#[must_use]
pub fn as_on_disk(line: &str) -> String {
    line.replace(DISK, "")
}

fn public(path: String, text: &str) -> FileSpec {
    FileSpec { path, content: text.as_bytes().to_vec(), access: Access::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test file in a folder beside `rules/a.yml`, and what comes of reading it.
    fn read_text(content: &str) -> Result<Test> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in
            [("rules/a.yml", "groups: []\n"), ("rules/b.yml", "groups: []\n"), ("tests/t.yml", content)]
        {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let in_force = public(format!("{RULES_PATH}/alerts-config.yml"), "groups: []\n");
        let base = std::fs::canonicalize(folder.path()).unwrap().display().to_string();
        let mut test = read(folder.path(), Path::new("tests/t.yml"), &[in_force])?;
        for file in &mut test.files {
            file.path = file.path.replace(&base, "/home");
        }
        Ok(test)
    }

    fn paths(text: &str) -> Vec<String> {
        read_text(text).unwrap().files.into_iter().map(|file| file.path).collect()
    }

    fn refused(text: &str) -> String {
        let error = read_text(text).unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid);
        error.to_string()
    }

    #[test]
    fn the_table_has_every_file_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
        let mut found: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        assert_eq!(TESTS.map(|(name, _)| name).to_vec(), found);
    }

    #[test]
    fn bundled_tests_find_their_rules() {
        for test in bundled() {
            let text = TESTS.iter().find(|(name, _)| *name == test.name).unwrap().1;
            let root = yaml::parse(text.as_bytes(), Limits { bytes: usize::MAX, depth: 64 }).root.unwrap();
            for named in root.get("rule_files").unwrap().items() {
                let path = Path::new(&test.path).parent().unwrap().join(named.text().unwrap());
                let path = on_disk(&path).replacen(DISK, "", 1);
                assert!(test.files.iter().any(|file| file.path == path), "{}: {path}", test.name);
            }
        }
    }

    #[test]
    fn the_files_of_the_disk_keep_their_places() {
        let in_force = "/etc/prometheus/rules/alerts-config.yml";
        let test = "/rules-test/disk/home/tests/t.yml";
        let (a, b) = ("/rules-test/disk/home/rules/a.yml", "/rules-test/disk/home/rules/b.yml");
        assert_eq!(paths("rule_files: [../rules/a.yml]\ntests: [{}]\n"), [in_force, a, test]);
        assert_eq!(paths("rule_files: [../rules/*.yml, ./../rules/b.yml]\ntests: [{}]\n"), [in_force, a, b, test]);
        assert_eq!(paths("rule_files: [/etc/prometheus/rules/*.yml]\ntests: [{}]\n"), [in_force, test]);
        // promtool reads anchors, so they are no reason to refuse a file.
        assert_eq!(paths("tests: [&a {}, *a]\n"), [in_force, test]);
        assert_eq!(as_on_disk("/rules-test/disk/home/rules/a.yml: bad"), "/home/rules/a.yml: bad");
    }

    #[test]
    fn what_cannot_be_tested_says_why_and_what_to_do() {
        let text = [
            "rule_files: [../rules/c.yml]\ntests: [{}]\n",
            "rule_files: [/etc/prometheus/rules/alert-config.yml]\ntests: [{}]\n",
            "tests: [\n",
            "groups: []\n",
            "tests: 1\n",
            "tests: [{}]\nrule_files: [[a]]\n",
        ]
        .map(refused)
        .join("\n");
        insta::assert_snapshot!(text, @r"
        error: could not run the tests of `tests/t.yml`
          caused by: tests/t.yml:1:14: rule_files: `../rules/c.yml` matches no file
        hint: a path is relative to the test file; the rules in force are `/etc/prometheus/rules/*.yml` and `/etc/prometheus/rules/extra/*`
        error: could not run the tests of `tests/t.yml`
          caused by: tests/t.yml:1:14: rule_files: `/etc/prometheus/rules/alert-config.yml` is no rule file of the stack (did you mean `/etc/prometheus/rules/alerts-config.yml`?)
        hint: a path that starts with `/` means a rule file in force: `/etc/prometheus/rules/alerts-config.yml`; name a file of your disk relative to the test file
        error: could not run the tests of `tests/t.yml`
          caused by: tests/t.yml:2:1: not YAML: while parsing a node, did not find expected node content
        hint: write it in YAML, in the format of `promtool test rules`
        error: could not run the tests of `tests/t.yml`
          caused by: it has no `tests:`
        hint: write it in the format of `promtool test rules`, or list a rule file under `rules.extra` in moko-mon.yaml
        error: could not run the tests of `tests/t.yml`
          caused by: tests/t.yml:1:8: `tests` is no list of tests
        hint: write it in the format of `promtool test rules`
        error: could not run the tests of `tests/t.yml`
          caused by: tests/t.yml:2:14: rule_files: a value is no text
        hint: name one file or pattern in each item
        ");
    }
}
