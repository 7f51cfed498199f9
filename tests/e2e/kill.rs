//! SIGKILL at moments spread over an `up`: one more `up` converges, and nothing is left over.
//!
//! Where exactly a kill strikes differs from run to run; what has to hold afterwards does not.
//! `E2E_KILL_POINTS` sets how many moments each sweep tries.

use std::time::{Duration, Instant};

use crate::support::{ALL, Stack};

fn points() -> u32 {
    std::env::var("E2E_KILL_POINTS").ok().and_then(|count| count.parse().ok()).unwrap_or(10)
}

/// Runs `up` and kills it after a while; says whether it was still running.
fn kill_after(stack: &Stack, delay: Duration) -> bool {
    let mut up = stack.start(&["up"]);
    std::thread::sleep(delay);
    let killed = up.child.try_wait().unwrap().is_none();
    let _ = up.child.kill();
    let _ = up.child.wait();
    killed
}

/// One `up` converges from here, and the next has nothing to do.
fn assert_one_up_heals(stack: &Stack, at: Duration) {
    let output = stack.run(&["up"]);
    assert_eq!(output.code, 0, "killed after {at:?}\n{output}");
    stack.assert_converged(&ALL);
}

#[test]
fn a_fresh_up_killed_at_any_moment_is_healed_by_one_up() {
    let stack = Stack::new("kfresh");
    let started = Instant::now();
    stack.up();
    let whole = started.elapsed();
    let mut killed = 0;
    for point in 0..points() {
        stack.run(&["down", "--volumes", "--yes"]).code(0);
        let at = whole * (2 * point + 1) / (2 * points());
        killed += u32::from(kill_after(&stack, at));
        assert_one_up_heals(&stack, at);
    }
    assert!(killed > 0, "no kill came before the end");
}

#[test]
fn a_replacement_killed_at_any_moment_is_healed_by_one_up() {
    let mut stack = Stack::new("kreplace");
    // Every other time another limit: all four containers are replaced.
    let change = |stack: &mut Stack, step: u32| {
        for component in ["PROMETHEUS", "ALERTMANAGER", "PUSHGATEWAY", "GRAFANA"] {
            stack
                .set(&format!("MOKO_MON_{component}_MEMORY"), if step.is_multiple_of(2) { "512MiB" } else { "640MiB" });
        }
    };
    change(&mut stack, 0);
    stack.up();
    let password = stack.password();
    change(&mut stack, 1);
    let started = Instant::now();
    stack.up();
    let whole = started.elapsed();
    let mut killed = 0;
    for point in 0..points() {
        change(&mut stack, point);
        let at = whole * (2 * point + 1) / (2 * points());
        killed += u32::from(kill_after(&stack, at));
        assert_one_up_heals(&stack, at);
        assert_eq!(stack.password(), password, "killed after {at:?}");
    }
    assert!(killed > 0, "no kill came before the end");
}
