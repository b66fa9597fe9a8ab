# Tandem. `make run` and `make test` need nothing but Rust and, the first time, a way to install
# packages (scripts/setup.sh says which).

# Everything below looks for the programs in target/, whatever the user's own default is.
export CARGO_TARGET_DIR := $(CURDIR)/target

TANDEM_DIR ?= .tandem

.PHONY: help run test bench setup openapi fmt clean-data

help: ## this list
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | while read -r target text; do printf '  %-12s%s\n' "$$target" "$$text"; done

run: ## build and start everything with a demo company; Ctrl-C stops it (ARGS="--no-demo": empty)
	@scripts/setup.sh run
	@echo "Building Tandem (the first time takes some minutes)"
	@cargo build --release -p tandem
	@exec scripts/foreground.sh target/release/tandem up $(ARGS)

test: ## every check and every test
	@exec scripts/test.sh

bench: ## speed, as ratios to PostgreSQL's own limit (see bench/README.md)
	@scripts/setup.sh bench
	@exec bench/run.sh

setup: ## install what run, test and bench need
	@scripts/setup.sh run
	@scripts/setup.sh test
	@scripts/setup.sh bench

openapi: ## write openapi/*.json anew from the routes
	cargo run -q -p tandem -- openapi openapi

fmt: ## format the code
	cargo fmt --all

clean-data: ## stop the private PostgreSQL cluster and delete it with all its data
	cargo run -q --release -p private-postgres -- remove $(TANDEM_DIR)/postgres
	rm -rf $(TANDEM_DIR)
