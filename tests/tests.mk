# Tests; included by the Makefile.

TESTS_BUILD := $(BUILD)/tests

# All of the program but main, for tests to link with.
LIBRARY := $(BUILD)/libnodecanary.a

$(LIBRARY): $(filter-out $(BUILD)/obj/collector/main.o,$(OBJECTS))
	@rm -f $@
	$(call say,AR,$@) $(AR) rcs $@ $^

# Unit tests: one program a file. A test that defines a module's functions itself, or links a
# fake from tests/unit/fake_*.c, gets those in place of the archive's.
UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(TESTS_BUILD)/unit/%)
UNIT_SUPPORT := $(BUILD)/obj/tests/unit/support.o

# With a liboping that does what the test says.
FAKE_OPING_TESTS := $(TESTS_BUILD)/unit/test_probe
$(FAKE_OPING_TESTS): $(BUILD)/obj/tests/unit/fake_oping.o

# Its own function stands before that of libinih, and calls it.
$(TESTS_BUILD)/unit/test_inifile: LINK_HARDENING += -Wl,--wrap=ini_parse_stream

$(TESTS_BUILD)/unit/test_%: $(BUILD)/obj/tests/unit/test_%.o $(UNIT_SUPPORT) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ \
		$(filter %.o,$^) $(LIBRARY) $(NC_LDLIBS) -lcmocka

# Tools: tests/tools/*.c are one program each, *_shim.c are preloaded libraries, the simulated
# network has a directory.
TOOL_SOURCES := $(sort $(wildcard tests/tools/*.c))
SHIM_SOURCES := $(filter %_shim.c,$(TOOL_SOURCES))
TOOLS := $(patsubst tests/tools/%.c,$(TESTS_BUILD)/%,$(filter-out $(SHIM_SOURCES),$(TOOL_SOURCES))) \
	$(SHIM_SOURCES:tests/tools/%.c=$(TESTS_BUILD)/%.so) $(TESTS_BUILD)/simnet
SIMNET_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard tests/tools/simnet/*.c)))

$(TESTS_BUILD)/simnet: $(SIMNET_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ -lm

# Preloaded into programs that may have no sanitizer: always built without.
$(TESTS_BUILD)/%_shim.so: tests/tools/%_shim.c
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -fPIC -shared \
		-o $@ $< -ldl

$(TESTS_BUILD)/%: $(BUILD)/obj/tests/tools/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $< -pthread

tools: $(TOOLS)
unit-tests: $(UNIT_TESTS)

# What `make check` runs is bounded: tests with `# check: no, REASON` in their head are left out,
# unless ALL is set, as by `make check-all`.
ALL ?=
chosen = $(filter-out %lib.sh $(if $(ALL),,$(shell grep -l '^# check: no, ' $(1))),$(1))

check-unit: all unit-tests
	$(Q)tests/unit/run $(UNIT_TESTS)

check-sanitize:
	$(Q)$(MAKE) --no-print-directory -j2 SANITIZE=address,undefined CFLAGS="-O1 -g" all unit-tests >/dev/null
	$(Q)ASAN_OPTIONS=detect_leaks=1 $(MAKE) --no-print-directory SANITIZE=address,undefined check-unit

# Valgrind knows no Landlock.
check-valgrind:
	$(Q)UNIT_WRAP='valgrind -q --error-exitcode=99 --leak-check=full' \
		$(MAKE) --no-print-directory UNIT_TESTS="$(filter-out %/test_landlock,$(UNIT_TESTS))" check-unit

# The whole program in network namespaces. So many tests run at a time as BEHAVIOUR_JOBS, but those
# that have `# alone: REASON` in their head one after another.
BEHAVIOUR_JOBS ?= 3
BEHAVIOUR_TESTS := $(call chosen,$(sort $(wildcard tests/behaviour/*.sh)))
BEHAVIOUR_ALONE := $(shell grep -l '^\# alone: ' $(BEHAVIOUR_TESTS))

run_behaviour = NODECANARY=$(CURDIR)/$(BUILD)/nodecanary TOOLS=$(CURDIR)/$(TESTS_BUILD) \
	STATIC_NC=$(CURDIR)/$(BUILD)/static/nodecanary tests/behaviour/run -j$(BEHAVIOUR_JOBS)

check-behaviour: all tools static
	$(Q)$(run_behaviour) $(BEHAVIOUR_TESTS)

check-behaviour-alone: all tools static
	$(Q)$(run_behaviour) $(BEHAVIOUR_ALONE)

check-behaviour-beside: all tools static
	$(Q)$(run_behaviour) $(filter-out $(BEHAVIOUR_ALONE),$(BEHAVIOUR_TESTS))

# With a sanitizer in the program and in the tools, all tests but those with `# sanitizers: no`.
check-sanitize-behaviour:
	$(Q)$(MAKE) --no-print-directory -j2 SANITIZE=address,undefined CFLAGS="-O1 -g" all tools >/dev/null
	$(Q)SANITIZED=1 ASAN_OPTIONS=detect_leaks=1 NODECANARY=$(CURDIR)/$(SANITIZED)/nodecanary \
		TOOLS=$(CURDIR)/$(SANITIZED)/tests tests/behaviour/run -j$(BEHAVIOUR_JOBS)

SANITIZED := $(BUILD)/sanitize-address-undefined

# The program within the sandbox of its unit: that user's capability, those system calls. All tests
# but those with `# sandbox: no` in their head.
check-sandbox: all tools
	$(Q)tests/tools/sandbox-filter systemd/nodecanary.service $(BUILD)/unit.bpf
	$(Q)SANDBOX_PROGRAM=$(CURDIR)/$(BUILD)/nodecanary SANDBOX_FILTER=$(CURDIR)/$(BUILD)/unit.bpf \
		NODECANARY=$(CURDIR)/$(TESTS_BUILD)/sandboxed TOOLS=$(CURDIR)/$(TESTS_BUILD) \
		tests/behaviour/run -j$(BEHAVIOUR_JOBS)

static:
	$(Q)$(MAKE) --no-print-directory STATIC=1 BUILD=$(BUILD)/static all

check-lint: lint

check-docs: all
	$(Q)NODECANARY=$(CURDIR)/$(BUILD)/nodecanary tests/docs/run

# Manual pages, completions, units, packages, the role, rules and dashboard: a script each.
PACKAGING_TESTS := $(filter-out %/lib.sh,$(wildcard tests/packaging/*.sh tests/prometheus/*.sh))
PACKAGING_CHECKS := $(patsubst %.sh,check-%,$(notdir $(PACKAGING_TESTS)))

$(PACKAGING_CHECKS): check-%: all
	$(Q)BUILD=$(CURDIR)/$(BUILD) NODECANARY=$(CURDIR)/$(BUILD)/nodecanary \
		$(filter %/$*.sh,$(PACKAGING_TESTS))

check-packaging: $(patsubst %.sh,check-%,$(notdir $(call chosen,$(PACKAGING_TESTS))))

# On other Debian systems and architectures, a line of its matrix each.
check-portability: all
	$(Q)tests/tools/portability

# Pages that Prometheus serves, in a browser.
check-console:
	$(Q)tests/prometheus/console/run $(CURDIR)/$(BUILD)/console

# Whole Debian nodes, on which the package DEB is installed, a new one by default.
DEB ?=
with_nodes = DEB="$(or $(DEB),$$(ls -t $(CURDIR)/$(BUILD)/packages/nodecanary_*.deb | head -n 1))" \
	TOOLS=$(CURDIR)/$(TESTS_BUILD) CACHE=$(CURDIR)/$(BUILD)/node-cache
run_nodes = $(with_nodes) tests/node/run
NODE_TESTS := $(call chosen,$(sort $(wildcard tests/node/*.sh)))
FLEET_TESTS := $(filter tests/node/fleet-%,$(NODE_TESTS))

check-node: tools $(if $(DEB),,deb)
	$(Q)$(run_nodes) $(filter-out $(FLEET_TESTS),$(NODE_TESTS))

# Fleets of them: Ansible, Prometheus with the rules, faults.
check-fleet: tools $(if $(DEB),,deb)
	$(Q)$(run_nodes) $(FLEET_TESTS)

# What they boot from; otherwise the first of them makes it.
node-image: $(if $(DEB),,deb)
	$(Q)$(run_nodes) --image

# Such a fleet to look at.
demo:
	@tests/tools/deps demo
	$(Q)$(MAKE) --no-print-directory tools deb >/dev/null
	$(Q)$(with_nodes) tests/node/demo

# Fuzzing, with clang's libFuzzer: an hour for each target, in `make check` some seconds.
FUZZ_SECONDS ?= 3600
FUZZERS := $(patsubst tests/fuzz/%.c,$(TESTS_BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

$(TESTS_BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(UNIT_SUPPORT) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) -fsanitize=fuzzer $(LDFLAGS) -o $@ \
		$(filter %.o,$^) $(LIBRARY) $(NC_LDLIBS) -lcmocka

fuzzers: $(FUZZERS)

fuzz:
	$(Q)$(MAKE) --no-print-directory CC=clang SANITIZE=fuzzer-no-link,address,undefined \
		BUILD=$(BUILD)/fuzz fuzzers
	$(Q)FUZZERS=$(CURDIR)/$(BUILD)/fuzz/tests WORK=$(CURDIR)/$(BUILD)/fuzz/corpus \
		tests/fuzz/run $(FUZZ_SECONDS)

check-fuzz:
	$(Q)$(MAKE) --no-print-directory FUZZ_SECONDS=5 fuzz

# Branches of the collector that the unit and integration tests take.
COVERAGE := $(BUILD)/coverage
coverage:
	@tests/tools/deps coverage
	$(Q)tests/tools/coverage $(COVERAGE)

# What `make check-all` bounds, at full length.
soak: all tools
	$(Q)SOAK_RUNS=2000 FULL=1 $(run_behaviour) $(patsubst %,tests/behaviour/%.sh,soak \
		killed-at-any-call failing-system-calls damaged-file)

# What it costs beside others, in BENCH's words: `make bench BENCH="--peers 9,100"`.
bench:
	@tests/tools/deps bench
	$(Q)$(MAKE) --no-print-directory all tools static musl $(if $(DEB),,deb)
	$(Q)$(with_nodes) NODECANARY=$(CURDIR)/$(BUILD)/nodecanary \
		STATIC_NC=$(CURDIR)/$(BUILD)/static/nodecanary tests/bench/run $(BENCH)

lint:
	$(Q)tests/tools/lint

# Every header compiles alone.
hdr-check:
	$(Q)for header in $(HEADERS); do \
		printf '#include "%s"\n' "$${header#collector/}" | \
			$(CC) $(NC_CFLAGS) -Werror -fsyntax-only -x c - || exit 1; \
	done; echo "hdr-check: $(words $(HEADERS)) headers"

# What the compiler finds in all C sources without making code of them.
syntax:
	$(Q)$(CC) $(NC_CFLAGS) $(CFLAGS) -fsyntax-only $(SOURCES) \
		$(wildcard tests/unit/*.c tests/tools/*.c tests/tools/simnet/*.c tests/fuzz/*.c)

check:
	@tests/tools/deps check
	@tests/check

check-all:
	@tests/tools/deps check-all
	@tests/check all

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(wildcard tests/unit/*.c tests/tools/*.c tests/tools/simnet/*.c \
	tests/fuzz/*.c))

.PRECIOUS: $(BUILD)/obj/%.o
.PHONY: check check-all check-unit check-sanitize check-valgrind check-behaviour \
	check-behaviour-alone check-behaviour-beside check-sanitize-behaviour check-sandbox \
	check-lint check-docs check-packaging $(PACKAGING_CHECKS) check-console check-portability \
	check-node check-fleet node-image demo lint hdr-check syntax fuzz check-fuzz fuzzers coverage \
	soak bench tools static unit-tests
