# What a person runs. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo setup setup-tests test lint bench bench-record fuzz autobahn

# Mesa's device-select layer asks a display server which GPU to prefer, and complains where there is none.
export NODEVICE_SELECT := 1

DEMO := target/demo/demo.ome.zarr
DATA ?= $(DEMO)
LUCIDA := cargo run --quiet --release --bin lucida --

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Build, then serve the demo image, or the one at DATA=path
	cargo build --release --bin lucida
	@if [ "$(DATA)" = "$(DEMO)" ]; then $(LUCIDA) demo --if-missing "$(DEMO)"; fi
	@exec $(LUCIDA) serve "$(DATA)"

demo: setup ## Write the demo image where it is missing
	cargo build --release --bin lucida
	@$(LUCIDA) demo --if-missing "$(DEMO)"

setup: ## Install the system packages that building and drawing need, where they are missing
	@scripts/setup run

setup-tests: ## The same, and what only tests need: Mesa's software driver, Chromium
	@scripts/setup test

test: setup-tests ## Run every test, the doc tests, and one iteration of every bench
	cargo test --workspace --all-targets
	cargo test --workspace --doc

lint: setup ## Check formatting, clippy and the documentation's links; warnings are errors
	@cargo fmt --version >/dev/null && cargo clippy --version >/dev/null || { \
		echo "make lint needs two parts of the toolchain: rustup component add rustfmt clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

bench: setup ## Measure what a user waits for, in release, and print it as one table
	cargo bench --bench table

bench-record: setup ## The same, and append it to benches/history.jsonl, with which later runs are compared
	LUCIDA_BENCH_RECORD=1 cargo bench --bench table

FUZZ_MINUTES ?= 10
fuzz: setup ## Run each fuzzer for FUZZ_MINUTES=10; needs a nightly compiler
	@scripts/fuzz $(FUZZ_MINUTES)

autobahn: setup ## Run the Autobahn test suite against the WebSockets, where wstest is installed
	cargo test --test autobahn -- --nocapture
