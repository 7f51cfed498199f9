//! `push` against a real Pushgateway and Prometheus: one stack for all that scripts can tell.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Output, Stack, docker, http};

const SCRIPT: &str = "nightly/backup ü";

/// A stack whose ledger is in its own working directory.
fn stack() -> Stack {
    let mut stack = Stack::without_grafana("push");
    let ledger = stack.directory.path().join("ledger");
    stack.set("MOKO_MON_PUSH_STATE_DIR", ledger.to_str().unwrap());
    stack.set("MOKO_MON_PUSH_INSTANCE", "here");
    stack.up();
    stack
}

fn piped(stack: &Stack, arguments: &[&str], text: &str) -> Output {
    let mut command = stack.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Output::of(format!("moko-mon {} < …", arguments.join(" ")), &child.wait_with_output().unwrap())
}

/// The labels and value of every series of a metric on the Pushgateway.
fn pushed(stack: &Stack, metric: &str) -> Vec<(BTreeMap<String, String>, String)> {
    let all = http::json(&format!("{}/api/v1/metrics", stack.url("pushgateway"))).unwrap();
    let groups = all["data"].as_array().unwrap();
    let series = groups.iter().flat_map(|group| group[metric]["metrics"].as_array().cloned().unwrap_or_default());
    let series = series.map(|one| {
        let value = one["value"].as_str().unwrap_or_default().to_owned();
        (serde_json::from_value(one["labels"].clone()).unwrap(), value)
    });
    series.collect()
}

/// All groups of the Pushgateway, which lists them in any order.
fn everything(stack: &Stack) -> Vec<String> {
    let all = http::json(&format!("{}/api/v1/metrics", stack.url("pushgateway"))).unwrap();
    let mut groups: Vec<String> = all["data"].as_array().unwrap().iter().map(Value::to_string).collect();
    groups.sort();
    groups
}

/// The scripts of the groups on the Pushgateway.
fn scripts(stack: &Stack) -> Vec<String> {
    let list = stack.run(&["push", "list", "--output", "json"]).code(0).json();
    let groups = list["data"]["groups"].as_array().unwrap().clone();
    groups.iter().map(|group| group["labels"]["script_name"].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn what_scripts_tell_is_counted_checked_kept_and_looked_after() {
    let stack = stack();
    counters_grow_under_every_hand(&stack);
    texts_are_taken_whole_and_read_back(&stack);
    a_typo_changes_nothing(&stack);
    a_script_under_run_needs_no_name(&stack);
    quotas_and_findings(&stack);
    what_the_gateway_does_not_take_waits(&stack);
    groups_are_listed_deleted_and_pruned(&stack);
}

fn counters_grow_under_every_hand(stack: &Stack) {
    let push = ["push", "inc", "rows_total", "2", "table=a", "--script", SCRIPT];
    stack.run(&push).code(2).says(&["there is no metric `rows_total`", "add `--type counter`"]);
    stack.run(&[&push[..], &["--type", "counter", "--help-text", "Rows."]].concat()).code(0);
    let many: Vec<_> = (0..16).map(|_| stack.start(&push)).collect();
    for one in many {
        one.end().code(0);
    }
    // Another script knows it, too.
    stack.run(&["push", "inc", "rows_total", "table=a", "--script", "other"]).code(0);
    stack.sample(&format!(
        "rows_total{{script_name=\"{SCRIPT}\",table=\"a\",job=\"moko_scripts\",instance=\"here\"}} == 34"
    ));
    stack.sample("rows_total{script_name=\"other\"} == 1");
    let metadata = http::json(&format!("{}/api/v1/metadata?metric=rows_total", stack.url("prometheus"))).unwrap();
    assert_eq!(metadata["data"]["rows_total"][0]["type"], "counter");
    assert_eq!(metadata["data"]["rows_total"][0]["help"], "Rows.");
    // Both results begin with 0.
    let own = ["push", "inc", "moko_script_executions_total", "status=failure", "--script", SCRIPT];
    let output = stack.run(&[&own[..], &["--output", "json"]].concat()).code(0).json();
    assert_eq!(output["data"]["published"], json!(true));
    assert_eq!(output["data"]["metrics"][0]["value"], json!(1.0));
    stack.sample(&format!("moko_script_executions_total{{script_name=\"{SCRIPT}\",status=\"success\"}} == 0"));
}

fn texts_are_taken_whole_and_read_back(stack: &Stack) {
    let odd = format!("a\"b\\c\nd/🎉 {}", "x".repeat(10_000));
    let escaped = odd.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let text = format!(
        "# TYPE free_bytes gauge\nfree_bytes{{disk=\"{escaped}\"}} 1.5\n\
         # TYPE wait_seconds histogram\nwait_seconds_bucket{{le=\"1\"}} 1\nwait_seconds_bucket{{le=\"+Inf\"}} 3\n\
         wait_seconds_sum 7.25\nwait_seconds_count 3\nrows_total{{table=\"b\"}} 5\n"
    );
    piped(stack, &["push", "text", "--script", SCRIPT], &text).code(0);
    piped(stack, &["push", "text", "-", "--script", SCRIPT], &text).code(0);
    let free = pushed(stack, "free_bytes");
    assert_eq!(free.len(), 1);
    assert_eq!((free[0].0["disk"].as_str(), free[0].1.as_str()), (odd.as_str(), "1.5"));
    stack.sample("wait_seconds_count == 6");
    stack.sample("wait_seconds_sum == 14.5");
    stack.sample("wait_seconds_bucket{le=~\"1|1.0\"} == 2");
    stack.sample("rows_total{table=\"b\"} == 10");

    let bad = "rows_total{table=\"b\"} 5\nmoko_script_executions_total{status=\"ok\"} 1\n";
    piped(stack, &["push", "text", "--script", SCRIPT], bad)
        .code(2)
        .says(&["line 2: `status` is `ok`; expected `success` or `failure`", "nothing was counted"]);
    stack.run(&["push", "inc", "rows_total", "0", "table=b", "--script", SCRIPT]).code(0);
    assert!(pushed(stack, "rows_total").iter().any(|(labels, value)| labels["table"] == "b" && value == "10"));
}

fn a_typo_changes_nothing(stack: &Stack) {
    let before = everything(stack);
    for (arguments, says) in [
        (&["inc", "moko_script_executons_total", "status=success"][..], "did you mean `moko_script_executions_total`?"),
        (&["set", "moko_script_executions_total", "1", "status=success"], "use `moko-mon push inc"),
        (&["inc", "moko_script_executions_total", "status=succes"], "did you mean `success`?"),
        (&["inc", "moko_script_executions_total", "NaN", "status=success"], "neither NaN nor infinite"),
        (&["inc", "moko_script_executions_total", "-1", "status=success"], "a counter only grows"),
        (&["set", "moko_circuit_breaker_state", "1"], "needs the label `service`"),
        (&["set", "moko_circuit_breaker_state", "1", "service=x", "colour=y"], "has no label `colour`"),
    ] {
        stack.run(&[&["push"], arguments, &["--script", SCRIPT]].concat()).code(2).says(&[says]);
    }
    stack.run(&["push", "inc", "rows_total", "table=a"]).code(2).says(&["nothing says whose metric it is", "--script"]);
    assert_eq!(everything(stack), before);
}

fn a_script_under_run_needs_no_name(stack: &Stack) {
    let binary = env!("CARGO_BIN_EXE_moko-mon");
    let script = format!("{binary} push set moko_circuit_breaker_state half-open service=mail");
    stack.run(&["run", "--name", "wrapped", "--", "sh", "-c", &script]).code(0);
    stack.sample("moko_circuit_breaker_state{script_name=\"wrapped\",service=\"mail\"} == 2");
    stack.sample("moko_script_executions_total{script_name=\"wrapped\",status=\"success\"} == 1");
}

fn quotas_and_findings(stack: &Stack) {
    let reset = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1800;
    let answer = format!(
        "HTTP/2 200 \r\nx-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 100\r\nx-ratelimit-reset: {reset}\r\n\
         x-ratelimit-resource: core\r\n\r\n{{}}"
    );
    piped(stack, &["push", "github-rate-limit"], &answer).code(0);
    let all = json!({"resources": {"search": {"limit": 30, "remaining": 29, "reset": reset}}}).to_string();
    piped(stack, &["push", "github-rate-limit"], &all).code(0);
    // What the rules and the panels ask.
    stack.sample("1 - moko_api_rate_limit_remaining{api=\"github\"} / moko_api_rate_limit_total > 0.97");
    stack.sample(&format!("moko_api_rate_limit_reset_timestamp_seconds{{api=\"github-search\"}} == {reset}"));

    let result = |rule: &str, level: &str| json!({"ruleId": rule, "level": level, "message": {"text": rule}});
    let report = |results: &[Value]| {
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Scan"}}, "results": results}]}).to_string()
    };
    stack.write("first.sarif", &report(&[result("a", "error"), result("b", "note")]));
    stack.write("second.sarif", &report(&[result("a", "error"), result("c", "error")]));
    let first = stack.run(&["push", "findings", "first.sarif"]).code(0);
    assert_eq!(first.stdout, "scan: new 2 (1 high, 1 low), open 2 (1 high, 1 low), fixed 0\n");
    stack.run(&["push", "findings", "first.sarif"]).code(0);
    stack.sample("moko_security_findings_total{severity=\"high\",finding_type=\"scan\"} == 1");
    let second = stack.run(&["push", "findings", "second.sarif", "--output", "json"]).code(0).json();
    assert_eq!(second["data"]["findings"][0]["new"]["high"], 1);
    stack.sample("moko_security_findings_total{severity=\"high\"} == 2");
    stack.sample("moko_security_findings_open{severity=\"low\"} == 0");
    stack.sample("moko_security_findings_total{severity=\"critical\"} == 0");
    stack.write("none.sarif", "{}");
    stack.run(&["push", "findings", "none.sarif"]).code(2).says(&["`none.sarif`", "expected a report in SARIF 2.1.0"]);
}

fn what_the_gateway_does_not_take_waits(stack: &Stack) {
    let push = ["push", "inc", "rows_total", "table=c", "--script", SCRIPT];
    let container = stack.container("pushgateway");
    docker(&["stop", &container]);
    stack.run(&push).code(0).says(&["warning: could not publish", "the totals are kept"]);
    stack.run(&[&push[..], &["--strict"]].concat()).code(1).says(&["could not publish"]);
    let status = stack.run(&["push", "status"]).code(1).says(&["moko-mon push flush"]);
    assert!(status.stdout.contains(SCRIPT) && status.stdout.contains("Connection refused"), "{status}");
    stack.run(&["push", "flush"]).code(1).says(&["could not publish everything"]);
    docker(&["start", &container]);
    crate::support::eventually("the Pushgateway is back", || {
        let answer = http::get(&format!("{}/-/ready", stack.url("pushgateway")));
        crate::support::when(answer.0 == 200, answer)
    });
    // A group that the Pushgateway has lost is sent again, too.
    let lost = format!("{}/metrics/job/moko_scripts/instance/here/script_name/wrapped", stack.url("pushgateway"));
    assert_eq!(http::request("DELETE", &lost, None, None).0, 202);
    stack.run(&["push", "flush"]).code(0);
    assert!(scripts(stack).contains(&"wrapped".to_owned()));
    stack.sample("rows_total{table=\"c\"} == 2");
    let status = stack.run(&["push", "status", "--output", "json"]).code(0).json();
    assert_eq!(status["data"]["pending"], json!([]));

    // A type that another group has given to the metric.
    let other = format!("{}/metrics/job/other/instance/x", stack.url("pushgateway"));
    assert_eq!(http::request("PUT", &other, None, Some("# TYPE jobs_total gauge\njobs_total 1\n")).0, 200);
    let clash = ["push", "inc", "jobs_total", "--type", "counter", "--script", "clash"];
    stack.run(&clash).code(0).says(&["warning: could not publish `clash`", "the totals are kept"]);
    stack.run(&["push", "delete", "clash"]).code(0);
}

fn groups_are_listed_deleted_and_pruned(stack: &Stack) {
    let list = stack.run(&["push", "list"]).code(0);
    assert!(list.stdout.contains("this host") && list.stdout.contains("other"), "{list}");
    stack.run(&["push", "delete", "nobody"]).code(1).says(&["nothing is known of it here"]);
    stack.run(&["push", "delete", "--group", "job=other"]).code(1).says(&["instance=\"x\""]);
    stack.run(&["push", "delete", "--group", "job=other", "instance=x"]).code(0);
    stack.run(&["push", "delete", SCRIPT]).code(0);
    assert!(!scripts(stack).contains(&SCRIPT.to_owned()) && !scripts(stack).contains(&"-".to_owned()));

    stack.run(&["push", "inc", "moko_script_executions_total", "status=success", "--script", "kept"]).code(0);
    let gone = format!("{}/metrics/job/moko_scripts/instance/here/script_name/gone", stack.url("pushgateway"));
    assert_eq!(http::request("PUT", &gone, None, Some("x 1\n")).0, 200);
    let shown = stack.run(&["push", "prune"]).code(0);
    assert!(shown.stdout.contains("gone") && !shown.stdout.contains("kept"), "{shown}");
    assert!(shown.stdout.contains("nothing was deleted"), "{shown}");
    assert!(scripts(stack).contains(&"gone".to_owned()));
    stack.run(&["push", "prune", "--yes"]).code(0);
    assert!(!scripts(stack).contains(&"gone".to_owned()));
    assert!(scripts(stack).contains(&"kept".to_owned()));
    // What the manifest names stays, however old it is.
    stack.config("jobs:\n  - {name: kept, every: 1h}\n");
    let old = stack.run(&["push", "prune", "--older-than", "0s", "--output", "json"]).code(0).json();
    let names: Vec<&Value> =
        old["data"]["groups"].as_array().unwrap().iter().map(|group| &group["labels"]["script_name"]).collect();
    assert!(!names.is_empty() && !names.contains(&&json!("kept")), "{old}");
}
