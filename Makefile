# lessee. "make help" lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build

GO ?= go
# Go writes tag and commit into the binary, where git tells them.
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)
FUZZTIME ?= 20s
BENCHFLAGS ?=
# How many lives `make test` plays in internal/simulation.
SEEDS ?= 20000

DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
LIBDIR ?= $(PREFIX)/lib
# A directory of its own: the names of its headers are those of the system, too.
INCLUDEDIR ?= $(PREFIX)/include/lessee-iphlpapi
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig

# The library's interface, in its soname, and its version.
SONAME := libiphlpapi.so.1
SOVERSION := 1.0.0
# Where `make capi` puts the library.
CAPIDIR ?= build

# Go keeps its caches in the home directory. Where there is none that can be
# written, they go below build/; the name begins with a dot, so ./... passes by.
CACHE := $(CURDIR)/build/.cache
writable = $(shell d="$$($(GO) env $(1) 2>/dev/null)" && [[ $$d == /* ]] && mkdir -p "$$d" 2>/dev/null && [[ -w $$d ]] && echo yes)
ifneq ($(call writable,GOCACHE),yes)
export GOCACHE := $(CACHE)/build
endif
ifneq ($(call writable,GOMODCACHE),yes)
export GOPATH := $(CACHE)/go
export GOMODCACHE := $(CACHE)/go/pkg/mod
endif

# Without the C library's resolver, which cannot be linked statically and is not used.
CAPIFLAGS = -trimpath -buildvcs=$(BUILDVCS) -tags netgo,osusergo

# The tests and benchmarks that need namespaces need root.
CC_FOUND := $(shell command -v "$$($(GO) env CC)" || true)
ROOT := $(shell [[ $$(id -u) == 0 ]] && echo yes)
SCRIPTS := .ci/deps .ci/foreign .ci/fuzz .ci/run
MANPAGES := $(wildcard packaging/man/*.[1-8])
LINT := $(CURDIR)/build/golangci-lint

.PHONY: help build capi test quick race lint fmt fuzz bench syscalls demo install capiinstall clean deps foreign

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

build: ## build/lessee, one static binary
	@mkdir -p build
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(BUILDVCS) -ldflags '-s -w' -o build/lessee ./cmd/lessee

capi: ## the C library: build/libiphlpapi.so and .a
	@mkdir -p '$(CAPIDIR)'
	CGO_ENABLED=1 $(GO) build -buildmode=c-shared $(CAPIFLAGS) -ldflags "-s -w -extldflags '-Wl,-soname,$(SONAME) -Wl,--version-script=$(CURDIR)/capi/exports.map'" \
		-o '$(CAPIDIR)/libiphlpapi.so.$(SOVERSION)' ./capi
	ln -sf libiphlpapi.so.$(SOVERSION) '$(CAPIDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(CAPIDIR)/libiphlpapi.so'
	CGO_ENABLED=1 $(GO) build -buildmode=c-archive $(CAPIFLAGS) -ldflags '-s -w' -o '$(CAPIDIR)/libiphlpapi.go.a' ./capi
	cd '$(CAPIDIR)' && rm -f libiphlpapi.a && \
		ld -r -d -o libiphlpapi.o --whole-archive libiphlpapi.go.a && \
		sed -n 's/^ *\([A-Za-z_]*\);$$/\1/p' '$(CURDIR)/capi/exports.map' > libiphlpapi.names && \
		objcopy --keep-global-symbols=libiphlpapi.names libiphlpapi.o && \
		ar rcs libiphlpapi.a libiphlpapi.o && \
		rm libiphlpapi.go.a libiphlpapi.go.h libiphlpapi.so.*.h libiphlpapi.o libiphlpapi.names

deps: ## install what the tests and linters need (root, Debian)
	.ci/deps

# As root nothing may be skipped. Others run it in user namespaces; what cannot is named at the end.
test: ## everything: with real kernels, servers and clients; installs them as root
	@mkdir -p build
	@.ci/deps test || [[ $$? == 3 ]]
ifeq ($(ROOT),yes)
	LESSEE_REQUIRE_ALL=1 LESSEE_SEEDS=$(SEEDS) $(GO) run ./internal/housetest/gotest -require-all -summary build/tests -- -count=1 -timeout 30m ./...
else
	@echo 'Not root: real kernels and servers run in user namespaces; what cannot is skipped, and named at the end.'
	LESSEE_SEEDS=$(SEEDS) $(GO) run ./internal/housetest/gotest -summary build/tests -- -count=1 -timeout 30m ./...
endif

quick: ## unit tests: no root, no servers
	$(GO) test -short ./...

race: ## the tests under the race detector
	$(GO) run ./internal/housetest/gotest -- -race -timeout 20m ./...

lint: $(LINT) ## linters, formatting, shell scripts, manual pages
	@.ci/deps lint || [[ $$? == 3 ]]
	$(LINT) run ./...
	$(GO) mod verify >/dev/null
	if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); fi
	if command -v mandoc >/dev/null; then mandoc -Tlint -Wwarning $(MANPAGES); fi

fmt: $(LINT) ## format the Go files
	$(LINT) fmt ./...

$(LINT): .ci/tools/go.mod .ci/tools/go.sum
	@mkdir -p build
	$(GO) -C .ci/tools build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

fuzz: ## each fuzzer for FUZZTIME (20s)
	FUZZTIME=$(FUZZTIME) .ci/fuzz

foreign: ## vet the public packages for Windows, macOS and FreeBSD
	.ci/foreign

bench: ## benchmarks beside the other clients that are installed
	$(GO) run ./bench $(BENCHFLAGS)

syscalls: ## the system calls from the ACK to the address, and of a renewal
	$(GO) run ./bench -syscalls -n 5

demo: ## the whole thing in a sandbox: nothing outside is touched
	$(GO) run ./cmd/lessee demo

install: build $(if $(CC_FOUND),capiinstall) ## install below DESTDIR and PREFIX (/usr/local)
	$(if $(CC_FOUND),,@echo 'No C compiler: the C library is not installed.')
	install -D -m 755 build/lessee '$(DESTDIR)$(BINDIR)/lessee'
	ln -sf lessee '$(DESTDIR)$(BINDIR)/ipconfig'
	install -d '$(DESTDIR)$(UNITDIR)'
	sed 's|@BINDIR@|$(BINDIR)|g' packaging/systemd/lessee.service > '$(DESTDIR)$(UNITDIR)/lessee.service'
	chmod 644 '$(DESTDIR)$(UNITDIR)/lessee.service'
	for page in $(MANPAGES); do install -D -m 644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	[[ -e '$(DESTDIR)$(SYSCONFDIR)/lessee/lessee.toml' ]] || install -D -m 644 packaging/lessee.toml '$(DESTDIR)$(SYSCONFDIR)/lessee/lessee.toml'
	install -d '$(DESTDIR)$(BASHCOMPDIR)' '$(DESTDIR)$(ZSHCOMPDIR)' '$(DESTDIR)$(FISHCOMPDIR)'
	build/lessee completion bash > '$(DESTDIR)$(BASHCOMPDIR)/lessee'
	build/lessee completion zsh > '$(DESTDIR)$(ZSHCOMPDIR)/_lessee'
	build/lessee completion fish > '$(DESTDIR)$(FISHCOMPDIR)/lessee.fish'

capiinstall: capi ## install the C library, its headers and its pkg-config file
	install -D -m 755 '$(CAPIDIR)/libiphlpapi.so.$(SOVERSION)' '$(DESTDIR)$(LIBDIR)/libiphlpapi.so.$(SOVERSION)'
	ln -sf libiphlpapi.so.$(SOVERSION) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libiphlpapi.so'
	install -m 644 '$(CAPIDIR)/libiphlpapi.a' '$(DESTDIR)$(LIBDIR)/libiphlpapi.a'
	install -d '$(DESTDIR)$(PKGCONFIGDIR)'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(SOVERSION)|' \
		capi/iphlpapi.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/iphlpapi.pc'
	chmod 644 '$(DESTDIR)$(PKGCONFIGDIR)/iphlpapi.pc'
	install -d '$(DESTDIR)$(INCLUDEDIR)'
	install -m 644 capi/include/* '$(DESTDIR)$(INCLUDEDIR)'

clean: ## remove what was built
	[[ ! -e build/.cache ]] || chmod -R u+w build/.cache
	rm -rf build
