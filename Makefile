# The two commands of the README are `make up` and `make test`; `make` alone lists the rest.

SHELL := bash
.DEFAULT_GOAL := help

# Arguments for moko-mon: make up ARGS="--dry-run"
ARGS ?=
# End-to-end tests mostly wait for servers, so more of them at once than there are cores.
E2E_THREADS ?= 4

binary := $(or $(CARGO_TARGET_DIR),target)/release/moko-mon
rust_version := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
scripts := $(wildcard .ci/*) compose/local-images/build compose/local-images/fetch-debs \
	compose/local-images/grafana-stand-in/run.sh

.PHONY: help
help: ## This list
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-12s %s\n", $$1, $$2 }'

.PHONY: build
build: need-rust ## Build the release binary: target/release/moko-mon
	cargo build --release --locked

.PHONY: up
up: build ## Start the stack: engine, images and binary included
	@.ci/engine
	@.ci/with-images $(binary) up $(ARGS)

.PHONY: down
down: build ## Take the stack away; data is kept unless ARGS="--volumes --yes"
	@$(binary) down $(ARGS)

# Fast ones first; the last lines are cargo's own summary.
.PHONY: test
test: test-fast ## All tests: fast ones, then end to end with a real engine and real servers
	@$(MAKE) --no-print-directory test-e2e

.PHONY: test-fast
test-fast: need-rust ## Tests that need no Docker
	cargo test --locked

.PHONY: test-e2e
test-e2e: need-rust ## End-to-end tests: real engine, real servers from local images
	@.ci/engine
	@.ci/example-tools
	.ci/with-images --local cargo test --locked --features e2e --test e2e --test compose_e2e -- --test-threads=$(E2E_THREADS)

.PHONY: bench
bench: need-rust ## Compare with Docker Compose and with the bare engine calls, side by side; then rules and panels at scale, and verify
	@.ci/engine
	.ci/with-images --local cargo bench --locked --features e2e --bench stack
	@$(MAKE) --no-print-directory bench-scale bench-verify

.PHONY: bench-scale
bench-scale: need-rust ## Rules and panels with 10, 100 and 1,000 scripts on two hosts
	@.ci/engine
	.ci/with-images --local cargo bench --locked --features e2e --bench scale

.PHONY: bench-verify
bench-verify: need-rust ## Verify on the default stack, and with 1,000 targets, 2,000 rules and 400 panels
	@.ci/engine
	.ci/with-images --local cargo bench --locked --features e2e --bench verify

.PHONY: bench-run
bench-run: need-rust ## What `run` adds to a command: time, memory, speed of a pipe, beside other wrappers
	@.ci/engine
	.ci/with-images --local cargo bench --locked --features e2e --bench run

.PHONY: images
images: ## Build local images of the servers from Debian's packages and print their settings
	@.ci/engine
	@compose/local-images/build

# What is not installed is named, so that a clean result never means "not looked at".
.PHONY: lint
lint: need-rust ## Format, clippy, documentation, scripts, dependencies; warnings are errors
	cargo fmt --check
	cargo clippy --locked --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features
	@if command -v shellcheck >/dev/null; then \
		echo "shellcheck $(scripts)"; shellcheck $(scripts); \
	else \
		echo "NOT CHECKED: the scripts (shellcheck is not installed: apt-get install shellcheck)" >&2; \
	fi
	@if cargo deny --version >/dev/null 2>&1; then \
		echo "cargo deny check"; cargo deny check; \
	else \
		echo "NOT CHECKED: licences and advisories of the dependencies (cargo install --locked cargo-deny)" >&2; \
	fi
	@if cargo +$(rust_version) --version >/dev/null 2>&1; then \
		echo "cargo +$(rust_version) check"; cargo +$(rust_version) check --locked --all-features; \
	else \
		echo "NOT CHECKED: that Rust $(rust_version) is enough (rustup toolchain install $(rust_version))" >&2; \
	fi

.PHONY: need-rust
need-rust:
	@command -v cargo >/dev/null || { \
		echo "error: \`cargo\` is not installed: install Rust $(rust_version) or newer (with rustup), then run this again" >&2; \
		exit 1; }
