//! The steps of the workflow, each as a runner runs it: `bash -e` with the environment of the workflow and the step.

use std::os::unix::fs::PermissionsExt as _;

use serde_yaml::Value;

use super::{EXAMPLES, Site};
use crate::support::Output;

/// What `gh api -i rate_limit` prints.
const ANSWER: &str = r#"HTTP/2.0 200 OK
Content-Type: application/json; charset=utf-8
X-Ratelimit-Limit: 5000
X-Ratelimit-Remaining: 4987
X-Ratelimit-Reset: 4102444800
X-Ratelimit-Resource: core
X-Ratelimit-Used: 13

{"resources":{"core":{"limit":5000,"used":13,"remaining":4987,"reset":4102444800}},"rate":{"limit":5000,"used":13,"remaining":4987,"reset":4102444800}}"#;
/// What a scanner writes: one new finding of high severity.
const FINDINGS: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scanner", "rules": [
    {"id": "sql-injection", "properties": {"security-severity": "8.1"}}]}},
  "results": [{"ruleId": "sql-injection", "level": "error", "message": {"text": "query is built from input"},
    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/db.py"}, "region": {"startLine": 3}}}]}]}]}"#;

#[test]
fn the_steps_of_a_workflow_publish_the_build_the_quota_and_the_findings() {
    let site = Site::new("# nothing\n");
    let text = std::fs::read_to_string(format!("{EXAMPLES}/github-actions/monitored-step.yml")).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(workflow["env"]["MOKO_MON_PUSH_URL"], "http://127.0.0.1:9091", "the stack's own address");
    let gh = site.bin.join("gh");
    std::fs::write(&gh, format!("#!/bin/sh\n[ \"$*\" = 'api -i rate_limit' ] && cat <<'END'\n{ANSWER}\nEND\n"))
        .unwrap();
    std::fs::set_permissions(&gh, std::fs::Permissions::from_mode(0o755)).unwrap();
    site.stack.write("Makefile", "build:\n\t@echo built\n");
    site.stack.write("results.sarif", FINDINGS);
    for step in workflow["jobs"]["nightly"]["steps"].as_sequence().unwrap() {
        let script = step["run"].as_str().unwrap();
        let mut command = site.command("bash", &["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        let output = command.env("GITHUB_ACTIONS", "true").env("CI", "true").output().unwrap();
        Output::of(script.to_owned(), &output).code(0);
    }
    site.holds(r#"moko_script_executions_total{script_name="nightly-build",status="success"} == 1"#);
    site.holds(r#"moko_api_rate_limit_remaining{api="github"} == 4987"#);
    site.holds(r#"moko_api_rate_limit_total{api="github"} == 5000"#);
    site.holds(r#"moko_api_rate_limit_reset_timestamp_seconds{api="github"} == 4102444800"#);
    site.holds(r#"sum(moko_security_findings_total{severity="high"}) == 1"#);
}
