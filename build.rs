//! Compiles the few lines that have to run before the Rust runtime does.

fn main() {
    let source = "src/run/closed_streams.c";
    println!("cargo::rerun-if-changed={source}");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        // As an object, not a library: nothing refers to it, and a linker would leave it out.
        for object in cc::Build::new().file(source).compile_intermediates() {
            println!("cargo::rustc-link-arg-bins={}", object.display());
        }
    }
}
