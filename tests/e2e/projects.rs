//! Two projects on one engine, and two moko-mon on one project.

use crate::support::{ALL, Stack};

#[test]
fn two_projects_side_by_side_never_see_each_other() {
    // One name is the beginning of the other: filters of the engine match parts of names.
    let first = Stack::new("side");
    let mut second = Stack::new("side");
    second.name = format!("{}-b", first.name);
    second.set("MOKO_MON_PROJECT", &second.name.clone());
    first.up();
    second.up();
    first.assert_converged(&ALL);
    second.assert_converged(&ALL);
    assert_ne!(first.password(), second.password());
    let before = second.lives();
    first.run(&["down", "--volumes", "--yes"]).code(0);
    first.assert_nothing_there();
    assert_eq!(second.touched(&before), Vec::<String>::new());
    second.assert_converged(&ALL);
}

#[test]
fn of_two_ups_at_once_one_works_and_the_other_is_told_who() {
    let stack = Stack::new("twice");
    for round in 0..2 {
        let mut first = stack.start(&["up"]);
        first.until(&stack.name);
        let second = stack.run(&["up"]).code(4);
        let down = stack.run(&["down"]).code(4);
        let holder = format!("process {}", first.child.id());
        for other in [second, down] {
            other.says(&["another moko-mon", &holder]);
        }
        // Those that only look are never kept out.
        stack.run(&["status", "--output", "json"]);
        let first = first.end();
        assert_eq!(first.code, 0, "{first}");
        stack.assert_converged(&ALL);
        if round == 0 {
            stack.run(&["down"]).code(0);
        }
    }
    // The lock dies with its holder.
    stack.run(&["down"]).code(0);
    let mut killed = stack.start(&["up"]);
    killed.until(&stack.name);
    killed.signal("KILL");
    killed.end();
    stack.up();
    stack.assert_converged(&ALL);
}
