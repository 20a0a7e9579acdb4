# The few commands people type; CMake and Ninja do the work. `make help` lists them.
BUILD ?= build
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
VENV := $(BUILD)/venv/bin

.PHONY: help quickstart build check nightly install lint sanitize coverage fuzz docs release bench-detect bench-scan bench-aggregate bench-audit format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

quickstart: build ## install what is missing, build, find a planted trigger in real data
	@tools/quickstart.sh $(BUILD) $(DATA)

build: ## build build/bezoar (Release, GCC)
	@tools/bootstrap.sh build
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX) >$(BUILD).cmake.log 2>&1 || { cat $(BUILD).cmake.log; exit 1; }
	@rm -f $(BUILD).cmake.log
	@test -x $(BUILD)/bezoar || echo "building $(BUILD)/bezoar (a minute or two)"
	@ninja -C $(BUILD) --quiet >$(BUILD)/build.log || { cat $(BUILD)/build.log; exit 1; }

check: ## install what is missing, run all tests
	@tools/bootstrap.sh build check
	@$(MAKE) --no-print-directory build
	@tools/run_tests.sh $(BUILD)

nightly: check ## the same, then property tests twenty times as long, on examples of their own; models of every library
	@tools/ordinary_models.sh $(BUILD)
	@BEZOAR_EXAMPLES=20 $(VENV)/python -m pytest -q tests/python/test_aggregate_reference.py

install: build ## install library, command, headers, man pages and completions under PREFIX
	@cmake --install $(BUILD) --prefix $(PREFIX)

lint: ## clang-format, clang-tidy, shellcheck, layers, duplicates of table rows
	@tools/bootstrap.sh build check lint
	@tools/lint.sh

sanitize: ## AddressSanitizer and UndefinedBehaviorSanitizer build, unit tests, corpora, command-line tests
	@tools/bootstrap.sh build check lint
	@CC=clang cmake -S . -B build-asan -G Ninja -DBEZ_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	@ninja -C build-asan --quiet
	@tools/run_tests.sh build-asan --no-python

coverage: ## line and branch coverage of the unit and command-line tests in build-coverage/
	@tools/bootstrap.sh build check
	@tools/coverage.sh

fuzz: ## fuzz each target for FUZZ_SECONDS (default 600) of CPU time
	@tools/bootstrap.sh build lint
	@tools/fuzz.sh $(FUZZ_TARGETS)

docs: build ## regenerate the reference pages from the tables
	@tools/gen_docs.sh $(BUILD)

bench-detect: build ## the truth table: attacks, seeds, clean data, peers
	@tools/bootstrap.sh check
	@bench/detect/run.sh
	@bench/images/run.sh

bench-scan: build ## the speed table: reading, whole scans, growth, peers
	@tools/bootstrap.sh check
	@bench/scan/run.sh
	@bench/images/run.sh --speed

bench-aggregate: build ## the speed table of aggregation: a floor, ssyrk, Flower, ByzFL, memory, growth
	@tools/bootstrap.sh check
	@bench/aggregate/run.sh

bench-audit: build ## the speed of scanning models: SHA-256, picklescan, modelscan, bombs
	@bench/audit/run.sh

bench-vault: build ## the speed of the vault: commits, versions, proofs; git, DVC, Oxen, git-annex
	@bench/vault/run.sh

release: ## wheel and .deb in dist/
	@tools/bootstrap.sh build check
	@packaging/release.sh

format: ## clang-format in place
	@clang-format -i $$(git ls-files '*.c' '*.h')

clean: ## remove build folders
	@rm -rf build build-asan build-clang build-fuzz build-coverage dist
