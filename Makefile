# Everything a developer runs. `make` alone lists it. Needs Go, make and git. What else a target needs is in its line.

SHELL         := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory

# Only the installed Go: a workspace file or a newer toolchain would build something else than the image has.
export GOTOOLCHAIN = local
export GOWORK      = off
# Pure Go everywhere, so that the same build cache serves all targets; only the race detector needs C.
export CGO_ENABLED = 0

ARGS     ?=
FUZZTIME ?= 5m
GOTOOL   := go tool -modfile=dev/tools/go.mod
# The compose client's module calls its main package "cmd".
COMPOSE  := go tool -modfile=dev/tools/compose/go.mod cmd

PROGRAMS := ./worker ./webhook ./starter ./cmd/kyc
# They leave out what nothing here calls, msgpack in gin and traces of gRPC's own: a sixth of a program.
TAGS     := nomsgpack,grpcnotrace

# What a package of dev may take: its tests start, kill and restart the whole system.
DEV_TIMEOUT := 30m

# What make test-all leaves out, one a line. Our targets and dev/skip add to it.
export SKIPPED := $(CURDIR)/bin/skipped
export STRICT

# $(call skip,WHAT) reports what a target leaves out, and fails with STRICT=1.
skip = { echo "SKIPPED: $(1)"; mkdir -p bin; echo "$(1)" >> $(SKIPPED); test "$$STRICT" != 1; }

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile

##@ run

# DIDIT=real counts on the command line only: a variable of the shell must not spend money.
ifeq ($(origin DIDIT),command line)
REAL := -didit="$(DIDIT)"
else
REAL :=
endif

.PHONY: dev
dev: build-dev ## run the whole system on this machine: Temporal, Web UI, simulator, our processes (ARGS="-db kyc.db")
	@exec dev/bin/dev $(REAL) $(ARGS)

.PHONY: build
build: ## build the three processes, and kyc, which has all of them, into bin/
	go build -tags=$(TAGS) -o bin/ $(PROGRAMS)

# Temporal's server is most of what dev compiles. A first build takes minutes, and is announced: silence looks like a fault.
.PHONY: build-dev
build-dev:
	@stale=$$(GOPROXY=off go -C dev/temporal list -deps -f '{{if .Stale}}x{{end}}' . 2>/dev/null) || stale=all; \
	if [ "$$stale" = all ] || [ "$$(printf '%s\n' "$$stale" | grep -c x)" -gt 300 ]; then \
		echo "Building the development server with Temporal inside, once: 3 to 6 minutes, about 4 GB of disk."; \
	fi
	@go -C dev/temporal build -buildvcs=false -o ../bin/temporal .
	@go -C dev build -buildvcs=false -o bin/dev .

##@ check

.PHONY: test
test: build-dev ## unit, workflow and replay tests, and one end-to-end pass: 4 minutes; needs Go alone
	go test ./...
	go -C dev test -short -count=1 -timeout $(DEV_TIMEOUT) ./...

# Quick checks come first, so that they fail first. No test runs twice: dev/e2e runs in race, dev/languages in languages.
CHECKS := fmt-check mod-check packages-check vet lint workflowcheck vuln alerts-check compose-check helm-check peers frontend languages race test-dev

.PHONY: test-all
test-all: ## everything that CI runs, each test once: 50 minutes; needs a C compiler, and lists what else is missing (STRICT=1 fails then)
	@rm -f $(SKIPPED)
	@for t in $(CHECKS); do $(MAKE) $$t || exit 1; done
	@if [ -s $(SKIPPED) ]; then echo SKIPPED; sed 's/^/  /' $(SKIPPED); fi

.PHONY: test-dev
test-dev: build-dev dev/bin/caddy dev/bin/helm dev/bin/kube-apiserver dev/bin/etcd
	go -C dev/temporal test ./...
	PATH=$(CURDIR)/dev/bin:$$PATH go -C dev test -count=1 -timeout $(DEV_TIMEOUT) $$(go -C dev list ./... | grep -v '/dev/e2e$$\|/dev/languages$$')

.PHONY: fmt
fmt: ## format all Go files
	gofmt -w .

.PHONY: fmt-check
fmt-check:
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted, run make fmt:"; echo "$$files"; exit 1; fi

# The root module is what others import, so its two files must be exact; dev's and the tools' only have to build.
.PHONY: mod-check
mod-check:
	go mod verify
	go mod tidy -diff

# What is linked into each program, one package a line: a dependency that changes is a line that changes in review.
PACKAGES := GOOS=linux GOARCH=amd64 go list -tags=$(TAGS) -deps -f '{{if not .Standard}}{{.ImportPath}}{{with .Module}}{{with .Version}} {{.}}{{end}}{{end}}{{end}}'

.PHONY: packages
packages: ## write docs/packages: what is linked into each program
	@mkdir -p docs/packages
	@for p in $(PROGRAMS); do $(PACKAGES) $$p | LC_ALL=C sort > docs/packages/$$(basename $$p).txt; done

.PHONY: packages-check
packages-check:
	@for p in $(PROGRAMS); do \
		$(PACKAGES) $$p | LC_ALL=C sort | diff -u docs/packages/$$(basename $$p).txt - || \
			{ echo "what is linked into $$p has changed: review it, then run make packages"; exit 1; }; \
	done

.PHONY: vuln
vuln: ## find known vulnerabilities in what we call (needs vuln.go.dev)
	@out=$$($(GOTOOL) govulncheck ./... 2>&1); code=$$?; printf '%s\n' "$$out"; \
	case "$$out" in *"fetching vulnerabilities"*) STRICT=; $(call skip,vuln: cannot reach vuln.go.dev); exit;; esac; exit $$code

.PHONY: vet
vet: build-dev
	go vet ./...
	go -C dev vet -tags browser ./...
	go -C dev/temporal vet ./...

.PHONY: lint
lint: ## golangci-lint with .golangci.yml in all modules
	$(GOTOOL) golangci-lint run ./...
	cd dev && go tool -modfile=tools/go.mod golangci-lint run --config ../.golangci.yml ./...
	cd dev/temporal && go tool -modfile=../tools/go.mod golangci-lint run --config ../../.golangci.yml ./...

.PHONY: workflowcheck
workflowcheck:
	$(GOTOOL) workflowcheck ./workflows/...

# dev/e2e starts the server as a process of its own, so the race detector has our code to watch and not
# Temporal's, which would take ten minutes more to compile. Tests that measure are not built with it, and follow.
.PHONY: race
race: build-dev ## all tests of the root module, and dev/e2e, under the race detector (needs a C compiler)
	@command -v "$$(go env CC)" >/dev/null || { echo "the race detector needs a C compiler: apt-get install gcc, or run make test"; exit 1; }
	CGO_ENABLED=1 go test -race ./...
	go test -run "^($$(grep -l '^//go:build !race' didit/*_test.go | xargs sed -n 's/^func \(Test[A-Za-z0-9]*\).*/\1/p' | paste -sd '|' -))$$" ./didit
	CGO_ENABLED=1 go -C dev test -race -count=1 -timeout $(DEV_TIMEOUT) ./e2e

.PHONY: compose-check
compose-check: ## validate docker-compose.yml with no Docker engine (builds the compose client once: 1 to 3 minutes)
	$(COMPOSE) --env-file .env.example config -q
	$(COMPOSE) --env-file .env.example --profile sim --profile observe config -q
	$(COMPOSE) -f docker-compose.yml -f docker-compose.second.yml --env-file .env.example --profile sim --profile tools config -q

# Helm and the API server come from Go modules that no other program is built of. Each takes some minutes, once.
dev/bin/helm: dev/tools/helm/go.mod
	@echo "Building helm, once: 2 to 5 minutes."
	go build -modfile=$< -ldflags='-s -w' -o $@ helm.sh/helm/v4/cmd/helm

dev/bin/kube-apiserver: dev/tools/kube/go.mod
	@echo "Building the API server of Kubernetes, once: 3 to 6 minutes."
	go build -modfile=$< -ldflags='-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2' -o $@ k8s.io/kubernetes/cmd/kube-apiserver

dev/bin/etcd: dev/tools/kube/go.mod
	go build -modfile=$< -ldflags='-s -w' -o $@ go.etcd.io/etcd/server/v3

VALUES := simulator self-hosted cloud
# $(call render,VALUES) prints what the chart makes of a file of values.
render = dev/bin/helm template kyc deploy/helm --namespace kyc -f deploy/helm/values-$(1).yaml 2>bin/helm.log || { cat bin/helm.log >&2; exit 1; }

.PHONY: helm
helm: dev/bin/helm ## write deploy/helm/rendered: what the chart makes of each of its files of values
	@mkdir -p bin deploy/helm/rendered
	@for v in $(VALUES); do { $(call render,$$v); } > deploy/helm/rendered/$$v.yaml; done

.PHONY: helm-check
helm-check: dev/bin/helm ## lint the chart and compare deploy/helm/rendered (builds helm once: 2 to 5 minutes)
	@mkdir -p bin
	@for v in $(VALUES); do \
		dev/bin/helm lint --strict --quiet deploy/helm -f deploy/helm/values-$$v.yaml 2>bin/helm.log || { cat bin/helm.log; exit 1; }; \
		{ $(call render,$$v); } | diff -u deploy/helm/rendered/$$v.yaml - || \
			{ echo "what the chart makes of values-$$v.yaml has changed: review it, then run make helm"; exit 1; }; \
	done

# The rules against promtool, which knows Prometheus's language; what needs no promtool is a test of internal/metrics.
.PHONY: alerts-check
alerts-check: ## check the alerts and test when each begins and ends (needs promtool)
	@command -v promtool >/dev/null || { $(call skip,alerts-check: promtool is not installed (apt-get install prometheus)); exit; }; \
	set -x; promtool check config deploy/prometheus/prometheus.yml && promtool test rules deploy/prometheus/rules_test.yml

# Debian's Caddy is too old to repeat a POST, so a newer one is built, outside of our modules.
dev/bin/caddy:
	GOBIN=$(CURDIR)/dev/bin go install github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9

# It installs the pinned packages of Python and TypeScript into a temporary folder.
.PHONY: languages
languages: build-dev ## run the clients and examples of Go, Python and TypeScript against the whole system (needs python3, node, npm)
	go -C dev test -count=1 -timeout 20m -v ./languages -languages

##@ more

.PHONY: alerts
alerts: build-dev ## make alerts fire and clear under a real Prometheus (needs prometheus; six minutes)
	go -C dev test -count=1 -timeout 30m -v ./e2e -run TestAlertsFireAndClear -alerts

.PHONY: proxies
proxies: build-dev dev/bin/caddy ## run deploy/proxies in nginx, haproxy and Caddy, and lose nothing in 5,000 webhooks (needs nginx and haproxy; ten minutes)
	PATH=$(CURDIR)/dev/bin:$$PATH go -C dev test -count=1 -timeout 30m -v ./proxies -posts 5000 -longpolls $(ARGS)

.PHONY: kube
kube: build-dev dev/bin/helm dev/bin/kube-apiserver dev/bin/etcd ## apply the chart to a real API server, and roll our processes as its manifests say (builds that once: 5 to 10 minutes)
	PATH=$(CURDIR)/dev/bin:$$PATH go -C dev test -count=1 -v ./kube

.PHONY: chaos
chaos: build-dev ## kill every process twenty times under a thousand users, and count losses (ARGS="-seed 2")
	go -C dev test -count=1 -timeout 60m -v ./chaos -full $(ARGS)
	go -C dev test -count=1 -timeout 60m -v ./e2e -run TestRandomLivesOnTheRealServer -lives 1000

# The page is docs/security.md: every test that it names is run. Fuzzing needs no more than half a minute each here;
# make fuzz is for longer.
.PHONY: audit
audit: FUZZTIME = 30s
audit: build-dev mod-check packages-check vuln ## prove what docs/security.md says: scanner, hostile requests, fuzzing, packages
	go test -count=1 ./...
	go -C dev test -count=1 -timeout $(DEV_TIMEOUT) -v ./scan
	go -C dev test -count=1 -timeout $(DEV_TIMEOUT) -p 1 -run "^($$(grep -o '`Test[A-Za-z0-9]*`' docs/security.md | tr -d '`' | sort -u | paste -sd '|' -))$$" ./e2e ./chaos ./soak ./proxied ./authorizer
	@$(MAKE) fuzz FUZZTIME=$(FUZZTIME)

# With 2,000 verifications each history stays short, so that the run measures the webhook and not Temporal.
.PHONY: soak
soak: build-dev ## send the webhook 220 requests a second for half an hour, a tenth of them hostile, and measure growth (ARGS="-rate 50")
	go -C dev test -count=1 -timeout 80m -v ./soak -for 30m -rate 220 -users 2000 -every 10s -strict $(ARGS)

# -fuzz would count the code's branches, which costs time of its own: this binary does not, so it measures what production pays.
.PHONY: fuzz-work
fuzz-work: ## search a body whose refusal costs more than the bound, for FUZZTIME (5m)
	go test -c -o bin/didit.test ./didit
	cd didit && ../bin/didit.test -test.run '^$$' -test.fuzz '^FuzzWork$$' -test.fuzztime $(FUZZTIME) -test.fuzzcachedir ../bin/fuzz

.PHONY: fuzz-python
fuzz-python: ## compare our canonical JSON with Python's for half an hour (needs python3; ARGS="-seed 1")
	go -C dev test -count=1 -timeout 60m -v ./pythonjson -for 30m $(ARGS)

.PHONY: histories
histories: build-dev ## record workflow histories for the replay test (they are only ever added to)
	go -C dev test -count=1 -timeout $(DEV_TIMEOUT) ./e2e -record

BROWSER := $(firstword $(foreach b,chromium chromium-browser google-chrome,$(shell command -v $(b))))

.PHONY: frontend
frontend: ## drive the signup page and Didit's web SDK in a browser (needs Chromium and npm)
	@if [ -z "$(BROWSER)" ]; then $(call skip,frontend: there is no browser (apt-get install chromium)); \
	else set -x; go -C dev test -count=1 -timeout $(DEV_TIMEOUT) -tags browser ./browser -run TestTheSignupPage; fi

.PHONY: peers
peers: ## drive Didit's own programs against the simulator and compare call by call (needs npm and PyPI)
	go -C dev run ./peers $(ARGS)

.PHONY: pictures
pictures: build-dev ## press Approve in a browser and take the pictures of the documentation (needs Chromium)
	@for b in chromium chromium-browser google-chrome; do command -v $$b >/dev/null && exit 0; done; \
		echo "make pictures needs a browser: apt-get install chromium"; exit 1
	go -C dev test -count=1 -tags browser ./browser -pictures $(CURDIR)/docs/pictures
	go -C dev test -count=1 -tags browser ./e2e -run InTheBrowsersList -pictures $(CURDIR)/docs/pictures

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME (5m) each
	@mkdir -p bin
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[++n] = $$1} $$1 == "ok" {for (i = 1; i <= n; i++) print $$2, f[i]; n = 0}' > bin/.fuzz
	@test -s bin/.fuzz || { echo "no fuzz tests found"; exit 1; }
	@while read -r pkg name; do \
		echo "$$pkg $$name"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; \
	done < bin/.fuzz

# Only full measurements go into the documentation.
BENCH_OUT = $(CURDIR)/$(if $(strip $(foreach f,-short -pairs -scale -waiting,$(findstring $(f),$(ARGS)))),bin,docs)

.PHONY: bench
bench: build-dev ## how fast it is, against floors or an older build (an hour and a half; ARGS="-short", "-list", "-only post", "-against REV")
	go -C dev run ./bench -out $(BENCH_OUT) $(if $(findstring -only,$(ARGS)),,-only performance) $(ARGS)

.PHONY: bench-limits
bench-limits: build-dev ## what the system does at Didit's rate limits, about an hour (ARGS="-list", "-short", "-only signups")
	go -C dev run ./bench -out $(CURDIR)/bin $(if $(findstring -only,$(ARGS)),,-only limits) $(ARGS)

.PHONY: microbench
microbench: ## Go's own benchmarks of the root module and of dev
	go test -run '^$$' -bench . -benchmem ./...
	@pkgs=$$(cd dev && grep -rl --include='*_test.go' '^func Benchmark' . | sed 's|/[^/]*$$||' | sort -u); \
	if [ -n "$$pkgs" ]; then set -x; go -C dev test -run '^$$' -bench . -benchmem -timeout $(DEV_TIMEOUT) $$pkgs; fi

.PHONY: release
release: ## build what is published with the version of CHANGELOG.md into bin/release: archives, images, SBOMs, checksums
	go -C dev run ./release -root $(CURDIR) -out $(CURDIR)/bin/release -tags=$(TAGS) $(ARGS)

# The newest version of the changelog; its histories are only added to, and a test watches that.
VERSION = $(shell sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -n 1)

.PHONY: freeze
freeze: ## list the recorded histories that the version of CHANGELOG.md is released with
	cd workflows/testdata/history && LC_ALL=C sha256sum *.json > ../released/$(VERSION).txt

.PHONY: upgrade
upgrade: build-dev ## upgrade the previous release under load, and go back (ARGS="-users 400 -seed 2")
	go -C dev test -count=1 -timeout 30m -v ./upgrade $(ARGS)

# "make module PATH=example.com/x/y" gives PATH to make, and make to every command. A path of a module begins with no
# slash; then the shell's PATH is found again: what make was started with, which make 4.4 hides from its $(shell).
ifeq ($(origin PATH):$(filter /%,$(PATH)),command line:)
MODULE := $(PATH)
PATH_OF_SHELL := $(shell if [ "$$PATH" != "$(MODULE)" ]; then echo "$$PATH"; else \
	PATH=/usr/bin:/bin; ps eww -o command= -p $$PPID | tr ' ' '\n' | sed -n 's/^PATH=//p' | tail -n 1; fi)
override PATH := $(PATH_OF_SHELL)
endif

.PHONY: module
module: ## change the path of the Go module everywhere: make module PATH=example.com/x/y
	@test -n "$(MODULE)" || { echo "name the path: make module PATH=example.com/x/y"; exit 1; }
	@go -C dev run ./module -root $(CURDIR) -path "$(MODULE)"
	@$(MAKE) packages

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dev/bin coverage.out
