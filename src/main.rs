//! The `moko-mon` binary.

fn main() {}
