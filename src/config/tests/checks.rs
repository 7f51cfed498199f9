//! The user's own checks.

use super::super::*;
use super::{Case, refusals};

#[test]
fn checks_are_read_with_their_defaults() {
    let yaml = "checks:\n  - {name: jobs, expr: jobs, expect: \"> 0\"}\n  - name: none\n    expr: errors\n    expect: absent\n    \
                message: Errors.\n    severity: warn\n";
    let checks = Case::new(yaml).config().checks;
    assert_eq!(
        (checks[0].expect, checks[0].severity),
        (Expectation::Every(crate::promql::Comparison::Above, 0.0), Severity::Fail)
    );
    assert_eq!((checks[1].expect, checks[1].severity), (Expectation::Absent, Severity::Warn));
    assert_eq!((checks[0].place.as_str(), checks[1].place.as_str()), ("moko-mon.yaml:2:24", "moko-mon.yaml:4:11"));
    assert_eq!((checks[0].message.as_deref(), checks[1].message.as_deref()), (None, Some("Errors.")));
}

#[test]
fn what_is_wrong_with_a_check_is_told_with_its_place() {
    insta::assert_snapshot!(refusals(&[
        "checks:\n  - expr: up\n    expect: absent\n",
        "checks:\n  - name: My Check\n    expr: up\n    expect: absent\n",
        "checks:\n  - name: a\n    expr: up\n    expect: more\n    severity: error\n",
        "checks:\n  - name: a\n    expr: up\n    expect: \"> many\"\n",
        "checks:\n  - {name: a, expr: up, expect: absent}\n  - {name: a, expr: up, expect: absent}\n",
    ]), @r#"
    moko-mon.yaml:2:5: checks[0].name: the key is missing; expected a name of `a-z`, `0-9`, `-` and `_`, starting with a letter
    moko-mon.yaml:2:11: checks[0].name: `My Check` is not a check name; expected a name of `a-z`, `0-9`, `-` and `_`, starting with a letter
    moko-mon.yaml:4:13: checks[0].expect: `more` is nothing that can be expected; expected `"> 0"` (or `>=`, `<`, `<=`, `==`, `!=`), `absent` or `at least 3 series`
    moko-mon.yaml:5:15: checks[0].severity: `error` is unknown; expected one of `fail` or `warn`
    moko-mon.yaml:4:13: checks[0].expect: `> many` does not compare with a number; expected `"> 0"` (or `>=`, `<`, `<=`, `==`, `!=`), `absent` or `at least 3 series`
    moko-mon.yaml:3:12: checks[1].name: `a` is there twice; expected another name: `checks[0]` has it already
    "#);
}
