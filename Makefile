# kubectl-netdoctor. `make help` lists what can be made.
SHELL       := /bin/bash
V           ?= 0
Q           := $(if $(filter 1,$(V)),,@)
say          = $(if $(filter 1,$(V)),,@echo "  $(1)" "$(2)";)

PREFIX      ?= /usr/local
DESTDIR     ?=
CC          ?= gcc
ifeq ($(origin CC),default)
CC          := gcc
endif
CLANG       ?= clang
ARM64_CC    ?= aarch64-linux-gnu-gcc
B           ?= build
SANITIZE    ?=
VERSION     := $(shell cat VERSION 2>/dev/null || git describe --tags --always --dirty 2>/dev/null || echo unknown)

LIBS        := libcurl yaml-0.1 libcjson libarchive
WARN        := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
               -Wno-format-nonliteral -Werror
BASE        := -std=gnu11 -g -I. -D_GNU_SOURCE $(WARN)
comma       := ,
OPT         := $(if $(SANITIZE),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer,-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
CFLAGS_ALL   = $(BASE) $(OPT) -fPIE $(CFLAGS) $(shell pkg-config --cflags $(LIBS)) -DND_LIBDIR='"$(PREFIX)/lib/kubectl-netdoctor"'
LDFLAGS_ALL  = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(if $(SANITIZE),-fsanitize=address$(comma)undefined)
LDLIBS_ALL   = $(shell pkg-config --libs $(LIBS))
# The agent: static, small, hardened.
AGENT_FLAGS  = -std=gnu11 -Os -I. -I$(B)/gen -D_GNU_SOURCE $(WARN) -fPIE -static-pie -ffunction-sections \
               -fdata-sections -Wl,--gc-sections,-z,relro,-z,now,--build-id=none -fstack-protector-strong \
               -D_FORTIFY_SOURCE=2 -DND_VERSION='"$(VERSION)"' -s

COMMON      := $(wildcard common/*.c)
PLUGIN      := $(filter-out plugin/main.c,$(wildcard plugin/*.c plugin/*/*.c))
AGENT       := $(filter-out agent/sandbox/gen_filter.c,$(wildcard agent/*.c agent/*/*.c))
HEADERS     := $(wildcard common/*.h common/*.def agent/*.h agent/*/*.h agent/*/*.def)
UNIT        := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/t_*.c))
FUZZ        := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/f_*.c))
OBJ         := $(patsubst %.c,$(B)/obj/%.o,$(COMMON) $(PLUGIN))
PROFILES    := $(shell grep -o '^ND_PROFILE.[a-z_]*' agent/sandbox/profiles.def | cut -c12-)
GEN         := $(foreach p,$(PROFILES),$(B)/gen/filter_$(p)_amd64.h $(B)/gen/filter_$(p)_arm64.h)

.PHONY: all demo check check-kernel check-ways check-sanitize check-cluster lab fuzz lint bench install dist clean help prerequisites
.SECONDARY:

all: $(B)/bin/kubectl-netdoctor $(B)/bin/netdoctor-agent-amd64 $(B)/bin/netdoctor-agent-arm64 ## build the plugin and both agents

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# Flag changes rebuild: the file changes only when the flags do.
$(B)/flags: FORCE
	@mkdir -p $(B); echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(AGENT_FLAGS)' | sed 's/-DND_VERSION=[^ ]*//' | cmp -s - $@ || \
	 echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(AGENT_FLAGS)' | sed 's/-DND_VERSION=[^ ]*//' >$@
$(B)/version: FORCE
	@mkdir -p $(B); echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
FORCE:

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(B)/obj/plugin/main.o $(B)/obj/plugin/kube/http.o: $(B)/version
$(B)/obj/plugin/main.o $(B)/obj/plugin/kube/http.o: CFLAGS += -DND_VERSION='"$(VERSION)"'
-include $(OBJ:.o=.d) $(B)/obj/plugin/main.d

$(B)/bin/kubectl-netdoctor: $(OBJ) $(B)/obj/plugin/main.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

$(B)/gen/gen_filter: agent/sandbox/gen_filter.c agent/sandbox/profiles.def
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)gcc $(BASE) -O1 -o $@ $< -lseccomp
$(B)/gen/filter_%_amd64.h: $(B)/gen/gen_filter
	$(call say,GEN,$@)
	$(Q)$< $* x86_64 >$@.part && mv $@.part $@
$(B)/gen/filter_%_arm64.h: $(B)/gen/gen_filter
	$(call say,GEN,$@)
	$(Q)$< $* aarch64 >$@.part && mv $@.part $@
$(B)/bin/netdoctor-agent-amd64: $(COMMON) $(AGENT) $(HEADERS) $(GEN) $(B)/flags $(B)/version
	$(call say,AGENT,$@)
	@mkdir -p $(@D)
	$(Q)gcc $(AGENT_FLAGS) -o $@ $(COMMON) $(AGENT)
	$(Q)tests/lint/agent-size.sh $@
$(B)/bin/netdoctor-agent-arm64: $(COMMON) $(AGENT) $(HEADERS) $(GEN) $(B)/flags $(B)/version
	$(call say,AGENT,$@)
	@mkdir -p $(@D)
	$(Q)$(ARM64_CC) $(AGENT_FLAGS) -o $@ $(COMMON) $(AGENT)
	$(Q)tests/lint/agent-size.sh $@

demo: prerequisites ## diagnose a recorded broken cluster; no cluster needed
	@$(MAKE) --no-print-directory all
	@echo; echo '$$ kubectl netdoctor diagnose --from tests/cases/demo/bundle.tar.gz'
	@$(B)/bin/kubectl-netdoctor diagnose --from tests/cases/demo/bundle.tar.gz; test $$? = 1

check: prerequisites ## all tests that need no cluster
	@$(MAKE) --no-print-directory all lint
	@$(MAKE) --no-print-directory -j$$(nproc) $(UNIT) $(B)/kernel-test $(B)/ways-test
	@tests/run.sh $(B)

check-sanitize: ## the same tests with ASan and UBSan, and with clang
	@$(MAKE) --no-print-directory B=build/sanitize SANITIZE=1 CC=$(CLANG) -j$$(nproc) all $(patsubst $(B)/%,build/sanitize/%,$(UNIT)) build/sanitize/kernel-test build/sanitize/ways-test
	@tests/run.sh build/sanitize

check-cluster: all ## faults injected into real kind clusters
	@tests/cluster/run.sh $(ARGS)

lab: ## what a real kind cluster needs, built once and cached
	@tests/lab/build.sh

$(B)/unit/%: tests/unit/%.c $(OBJ)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -MMD -MP -o $@ $< $(OBJ) $(LDLIBS_ALL) -lcmocka
-include $(UNIT:=.d)

KERNEL_OBJ  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/kernel/*.c))
$(B)/kernel-test: $(KERNEL_OBJ) $(OBJ)
	$(call say,TEST,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)
-include $(KERNEL_OBJ:.o=.d)
N           ?= 10000
SEED        ?= 1
check-kernel: $(B)/kernel-test ## the walk against this kernel: N random cases from SEED (root)
	@tests/kernel/run.sh $(B) --replay tests/kernel/cases/*.txt
	@tests/kernel/run.sh $(B) $(N) $(SEED)

WAYS_OBJ    := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/ways/*.c) tests/kernel/child.c)
$(B)/ways-test: $(WAYS_OBJ) $(OBJ)
	$(call say,TEST,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)
-include $(WAYS_OBJ:.o=.d)
check-ways: N = 1000
check-ways: $(B)/ways-test $(B)/bin/netdoctor-agent-amd64 ## the whole walk against this kernel: N random clusters from SEED (root)
	@tests/ways/run.sh $(B) $(N) $(SEED)

FUZZ_SECONDS ?= 60
fuzz: $(addprefix $(B)/fuzz/,$(FUZZ)) ## each fuzz target for FUZZ_SECONDS (60)
	@for f in $^; do n=$$(basename $$f | sed 's/^f_//'); mkdir -p $(B)/corpus/$$n; \
	 echo "  FUZZ $$n"; $$f -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -verbosity=0 -artifact_prefix=$(B)/fuzz/ $(B)/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done
$(B)/fuzz/f_%: tests/fuzz/f_%.c $(COMMON) $(PLUGIN)
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BASE) -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(shell pkg-config --cflags $(LIBS)) -DND_LIBDIR='""' -o $@ $< $(COMMON) $(PLUGIN) $(LDLIBS_ALL)

lint: ## layers, lengths, table order, headers that compile alone
	@tests/lint/run.sh

bench: all ## ratios against kubectl cluster-info dump on the healthy lab cluster
	@tests/bench/run.sh

install: all ## to DESTDIR/PREFIX
	install -D -m755 $(B)/bin/kubectl-netdoctor $(DESTDIR)$(PREFIX)/bin/kubectl-netdoctor
	install -D -m755 -t $(DESTDIR)$(PREFIX)/lib/kubectl-netdoctor $(B)/bin/netdoctor-agent-amd64 $(B)/bin/netdoctor-agent-arm64

ARCHIVE      = kubectl-netdoctor-$(VERSION)-linux-amd64.tar.gz
KREW_VERSION = $(shell echo '$(VERSION)' | grep -xE 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || echo 'v0.0.0-$(VERSION)')
dist: all ## source and binary archives and krew's manifest into build/dist
	@mkdir -p $(B)/dist
	$(Q)git archive --prefix=kubectl-netdoctor-$(VERSION)/ -o $(B)/dist/kubectl-netdoctor-$(VERSION).tar.gz HEAD
	$(Q)tar -C $(B)/bin --owner=0 --group=0 -czf $(B)/dist/$(ARCHIVE) kubectl-netdoctor netdoctor-agent-amd64 netdoctor-agent-arm64 -C $(CURDIR) LICENSE
	$(Q)sed 's|@VERSION@|$(KREW_VERSION)|; s|@ARCHIVE@|$(ARCHIVE)|; s|@SHA256@|'$$(sha256sum $(B)/dist/$(ARCHIVE) | cut -d' ' -f1)'|' \
		krew/netdoctor.yaml.in >$(B)/dist/netdoctor.yaml
	@ls $(B)/dist

prerequisites:
	@tests/lint/prerequisites.sh

clean: ## remove build/
	rm -rf build
