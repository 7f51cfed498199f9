//! Secrets reach those who need them, and are seen nowhere else.

use std::io::Read as _;
use std::process::Command;

use super::world::{SECRETS, World, alert};
use crate::support::docker::attempt;

/// Another password for mail alone: `up` delivers it, and the next mail is sent with it. Returns the new one.
pub(super) fn a_changed_password_is_delivered(world: &World) -> String {
    let password = format!("{}-changed", SECRETS[9]);
    world.stack.write("secrets/smtp", &format!("{password}\n"));
    for sink in [&world.starttls, &world.implicit] {
        sink.password(&password);
    }
    let plan = world.stack.plan();
    assert!(!plan.is_empty() && plan.iter().all(|step| step.starts_with("alertmanager ")), "{plan:?}");
    let lives = world.stack.lives();
    world.stack.up();
    assert_eq!(world.stack.touched(&lives), ["alertmanager"], "{plan:?}");
    assert_eq!(world.stack.plan(), Vec::<String>::new());
    world.send(&[alert(&[("alertname", "Changed"), ("severity", "critical"), ("team", "all")])]);
    world.mails("Changed");
    password
}

/// In the volume they are for Alertmanager alone; on the engine, in logs and in what moko-mon says they are not.
pub(super) fn nobody_sees_them(world: &World, password: &str) {
    let container = world.stack.container("alertmanager");
    let output = Command::new("docker").args(["cp", &format!("{container}:/run/secrets/moko-mon"), "-"]).output();
    let mut archive = tar::Archive::new(std::io::Cursor::new(output.unwrap().stdout));
    let mut seen = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let header = entry.header();
            let access = (header.mode().unwrap() & 0o7777, header.uid().unwrap());
            assert_eq!(access, (0o400, 65534), "{:?}", entry.path());
            entry.read_to_string(&mut seen).unwrap();
        }
    }
    let secrets = || SECRETS.into_iter().chain([password]);
    for secret in secrets().filter(|secret| *secret != SECRETS[9]) {
        assert!(seen.contains(secret), "{secret} is not there");
    }

    for command in [&["status"][..], &["verify"], &["config", "show"], &["logs"]] {
        world.stack.run(command);
    }
    let mut seen = world.stack.said();
    for name in world.stack.containers() {
        seen += &attempt(&["inspect", "--type", "container", &name]).to_string();
        seen += &attempt(&["logs", &name]).to_string();
        seen += &attempt(&["top", &name]).to_string();
    }
    for name in world.stack.volumes() {
        seen += &attempt(&["volume", "inspect", &name]).to_string();
    }
    for secret in secrets() {
        let at = seen.find(secret);
        assert_eq!(
            at,
            None,
            "{secret}: {}",
            at.map_or("", |at| seen.get(at.saturating_sub(300)..at + 40).unwrap_or(""))
        );
    }
}
