# hakperf: builds everything into $(BUILD). `make help` lists the targets.
#
# The library folders come first and know nothing of the programs above them:
# allocator, common and analysis below; runner, collector and cli above.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
V       ?= 0

# Work on all cores unless the caller chose a number of jobs; a make within shares its jobs.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory

ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' "$(1)" "$(2)"
else
Q :=
say = @:
endif

OPT      ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
            -Wvla -Wformat=2 -Wundef -Werror
# SANITIZE=address,undefined builds everything but the allocator with those sanitizers.
SANITIZE ?=
ifneq ($(SANITIZE),)
SANFLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
HARDEN   := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)

PKGS_COMMON    := jansson libcurl libcrypto
PKGS_RUNNER    := libzstd
PKGS_COLLECTOR := libpq libmicrohttpd libzstd
PKGS_TESTS     := check gsl
pkg_cflags = $(shell pkg-config --cflags $(1) 2>/dev/null)
pkg_libs   = $(shell pkg-config --libs $(1) 2>/dev/null)

VERSION := $(shell cat VERSION)
CPPFLAGS_ALL = -I. -I$(BUILD)/gen -D_GNU_SOURCE -DHAKPERF_VERSION='"$(VERSION)"' \
               $(call pkg_cflags,$(PKGS_COMMON)) $(CPPFLAGS)
CFLAGS_ALL   = -std=gnu17 $(OPT) $(WARNINGS) $(HARDEN) $(SANFLAGS) -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL  = -pie -pthread -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

# --- sources -----------------------------------------------------------------
# Each folder's C files; every folder has at most one main, in main.c.
sources    = $(filter-out $(1)/main.c,$(wildcard $(1)/*.c $(1)/*/*.c))
objects    = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON_O    = $(call objects,$(call sources,common)) $(BUILD)/obj/gen/wire_data.o
ANALYSIS_O  = $(call objects,$(call sources,analysis))
RUNNER_O    = $(call objects,$(call sources,runner))
COLLECTOR_O = $(call objects,$(call sources,collector)) $(BUILD)/obj/gen/sql_data.o \
              $(BUILD)/obj/gen/migration_data.o $(BUILD)/obj/gen/web_data.o
CLI_O       = $(call objects,$(call sources,cli)) $(BUILD)/obj/gen/hook_data.o
TEST_O      = $(call objects,$(filter-out tests/allocator/% tests/browser/% tests/libpq/% tests/load/% \
                tests/fuzz/libfuzzer.c,\
                $(wildcard tests/*.c tests/*/*.c)))
ALLOC_TEST_O = $(call objects,$(wildcard tests/allocator/*.c))

PROGRAMS := $(addprefix $(BUILD)/bin/,hakperf hakperf-runner hakperf-collector)

.PHONY: all help programs allocator demo check unit bench clean install asan lint fuzz FORCE
.DEFAULT_GOAL := all
all: programs allocator

programs: $(PROGRAMS)

help:
	@sed -n 's/^## //p' Makefile

## make                  programs into build/bin, the allocator into build/lib and build/bench
## make demo             measure two real commits of the allocator and show the result
## make check            every test; sets up what it needs
## make check-regressions  REGRESSIONS=all|NAME,…: planted changes of the allocator, and what must be said of each
## make check-bisection  a search for the commit that did it, by a whole service (some minutes)
## make check-browser    the page: its modules in node, the whole of it in Chromium
## make bench            print the benchmark tables
## make asan             the tests again under AddressSanitizer and UBSan
## make fuzz             FUZZ=wire SECONDS=60: one parser under libFuzzer
## make bench-measurement RUNS= HOURS= STATE= KINDS= WORKLOADS=: smallest change found, false alarms, each with its bound
## make bench-changepoints  the detector on labelled series: power, precision and delay by step size
## make soak-runner      SECONDS=600: kill -9 of the runner at random, with an account of every result
## make bench-collector SAMPLES=100000000 RUNNERS=1000 SECONDS=120: the collector and its store against their goals
## make soak-collector   SECONDS=3600 RUNNERS=100: whether its memory grows under an hour of load
## make fault-test     SECONDS=600: kill -9 of collector, database and runners under load, and an account of every document
## make questions        write the outputs on schema/QUESTIONS.md anew
## make lint             clang-tidy, cppcheck and the formatter
## make install          DESTDIR= PREFIX=/usr/local
## make clean            remove build/

# --- compiling ---------------------------------------------------------------
$(BUILD)/obj/collector/%.o: CPPFLAGS_ALL += $(call pkg_cflags,$(PKGS_COLLECTOR))
$(BUILD)/obj/tests/%.o:     CPPFLAGS_ALL += $(call pkg_cflags,$(PKGS_TESTS) $(PKGS_COLLECTOR))

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# Files that programs carry inside themselves: one assembler table a folder.
$(BUILD)/gen/wire_data.S: common/embed.sh $(wildcard common/wire/*.json)
$(BUILD)/gen/wire_data.S: EMBED = wire_data common/wire '*.json'
$(BUILD)/gen/sql_data.S: common/embed.sh $(wildcard collector/sql/*.sql)
$(BUILD)/gen/sql_data.S: EMBED = sql_data collector/sql '*.sql'
$(BUILD)/gen/migration_data.S: common/embed.sh $(wildcard schema/migrations/*.sql)
$(BUILD)/gen/migration_data.S: EMBED = migration_data schema/migrations '*.sql'
$(BUILD)/gen/hook_data.S: common/embed.sh $(wildcard deploy/hooks/*)
$(BUILD)/gen/hook_data.S: EMBED = hook_data deploy/hooks 'post-*'
$(BUILD)/gen/web_data.S: common/embed.sh $(BUILD)/web/.done
$(BUILD)/gen/web_data.S: EMBED = web_data $(BUILD)/web '*.*'
# A file that is renamed or gone leaves no newer one behind: the list of names is one more input.
$(foreach t,wire sql migration hook,$(eval $(BUILD)/gen/$(t)_data.S: $(BUILD)/gen/$(t)_data.names))
$(BUILD)/gen/wire_data.names: NAMES = $(wildcard common/wire/*.json)
$(BUILD)/gen/sql_data.names: NAMES = $(wildcard collector/sql/*.sql)
$(BUILD)/gen/migration_data.names: NAMES = $(wildcard schema/migrations/*.sql)
$(BUILD)/gen/hook_data.names: NAMES = $(wildcard deploy/hooks/*)
$(BUILD)/gen/%.names: FORCE
	@mkdir -p $(@D)
	@echo '$(sort $(NAMES))' | cmp -s - $@ || echo '$(sort $(NAMES))' > $@
$(BUILD)/gen/%.S:
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)sh common/embed.sh $(EMBED) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.S
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<

# The page: its own modules and uPlot, fetched by npm from the lock file.
$(BUILD)/web/.done: $(wildcard dashboards/web/*) dashboards/web/package-lock.json
	$(call say,WEB,dashboards/web)
	$(Q)sh dashboards/web/build.sh $(BUILD)/web && touch $@

$(BUILD)/lib/libhpcommon.a: $(COMMON_O)
$(BUILD)/lib/libhpanalysis.a: $(ANALYSIS_O)
$(BUILD)/lib/libhprunner.a: $(RUNNER_O)
$(BUILD)/lib/libhpcollector.a: $(COLLECTOR_O)
$(BUILD)/lib/libhpcli.a: $(CLI_O)
$(BUILD)/lib/libhp%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

LIBS_BASE = $(BUILD)/lib/libhpcommon.a $(BUILD)/lib/libhpanalysis.a
link = $(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o %.a,$^) $(1) \
       $(call pkg_libs,$(PKGS_COMMON)) -lm

$(BUILD)/bin/hakperf: $(BUILD)/obj/cli/main.o $(BUILD)/lib/libhpcli.a $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link)
$(BUILD)/bin/hakperf-runner: $(BUILD)/obj/runner/main.o $(BUILD)/lib/libhprunner.a $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link,$(call pkg_libs,$(PKGS_RUNNER)))
$(BUILD)/bin/hakperf-collector: $(BUILD)/obj/collector/main.o $(BUILD)/lib/libhpcollector.a $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link,$(call pkg_libs,$(PKGS_COLLECTOR)))

# --- the allocator: a tree of its own, with its own Makefile ------------------
allocator:
	$(Q)$(MAKE) -C allocator BUILD=$(abspath $(BUILD)) CC=$(CC) V=$(V)

# The names people type, as in `make bench_random_mixed_hakmem`.
bench_%_hakmem bench_%_system: FORCE
	$(Q)$(MAKE) -C allocator BUILD=$(abspath $(BUILD)) CC=$(CC) V=$(V) $(abspath $(BUILD))/bench/$@
	$(Q)ln -sf $(BUILD)/bench/$@ $@

# --- tests -------------------------------------------------------------------
$(BUILD)/tests/check: $(TEST_O) $(BUILD)/lib/libhpcli.a $(BUILD)/lib/libhprunner.a \
                      $(BUILD)/lib/libhpcollector.a $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link,$(call pkg_libs,$(PKGS_TESTS) $(PKGS_COLLECTOR)))

# The database layer on a scripted stand-in for libpq, which is linked instead of it.
$(BUILD)/tests/check-libpq: $(call objects,tests/main.c $(wildcard tests/libpq/*.c collector/db*.c)) \
                            $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link,$(call pkg_libs,$(PKGS_TESTS)))

# Simulated runners, faults and the collector's benchmark.
$(BUILD)/tests/load: $(call objects,$(wildcard tests/load/*.c)) $(BUILD)/lib/libhprunner.a \
                     $(BUILD)/lib/libhpcollector.a $(LIBS_BASE)
	$(call say,LINK,$@)
	$(call link,$(call pkg_libs,$(PKGS_COLLECTOR)))

# Packages first, then a second make, so that pkg-config is asked after they are in.
demo:
	$(Q)sh deploy/bootstrap build demo
	$(Q)began=$$(date +%s) && $(MAKE) all BUILD=$(BUILD) && \
	    BUILD=$(abspath $(BUILD)) DEMO_BEGAN=$$began sh deploy/demo

check:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) unit BUILD=$(BUILD)

# Most of their time the tests wait, so more suites run side by side than there are CPUs.
TEST_JOBS ?= $(shell expr $$(nproc) + 1)

unit: all $(BUILD)/tests/check $(BUILD)/tests/check-libpq $(BUILD)/tests/load
	$(Q)$(MAKE) -j2 unit-allocator unit-service BUILD=$(BUILD)

# The allocator's tests need one CPU, for longer than the others leave one idle; what they print
# comes when they have ended.
.PHONY: unit-allocator unit-service
unit-allocator:
	$(Q)$(MAKE) -C allocator check BUILD=$(abspath $(BUILD)) CC=$(CC) V=$(V) \
	    >$(BUILD)/check-allocator.log 2>&1; code=$$?; cat $(BUILD)/check-allocator.log; exit $$code

unit-service:
	$(Q)$(BUILD)/tests/check-libpq
	$(Q)BUILD=$(abspath $(BUILD)) $(BUILD)/tests/load fault --seconds 6
	$(Q)BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check --jobs $(TEST_JOBS)

# Kills collector, database and runners at random, and accounts for every document.
.PHONY: fault-test
fault-test: SECONDS = 600
fault-test:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/load BUILD=$(BUILD)
	$(Q)BUILD=$(abspath $(BUILD)) $(BUILD)/tests/load fault --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

# Kills the runner at random moments, with an account of every job and result.
.PHONY: soak-runner
soak-runner: SECONDS = 600
soak-runner:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/check BUILD=$(BUILD)
	$(Q)HAKPERF_SOAK=$(SECONDS) CK_RUN_SUITE=runner_killed BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check

# What the measuring engine finds and what it imagines; goes on where it stopped. RUNS= of each kind,
# KINDS= of those alone, with the first WORKLOADS= of the suite.
.PHONY: bench-measurement
RUNS  ?= 20
HOURS ?= 1
bench-measurement:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all BUILD=$(BUILD)
	$(Q)BUILD=$(abspath $(BUILD)) KINDS='$(KINDS)' WORKLOADS='$(WORKLOADS)' \
	    sh tests/bench/measurement.sh \
	    $(abspath $(or $(STATE),$(BUILD)/bench-measurement)) $(RUNS) $(HOURS)

# The detector of change points on labelled series of 32 kinds, twelve of them never tuned on:
# precision, recall, quiet series flagged, power and delay by the size of a step in noise units.
.PHONY: bench-changepoints
bench-changepoints: all $(BUILD)/tests/check
	$(Q)CK_RUN_SUITE=analysis_labelled $(abspath $(BUILD))/tests/check

# The collector and its store against their goals; SECONDS= of each timed part.
.PHONY: bench-collector
bench-collector: SECONDS = 120
SAMPLES ?= 100000000
RUNNERS ?= 1000
bench-collector:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/load BUILD=$(BUILD)
	$(Q)BUILD=$(abspath $(BUILD)) $(BUILD)/tests/load bench --seconds $(SECONDS) \
	    --samples $(SAMPLES) --runners $(RUNNERS)

.PHONY: soak-collector
soak-collector: SECONDS = 3600
soak-collector: RUNNERS = 100
soak-collector:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/load BUILD=$(BUILD)
	$(Q)BUILD=$(abspath $(BUILD)) $(BUILD)/tests/load bench --seconds $(SECONDS) \
	    --documents 0 --samples 0 --connections 0 --runners $(RUNNERS)

# Planted changes of the allocator, measured by a whole service; a short form is in `check`.
.PHONY: check-regressions
check-regressions: REGRESSIONS = all
check-regressions:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/check BUILD=$(BUILD)
	$(Q)REGRESSIONS=$(REGRESSIONS) CK_RUN_SUITE=regressions BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check

# A regression among commits that nobody measured, searched by a whole service.
.PHONY: check-bisection
check-bisection:
	$(Q)sh deploy/bootstrap build demo check
	$(Q)$(MAKE) all $(BUILD)/tests/check BUILD=$(BUILD)
	$(Q)HAKPERF_BISECTION=1 CK_RUN_SUITE=integration_bisection BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check

.PHONY: check-browser
check-browser:
	$(Q)sh deploy/bootstrap build demo check extra
	$(Q)$(MAKE) all BUILD=$(BUILD)
	$(Q)BUILD=$(abspath $(BUILD)) sh tests/browser/run.sh

# The allocator replaces what AddressSanitizer replaces too, so it is built as always.
ASAN_BUILD = $(BUILD)/asan
asan:
	$(Q)$(MAKE) all $(ASAN_BUILD)/tests/check $(ASAN_BUILD)/tests/check-libpq BUILD=$(ASAN_BUILD) \
	    SANITIZE=address,undefined
	$(Q)$(ASAN_BUILD)/tests/check-libpq
	$(Q)BUILD=$(abspath $(ASAN_BUILD)) $(ASAN_BUILD)/tests/check --jobs $(TEST_JOBS)

# One fuzz target for a while: make fuzz FUZZ=wire SECONDS=600. New finds land in its corpus.
FUZZ    ?= wire
SECONDS ?= 60
FUZZ_BUILD = $(BUILD)/fuzz
FUZZ_LIBS  = $(addprefix $(FUZZ_BUILD)/lib/libhp,collector.a runner.a common.a analysis.a)
fuzz: $(BUILD)/web/.done
	$(Q)mkdir -p $(FUZZ_BUILD)/bin && cp -a $(BUILD)/web $(FUZZ_BUILD)/
	$(Q)$(MAKE) $(FUZZ_LIBS) BUILD=$(FUZZ_BUILD) CC=clang OPT='-O1 -g' \
	    SANITIZE=fuzzer-no-link,address,undefined
	$(call say,FUZZ,$(FUZZ))
	$(Q)clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZ_TARGET=fuzz_$(FUZZ) $(CPPFLAGS_ALL) \
	    $(call pkg_cflags,$(PKGS_COLLECTOR)) -std=gnu17 -o $(FUZZ_BUILD)/bin/$(FUZZ) \
	    tests/fuzz/libfuzzer.c tests/fuzz/fuzz_$(FUZZ).c $(FUZZ_LIBS) \
	    $(call pkg_libs,$(PKGS_COMMON) $(PKGS_COLLECTOR)) -lm -pthread
	$(Q)$(FUZZ_BUILD)/bin/$(FUZZ) -max_total_time=$(SECONDS) -timeout=5 -max_len=65536 \
	    tests/fuzz/corpus/$(FUZZ)

# The page of SQL questions shows what a test got; this writes what it gets now.
.PHONY: questions
questions: all $(BUILD)/tests/check
	$(Q)HAKPERF_WRITE_QUESTIONS=1 CK_RUN_SUITE=questions BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check

bench: allocator
	$(Q)$(MAKE) -C allocator bench-table BUILD=$(abspath $(BUILD)) CC=$(CC) V=$(V)

# The formatter and two independent checkers, over everything that is compiled here.
LINT_C = $(shell git ls-files '*.c' '*.h')
# cppcheck knows no cleanup attribute (memleak), and does not read jansson's header: its loops, without semicolons, which it would split.
CPPCHECK_MACROS = '-Djson_array_foreach(a,i,v)=while((i=0),(v=json_array_get(a,i)))' \
    '-Djson_object_foreach(o,k,v)=while((k=""),(v=json_object_get(o,k)))'
lint:
	$(Q)clang-format --dry-run -Werror $(LINT_C)
	$(Q)cppcheck -q --error-exitcode=1 --enable=warning,performance \
	    --inline-suppr --suppress=missingIncludeSystem --suppress=memleak --library=posix --library=gnu -D_GNU_SOURCE \
	    -DHAKPERF_VERSION='""' $(CPPCHECK_MACROS) -I. analysis common runner collector cli
	$(Q)clang-tidy --quiet $(filter-out allocator/% tests/%,$(filter %.c,$(LINT_C))) -- -I. -std=gnu17 \
	    -D_GNU_SOURCE -DHAKPERF_VERSION='""' $(call pkg_cflags,$(PKGS_COMMON) $(PKGS_COLLECTOR))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/lib/libhakmem.so $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(BUILD)/lib/libhakmem.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 allocator/include/hakmem.h $(DESTDIR)$(PREFIX)/include

clean:
	rm -rf $(BUILD) bench_*_hakmem bench_*_system

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
