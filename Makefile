# carillon. `make help` lists what there is.

GO ?= go
GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT := $(GO) run mvdan.cc/gofumpt@v0.12.0
FUZZTIME ?= 20s
KILLS ?= 50
# Where twilio_api_v2010.json and twilio_verify_v2.json are: a checkout of github.com/twilio/twilio-oai
REFEREE_OAI ?= $(firstword $(wildcard ../shared/oai ../twilio-oai/spec/json) ../twilio-oai/spec/json)
PRISM := 5.14.2
NPM_TWILIO := 6.2.0
SECONDS ?= $(if $(HOURS),$(shell awk 'BEGIN { printf "%d", $(HOURS) * 3600 }'),300)
SUITE ?= full
COMMIT := $(shell git describe --always --abbrev=12 --exclude '*' --dirty=+changes 2>/dev/null)
STAMP := $(if $(COMMIT),-ldflags "-X main.commit=$(COMMIT)")
PEERS ?= short
COUNT ?= 10

.DEFAULT_GOAL := help
.PHONY: help build run test check race vet lint fmt fuzz kill referee sim proc crash mutants bench bench-peers bench-parts bench-once clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/carillon
	@mkdir -p bin
	$(GO) build -trimpath $(STAMP) -o bin/carillon ./cmd/carillon

run: build ## The demo: texts go out in the sandbox, on loopback
	./bin/carillon demo

test: ## Every test
	$(GO) test ./...

check: fmtcheck vet lint race ## What has to pass before a commit: format, vet, lint, race tests

race: ## Every test under the race detector
	$(GO) test -race ./...

vet:
	$(GO) vet ./...

lint: ## golangci-lint, pinned
	$(GOLANGCI) run ./...

fmt: ## Format
	$(GOFUMPT) -w -extra .

.PHONY: fmtcheck
fmtcheck:
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted: $$out"; exit 1; fi

fuzz: ## Each fuzz target for FUZZTIME
	@set -e; for dir in $$(grep -rl --include='*_test.go' 'func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE 'func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -d' ' -f2 | sort -u); do \
	    echo "$$dir $$f"; $(GO) test $$dir -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME); done; done

kill: ## kill -9 the real binary KILLS times with writes and sends going on
	CARILLON_TEST_KILLS=$(KILLS) $(GO) test -count=1 -v -run TestKilled ./cmd/carillon

sim: build ## The simulation: kept seeds, then fresh ones for SECONDS or HOURS; every fault class must come; REPORT names a file
	./bin/carillon sim campaign --seconds $(SECONDS) $(if $(REPORT)$(HOURS),--report $(or $(REPORT),bin/sim-report.md))

proc: build ## Real processes under kills, stops, no disk, no memory and broken lines for SECONDS (Linux)
	$(GO) run ./sim/proc/campaign --seconds $(SECONDS)

crash: SECONDS = 120
crash: build ## The store campaign for SECONDS, then its controls: crash states, failing system calls, damage, a small disk
	./bin/carillon sim crash --seconds $(SECONDS)

mutants: ## Plant bugs in a copy of the source, one at a time, and see which the simulation finds
	$(GO) run $(STAMP) ./sim/mutate $(if $(REPORT),-report $(REPORT))

referee: ## Prism with Twilio's OpenAPI files, and npm twilio, as judges of our fake and our signatures
	@if ! command -v npm >/dev/null || ! [ -f "$(REFEREE_OAI)/twilio_api_v2010.json" ]; then \
	  echo "referee: skipped, it needs node and REFEREE_OAI, a folder with Twilio's OpenAPI files"; exit 0; fi; \
	npm install --silent --no-audit --no-fund --prefix bin/referee @stoplight/prism-cli@$(PRISM) twilio@$(NPM_TWILIO) || \
	  { echo "referee: skipped, the npm packages are not to be had"; exit 0; }; \
	REFEREE_NODE_MODULES="$(CURDIR)/bin/referee/node_modules" REFEREE_OAI="$(abspath $(REFEREE_OAI))" \
	  $(GO) test -count=1 -tags referee ./actors/provider/twilio/twiliotest

bench: build ## Every workload on this machine; SUITE=full, short (fewer runs) or quick (to try it)
	./bin/carillon bench all --suite $(SUITE) --out bench/RESULTS.md --picture docs/bench.svg

bench-peers: build ## carillon beside asynq, River and NATS, with redis-server and postgresql from Debian; PEERS=quick, short or full
	@if ! command -v redis-server >/dev/null || ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server postgresql; fi
	cd bench/peers && $(GO) build -mod=mod -trimpath -o ../../bin/peers .
	./bin/peers --suite $(PEERS) --carillon bin/carillon --out bench/RESULTS.md --picture docs/bench.svg

bench-parts: ## Benchmarks of the parts, for benchstat: make bench-parts COUNT=10 > new.txt; benchstat old.txt new.txt
	@$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) ./...

bench-once: ## Every benchmark of the parts once, untimed: they build and run
	$(GO) test -run '^$$' -bench . -benchtime 1x ./engine/... ./actors/... ./wal/... ./httpapi/...

clean: ## Remove what was built
	rm -rf bin
