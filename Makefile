# Two commands on a fresh Debian machine: `make demo` and `make test`. They share one build.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Release with testability: the tests, the demo and the tools are one and the same build, so nothing compiles twice.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BIN := .build/release
OUT ?= runs/demo
# How long the fuzz tests go on, all together and beside the others (CONTRIBUTING.md).
APUS_FUZZ_SECONDS ?= 60
# Which rows `make bench` measures (all and the page without; `scripts/bench/main.py --list`), and how often.
ROWS ?=
BENCH_ROUNDS ?= 5

RUN_PACKAGES := libopenblas-dev libzmq3-dev libssl-dev libsqlite3-dev
# The NEON row is compiled with the cross compiler and run under user-mode emulation.
TEST_PACKAGES := $(RUN_PACKAGES) qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross

.PHONY: help demo test build lint format bench docs messages clean packages test-packages test-swift test-generate \
	test-audit test-neon test-bench

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## Build, then watch a swarm train a policy while a cheat is caught (about a minute)
	@$(BIN)/apus demo --out $(OUT)

build: packages ## Build every executable into .build/release
	@swift build $(SWIFT_FLAGS)

test: test-packages test-bench test-swift test-generate test-audit test-neon ## Build and run the whole test suite

test-swift:
	@swift build $(SWIFT_FLAGS) --build-tests
	@scripts/run-tests.sh $(SWIFT_FLAGS) --skip-build
	@# By themselves: beside them, tests of sockets and deadlines would starve.
	@APUS_FUZZ_SECONDS=$(APUS_FUZZ_SECONDS) scripts/run-tests.sh $(SWIFT_FLAGS) --skip-build \
		--filter 'SafetensorsTests|TokenizersTests'

test-generate:
	@scripts/check-generate.sh

test-audit:
	@scripts/check-audit.sh

test-neon:
	@scripts/check-neon.sh

test-bench:
	@python3 -m unittest discover -q -s scripts/bench

lint: ## Check the format of the sources and the rules of the house
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests environments rewards Plugins
	@scripts/check-house.sh

format: ## Format the sources in place
	@swift format --in-place --parallel --recursive Package.swift Sources Tests environments rewards Plugins

bench: build ## Measure this machine beside llama.cpp and PyTorch, write docs/benchmarks.md (ROWS="generate-s-64": only print)
	@scripts/peers.sh >/dev/null
	@BENCH_ROUNDS=$(BENCH_ROUNDS) python3 scripts/bench/main.py --rows "$(ROWS)"

docs: build ## Regenerate the pages that are made from the code
	@scripts/make-docs.sh

messages: ## Regenerate the wire schema's Swift code (needs protoc)
	@scripts/generate-messages.sh

packages:
	@scripts/install-packages.sh $(RUN_PACKAGES)

test-packages:
	@scripts/install-packages.sh $(TEST_PACKAGES)
	@# Without it the tests that need it say so and are skipped.
	@scripts/nginx.sh >/dev/null || true

clean: ## Remove build products (runs are kept)
	@rm -rf .build
