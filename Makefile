# make quickstart · make test · make test-pages · make test-services · make test-servers · make install · make parity · make new-stage · make bench · make docs · make format · make lint · make emulated · make sanitize · make bounds · make fuzz

SHELL := bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.PHONY: quickstart test test-pages test-services test-servers build install packages pip docs format lint bench bench-runner bench-engine bench-tokenizer bench-data bench-experiment bench-search new-stage emulated sanitize bounds fuzz parity

EXPERIMENT ?= experiments/quickstart.yaml
# Stages whose generations quickstart shows side by side.
BEFORE_AFTER ?= before_score quark@last.judge

# From a clone to a steered model: packages, build, model, run, table, samples.
quickstart: packages
	@swift build -c release --product plumb
	.build/release/plumb run $(EXPERIMENT)
	echo
	.build/release/plumb samples $(EXPERIMENT) $(BEFORE_AFTER) --count 5

# The whole suite, in release mode: the build that runs experiments is the build that is tested.
test: build
	@mkdir -p .build
	status=0
	swift test -c release --skip-build 2>&1 | tee .build/test.log \
	  | sed -Eun '/^(✔ Suite|✘|↳|➜)|recorded an issue|error:/p' \
	  || status=$$?
	echo
	grep -E 'Test run with' .build/test.log || echo "the test run did not finish"
	if (( status )); then
	  echo "make test: FAILED (exit $$status); the full output is in .build/test.log"
	  exit 1
	fi
	echo "make test: passed"

# The program, its completions for bash, and its license. `make install PREFIX=~/.local` for one user alone.
PREFIX ?= /usr/local
install: packages
	@swift build -c release --product plumb
	install -D -m 755 .build/release/plumb $(DESTDIR)$(PREFIX)/bin/plumb
	.build/release/plumb --generate-completion-script bash > .build/plumb.bash
	install -D -m 644 .build/plumb.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/plumb
	echo "installed $(DESTDIR)$(PREFIX)/bin/plumb"

# Pages in a real browser, which is installed where it is missing.
test-pages: build
	@command -v chromium > /dev/null || $(MAKE) packages ALSO=chromium
	swift test -c release --skip-build --filter PagesTests 2>&1 | tee .build/test-pages.log | sed -Eun '/^(✔ Suite|✘|↳)|recorded an issue|error:|Test run with/p'
	! grep -q 'skipped' .build/test-pages.log
	echo "make test-pages: passed"

# What a run writes for other programs, read by those programs, which pip installs; and a server that speaks HTTP/2.
test-services: packages pip
	@for program in nghttpx openssl; do
	  PATH="$$PATH:/usr/sbin" command -v $$program > /dev/null || { $(MAKE) packages ALSO="nghttp2-proxy openssl"; break; }
	done
	swift build -c release --product plumb
	Tests/Services/http2 .build/release
	Tests/Services/run .build/release

# Real servers of language models, asked by every stage that asks. The first time builds llama.cpp from pip's source, and fetches
# transformers: ten minutes or more, and some gigabytes. SERVERS=transformers is one of them alone.
SERVERS ?= llama transformers
test-servers: packages pip
	@swift build -c release --product plumb
	Tests/Servers/run .build/release $(SERVERS)

build: packages
	@swift build -c release --build-tests

# Models beside transformers, PyTorch and gguf: what convert and training write is loaded there, with the same logits; and training
# beside experiments/programs/train_torch.py. A line a check.
parity: build pip
	@Tests/Parity/run .build/release

# The runner beside DVC and Snakemake, the engines beside transformers and llama.cpp, tokenizing beside tokenizers, data beside
# pyarrow, the quickstart as a whole beside transformers and llama.cpp; installed with pip where possible. No test depends on a
# time. BENCH="--repeat 3" reaches all; bench-runner, bench-engine, bench-tokenizer, bench-data and bench-experiment do one, with
# options of their own. bench-search compares the search of hyperparameters with Optuna.
bench: bench-runner bench-engine bench-tokenizer bench-data bench-experiment
bench-runner: packages pip
	@swift build -c release --product plumb
	Benchmarks/runner.py $(BENCH)
bench-engine: packages pip
	@swift build -c release --product EngineBench
	Benchmarks/engine.py $(BENCH)
bench-tokenizer: packages pip
	@swift build -c release --product EngineBench
	swift build -c release --product plumb
	Benchmarks/tokenizer.py $(BENCH)
bench-data: packages pip
	@swift build -c release --product plumb
	swift build -c release --product DataBench
	Benchmarks/data.py $(BENCH)
# The model is in the cache after `make quickstart`.
bench-experiment: packages pip
	@swift build -c release --product plumb
	Benchmarks/experiment.py $(BENCH)
bench-search: packages pip
	@swift build -c release --product SearchBench
	Benchmarks/search.py $(BENCH)

# A package with a stage of its own, as `plumb new-stage` writes it: built from nothing, tested, and its experiment run. Debug
# mode, which takes half the time; its objects have a folder of their own, so that a second time takes seconds.
NEW_STAGE := .build/new-stage
new-stage: packages
	@swift build -c release --product plumb
	rm -rf $(NEW_STAGE)/keep-long
	.build/release/plumb new-stage keep-long $(NEW_STAGE)/keep-long
	cd $(NEW_STAGE)/keep-long
	swift build --build-tests --scratch-path ../scratch
	swift test --skip-build --scratch-path ../scratch
	../scratch/debug/keep-long run experiment.yaml
	../scratch/debug/keep-long export experiment.yaml::long taken
	diff <(grep -o '"id":"q[0-9]"' taken/rows.jsonl | tr -d '\n') <(printf '"id":"q%s"' 2 4 5)
	../scratch/debug/keep-long run experiment.yaml 2>&1 | grep 'nothing to run'
	echo "make new-stage: passed"

# docs/reference, from what the program declares about itself. A test holds it current.
docs:
	@swift build -c release --product plumb
	.build/release/plumb stages --markdown docs/reference/stages
	.build/release/plumb explain --markdown > docs/reference/mistakes.md
	.build/release/plumb schema --markdown > docs/reference/experiment.md
	.build/release/plumb schema > docs/reference/experiment.schema.json

# What the system must provide: libyaml, SQLite, libcrypto, zlib, libzstd and pkg-config to build; libcurl and certificates to fetch models.
packages:
	@missing=($(ALSO))
	command -v pkg-config > /dev/null || missing+=(pkg-config)
	pkg-config --exists yaml-0.1 2> /dev/null || missing+=(libyaml-dev)
	pkg-config --exists sqlite3 2> /dev/null || missing+=(libsqlite3-dev)
	pkg-config --exists libcrypto 2> /dev/null || missing+=(libssl-dev)
	pkg-config --exists zlib 2> /dev/null || missing+=(zlib1g-dev)
	pkg-config --exists libzstd 2> /dev/null || missing+=(libzstd-dev)
	PATH="$$PATH:/sbin:/usr/sbin" ldconfig -p 2> /dev/null | grep -E 'libcurl(-gnutls)?\.so\.4' > /dev/null || missing+=(libcurl4)
	[[ -d /etc/ssl/certs ]] || missing+=(ca-certificates)
	if ! command -v swift > /dev/null; then
	  echo "swift not found: install Swift 6.3 from https://www.swift.org/install and run make again" >&2
	  exit 1
	fi
	if (( $${#missing[@]} == 0 )); then exit 0; fi
	if ! command -v apt-get > /dev/null; then
	  echo "missing: $${missing[*]} (Debian's names); install them with your package manager and run make again" >&2
	  exit 1
	fi
	apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
	if (( $$(id -u) != 0 )); then
	  if command -v sudo > /dev/null && { [[ -t 0 ]] || sudo -n true 2> /dev/null; }; then
	    apt=(sudo "$${apt[@]}")
	  else
	    echo "missing: $${missing[*]}; run this line, then run make again:" >&2
	    echo "  su -c 'apt-get update && apt-get install -y $${missing[*]}'" >&2
	    exit 1
	  fi
	fi
	echo "installing $${missing[*]}"
	"$${apt[@]}" update -qq
	"$${apt[@]}" install -y -qq --no-install-recommends "$${missing[@]}"

# For what other programs are brought by pip.
pip:
	@python3 -m pip --version > /dev/null 2>&1 || $(MAKE) packages ALSO=python3-pip

format:
	@swift format --in-place --parallel -r Sources Tests Benchmarks Package.swift

lint:
	@swift format lint --strict --parallel -r Sources Tests Benchmarks Package.swift

# Every kernel on every instruction set, emulated where this processor lacks it. The first time builds an emulator.
emulated:
	@Tests/Emulated/run

# Kernels and their threads under the sanitizers.
sanitize:
	@Tests/Emulated/sanitize

# The element functions and activations over all floats, beside the C library's in double.
bounds:
	@Tests/Bounds/run

# The readers of files and chat templates on inputs that libFuzzer makes up, each format for so many seconds.
SECONDS_EACH ?= 300
fuzz:
	@Tests/Fuzz/run $(SECONDS_EACH)
