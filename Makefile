# Makefile: builds, tests and runs Errand. `make help` says what there is.
#
# One file, non-recursive; lists, not wildcards: what is not named is not built.
# Objects go to build/<variant>/, where a variant is how it was compiled:
#   plain  optimised and hardened (the default)     asan  ASan and UBSan
#   tsan   ThreadSanitizer                          fuzz  libFuzzer, with clang
#   cover  as fuzz, and says what it reached
# and with CC=clang the same beside it (build/plain-clang/ …).

VERSION := 0.1.0
VARIANT ?= plain
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
PYTHON ?= /usr/bin/python3
ERRAND_HOME ?= .errand
JOBS ?= $(shell nproc)
export ERRAND_HOME PYTHON

# --- what there is -----------------------------------------------------------

BASE := account append buf calendar clock codec err field_kinds field_values \
	fields file id spoken suggest utf8 words yearly zone
MODEL := advance answer answer_people approval argv assignment attachment \
	audit billing card change command command_file command_keys cron cut \
	enrolment envelope environment group invitation key_words limits \
	log_entry mail mfa notify once pace pace_keys parameter pending read \
	record reply request result rules run run_end schedule \
	schedule_answer schedule_lines secret session target target_answer \
	tick timing user where
TRUST := allow approved cut_proof dsse event key_file keys known late person \
	proof reach revocation scheduled sealed signer standing \
	standing_groups standing_places verified wallet
IO := config kafka kafka_config kafka_reader kafka_record kafka_topic \
	kafka_writer log postgres postgres_rows
ROOF := revocation_log rpc rpc_reply rpc_told service service_dead \
	service_reload service_setup service_signals

SUBMIT := arguments asking auditor card_form card_line cards_asked \
	cards_seen chosen cmd_assign cmd_audit cmd_audit_verify cmd_billing \
	cmd_cancel cmd_card cmd_command cmd_group cmd_history cmd_init \
	cmd_invite cmd_key cmd_mfa cmd_output cmd_pending cmd_policy \
	cmd_rerun cmd_result cmd_rotate cmd_run cmd_runner cmd_schedule \
	cmd_schedule_next cmd_service cmd_service_end cmd_session \
	cmd_standing cmd_target cmd_target_show cmd_user cmd_verify \
	cmd_version compared console csv dry_run ended enrolled files follow \
	founding given harmless heard help kept keyring menu menu_cards \
	menu_command menu_list menu_runs naming notifiers opening pager parse \
	password place print profile prompt qr questions saved say sealing \
	second_factor session_file setting_up signed_ends signed_row since \
	spout submit summary timetable told track unified verb_flags \
	verb_rows waits wrap
SCHEDULER := advancing due firing overdue requests said scheduler
AUTHORIZER := advance_plan advances announcements approvals approvers \
	assignments audits authorizer billing_keys cancels cards chains \
	closings commands concerned decide decision deliver dispatching ends \
	explain factor factor_key factor_reset factors groups history \
	installation organisation outputs pendings people policy recipients \
	replies retention reuse revocations runs schedules services sessions \
	signed signers source standings start target_views targets tellings \
	ticks transaction turns verbs views
EXECUTOR := burials check_host claim_log execution executions executor \
	halves intake ledger output reasons recovery reload revoked room \
	spool tell
SPAWNER := child given_files judge keeper kin leftovers mask masker opened \
	private_dir rlimits spawner spawner_main started versions
HALVES := cgroup confine host link notes permitted state_lock
NOTIFIER := body ending fates hook hook_keys inbox letter mime news notice \
	notifier outbox post road wire
RECORDER := batch claims facts positions recorder results rows sources \
	speakers statements

UNIT_TESTS := account advance append approval argv audit auditor buf burials \
	card cgroup clock codec command command_file config confine cron csv \
	cut_proof due ending enrolment envelope err factor fields harmless \
	hook id invitation kafka keeper key_file known ledger letter link log \
	mask news notify outbox output overdue parameter parse password \
	permitted policy post print private_dir profile proof reasons record \
	rows rpc_reply rules run schedule sealed secret since spawner spoken \
	spool standing started suggest told track unified user utf8 vectors \
	verified versions wallet where words wrap zone
UNIT_HELP := chain columns table vector

COMMON_OBJECTS = $(addprefix common/base/,$(BASE)) \
	$(addprefix common/model/,$(MODEL)) $(addprefix common/trust/,$(TRUST)) \
	$(addprefix common/io/,$(IO)) $(addprefix common/,$(ROOF))
SUBMIT_OBJECTS = $(addprefix producer/submit/,$(SUBMIT))
SCHEDULER_OBJECTS = $(addprefix producer/scheduler/,$(SCHEDULER))
AUTHORIZER_OBJECTS = $(addprefix consumer/authorizer/,$(AUTHORIZER))
EXECUTOR_OBJECTS = $(addprefix consumer/executor/,$(EXECUTOR) $(HALVES))
SPAWNER_OBJECTS = $(addprefix consumer/executor/,$(SPAWNER) $(HALVES))
RECORDER_OBJECTS = $(addprefix consumer/recorder/,$(RECORDER))
NOTIFIER_OBJECTS = $(addprefix consumer/notifier/,$(NOTIFIER))

PROGRAMS := submit errand-authorizer errand-executor errand-spawner \
	errand-recorder errand-scheduler errand-notifier

# --- how it is compiled -------------------------------------------------------

PACKAGES := rdkafka libpq jansson libsodium libbsd smartcols libcurl liboath \
	libqrencode libseccomp
CLANG := $(findstring clang,$(CC))
OUT := build/$(VARIANT)$(if $(CLANG),-clang)

WARNINGS := -Wall -Wextra -Werror -Wvla -Wmissing-prototypes -Wwrite-strings \
	-Wshadow -Wformat=2 -Wstrict-prototypes
HARDENING := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE \
	-fstack-clash-protection \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
FLAGS_plain := $(if $(CLANG),$(filter-out -D_FORTIFY_SOURCE=3,$(HARDENING)) \
	-D_FORTIFY_SOURCE=2,$(HARDENING))
LINK_plain := -pie -Wl,-z,relro,-z,now
FLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
LINK_asan := -fsanitize=address,undefined
FLAGS_tsan := -O1 -fsanitize=thread
LINK_tsan := -fsanitize=thread
FLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined
LINK_fuzz := -fsanitize=address,undefined
FLAGS_cover := -O1 -fsanitize=fuzzer-no-link -fprofile-instr-generate \
	-fcoverage-mapping

CFLAGS := -std=gnu17 -g -MMD -MP -D_GNU_SOURCE \
	-DERRAND_VERSION='"$(VERSION)"' -Icommon -I. \
	-include common/base/banned.h $(WARNINGS) $(FLAGS_$(VARIANT)) \
	$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDFLAGS := $(LINK_$(VARIANT)) -Wl,--as-needed
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lkeyutils -lzxcvbn

BUILT := $(PROGRAMS:%=$(OUT)/%)
BINARIES := $(PROGRAMS:%=bin/%)

.PHONY: all
all: $(if $(filter plain,$(VARIANT)),$(BINARIES),$(BUILT)) ## build everything

objects = $(addprefix $(OUT)/,$(addsuffix .o,$(1)))

$(OUT)/libcommon.a: $(call objects,$(COMMON_OBJECTS))
	@rm -f $@.new && ar rcs $@.new $^ && mv -f $@.new $@

$(OUT)/submit: $(call objects,$(SUBMIT_OBJECTS))
$(OUT)/errand-authorizer: $(call objects,$(AUTHORIZER_OBJECTS))
$(OUT)/errand-executor: $(call objects,$(EXECUTOR_OBJECTS))
$(OUT)/errand-spawner: $(call objects,$(SPAWNER_OBJECTS))
$(OUT)/errand-recorder: $(call objects,$(RECORDER_OBJECTS))
$(OUT)/errand-scheduler: $(call objects,$(SCHEDULER_OBJECTS))
$(OUT)/errand-notifier: $(call objects,$(NOTIFIER_OBJECTS))

$(BUILT): $(OUT)/libcommon.a
	@echo "  link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@.new $(filter %.o,$^) \
		$(OUT)/libcommon.a $(LIBS) && mv -f $@.new $@

# bin/ holds what plain built last, by either compiler; a program that runs keeps
# its own.
.PHONY: force
bin/%: $(OUT)/% force
	@mkdir -p bin
	@cmp -s $< $@ || { install -m 755 $< $@.new && mv -f $@.new $@; }

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  $(notdir $(CC)) $<"
	@$(CC) $(CFLAGS) -c -o $@ $<

# Objects know their headers.
ALL_OBJECTS = $(call objects,$(COMMON_OBJECTS) $(SUBMIT_OBJECTS) \
	$(SCHEDULER_OBJECTS) $(AUTHORIZER_OBJECTS) $(EXECUTOR_OBJECTS) \
	$(SPAWNER_OBJECTS) $(RECORDER_OBJECTS) $(NOTIFIER_OBJECTS))
-include $(ALL_OBJECTS:.o=.d)

# --- tests ---------------------------------------------------------------------

UNIT_PROGRAMS = $(UNIT_TESTS:%=$(OUT)/tests/test_%)
# What a test needs beside the library: everything but the programs' mains.
UNIT_OBJECTS = $(call objects,$(filter-out %/executor %/spawner_main \
	%/authorizer %/recorder %/scheduler %/submit %/notifier,$(sort \
	$(SUBMIT_OBJECTS) $(SCHEDULER_OBJECTS) $(AUTHORIZER_OBJECTS) \
	$(EXECUTOR_OBJECTS) $(SPAWNER_OBJECTS) $(RECORDER_OBJECTS) \
	$(NOTIFIER_OBJECTS))))

$(OUT)/libunit.a: $(UNIT_OBJECTS) $(UNIT_HELP:%=$(OUT)/tests/unit/%.o)
	@rm -f $@.new && ar rcs $@.new $^ && mv -f $@.new $@

$(OUT)/tests/test_%: $(OUT)/tests/unit/test_%.o $(OUT)/libunit.a \
		$(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUT)/libcommon.a -lcmocka $(LIBS)

# What the C field tables say, for tests that ask other people's libraries too.
VERDICT := $(OUT)/tests/verdict
$(VERDICT): $(OUT)/tests/unit/verdict.o $(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Finds many strings in many bytes, for tests that look for secrets (canary.py).
SIEVE := $(OUT)/tests/sieve
$(SIEVE): $(OUT)/tests/e2e/sieve.o $(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Says when schedules fire, for tests that ask other people's clocks too.
TICKS := $(OUT)/tests/ticks
$(TICKS): $(OUT)/tests/e2e/ticks.o $(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Stops a program at an instant that a test names, to be killed there.
STOPS_AT := $(OUT)/tests/stops_at.so
$(STOPS_AT): tests/e2e/stops_at.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(filter-out -fPIE -fsanitize=% -MMD -MP,$(CFLAGS)) -fPIC -shared \
		-o $@ $<

-include $(UNIT_TESTS:%=$(OUT)/tests/unit/test_%.d) \
	$(UNIT_HELP:%=$(OUT)/tests/unit/%.d) $(OUT)/tests/unit/verdict.d \
	$(OUT)/tests/e2e/sieve.d $(OUT)/tests/e2e/ticks.d
.SECONDARY: $(UNIT_TESTS:%=$(OUT)/tests/unit/test_%.o)

# Python for the tests: with what is not in Debian, once `make deps-test` ran.
export VENV ?= $(abspath build/venv)
PYTEST = $(firstword $(wildcard $(VENV)/bin/python) $(PYTHON))

$(VENV)/installed: tests/requirements.txt
	@$(PYTHON) -m venv --system-site-packages $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

# The stacks of the end-to-end tests: beside the development stack, for each
# variant; `check` shares the tests out between two.
ERRAND_TEST_HOME ?= $(abspath $(OUT)/home)
TEST_HOMES = $(ERRAND_TEST_HOME) $(ERRAND_TEST_HOME)-2
TESTS ?=
unit e2e check: export ERRAND_BIN := $(abspath $(OUT))
unit e2e check: export ERRAND_TEST_HOME := $(ERRAND_TEST_HOME)
unit e2e check: export UBSAN_OPTIONS := print_stacktrace=1

.PHONY: programs test check unit e2e asan planted
programs: $(BUILT) $(UNIT_PROGRAMS) $(VERDICT) $(SIEVE) $(TICKS) $(STOPS_AT) ## compile all, unit tests too
test: deps deps-test ## install what tests need, build, run everything
	@$(MAKE) --no-print-directory -j$(JOBS) all programs layers
	@$(MAKE) --no-print-directory check
check: all $(UNIT_PROGRAMS) $(VERDICT) $(SIEVE) $(TICKS) $(STOPS_AT)
	@for home in $(TEST_HOMES); do \
		ERRAND_HOME=$$home $(PYTHON) ops/dev/stack.py reset || exit; done
	@$(PYTEST) tests/run --unit $(UNIT_PROGRAMS) --e2e="$(TESTS)" \
		--home $(TEST_HOMES)
unit: $(UNIT_PROGRAMS) ## run the unit tests (UNIT_TESTS="dsse link")
	@$(PYTHON) tests/run --unit $(UNIT_PROGRAMS)
e2e: all $(VERDICT) $(SIEVE) $(TICKS) $(STOPS_AT) ## run the end-to-end tests (TESTS="test_x.py -k y")
	@$(PYTEST) tests/run --e2e="$(TESTS)" --home $(ERRAND_TEST_HOME)
asan: ## run all tests under ASan and UBSan
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=asan programs
	@$(MAKE) --no-print-directory VARIANT=asan check
planted: ## break the product on purpose; each break must be noticed
	@$(PYTHON) tests/planted/planted.py $(PLANTED)

$(OUT)/tests/hop: $(OUT)/tests/bench/hop.o $(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/tests/pages: $(OUT)/tests/bench/pages.o $(OUT)/libunit.a \
		$(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUT)/libcommon.a -lcmocka $(LIBS)

$(OUT)/tests/spawn: $(OUT)/tests/bench/spawn.o $(OUT)/libunit.a \
		$(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUT)/libcommon.a -lcmocka $(LIBS)

.PHONY: bench bench-months bench-pages bench-spawn
bench: all $(OUT)/tests/hop $(OUT)/tests/pages ## measure, on the stack that is up
	@eval "$$($(STACK) env)" && \
		$(PYTHON) tests/bench/bench.py --hop $(OUT)/tests/hop
	@$(MAKE) --no-print-directory bench-pages bench-months bench-spawn
bench-spawn: $(OUT)/tests/spawn ## what a child costs beside a bare one
	@$(OUT)/tests/spawn
bench-pages: all $(OUT)/tests/pages
	@eval "$$($(STACK) env)" && \
		$(PYTHON) tests/bench/pages.py --pages $(OUT)/tests/pages
bench-months: all
	@eval "$$($(STACK) env)" && $(PYTHON) tests/bench/months.py

FUZZERS := card command_file cron dispatch fields ledger link proof
FUZZ_SECONDS ?= 10

$(OUT)/tests/fuzz_proof: $(call objects,$(addprefix tests/fuzz/,forge mutate))
$(OUT)/tests/fuzz_link: $(call objects,consumer/executor/link)
$(OUT)/tests/fuzz_ledger: $(call objects,$(addprefix consumer/executor/,ledger \
	notes spool started))
$(OUT)/tests/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/libcommon.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) \
		$(OUT)/libcommon.a $(LIBS)

-include $(addprefix $(OUT)/tests/fuzz/,$(FUZZERS:%=fuzz_%.d) forge.d mutate.d)
.PHONY: fuzz fuzz-keep fuzz-coverage fuzz-seeds fuzz-run
FUZZ = $(MAKE) --no-print-directory CC=clang VARIANT
fuzz: ## fuzz each parser for FUZZ_SECONDS (10), with clang
	+@$(FUZZ)=fuzz fuzz-run
fuzz-keep: ## keep the smallest inputs that reach what no seed does
	+@$(FUZZ)=fuzz $(FUZZERS:%=fuzz-keep-%)
fuzz-coverage: ## say which lines seeds and what is kept reach
	+@$(FUZZ)=cover $(FUZZERS:%=fuzz-cover-%)
fuzz-seeds:
	@tests/fuzz/seeds $(OUT)/seeds
fuzz-run: $(FUZZERS:%=fuzz-run-%)

$(FUZZERS:%=fuzz-run-%): fuzz-run-%: $(OUT)/tests/fuzz_% fuzz-seeds
	@mkdir -p $(OUT)/corpus/$*
	@$< -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix=$(OUT)/ $(OUT)/corpus/$* \
		$(OUT)/seeds/$* >$(OUT)/$*.log 2>&1 || \
		{ tail -n 40 $(OUT)/$*.log; exit 1; }
	@echo "  fuzz_$*: $$(sed -n 's/stat::number_of_executed_units: *//p' \
		$(OUT)/$*.log) inputs, none broke it"
$(FUZZERS:%=fuzz-keep-%): fuzz-keep-%: $(OUT)/tests/fuzz_% fuzz-seeds
	@tests/fuzz/keep $< $(OUT)/seeds/$* $(OUT)/corpus/$* tests/fuzz/kept/$*.txt
$(FUZZERS:%=fuzz-cover-%): fuzz-cover-%: $(OUT)/tests/fuzz_% fuzz-seeds
	@LLVM_PROFILE_FILE=$(OUT)/$*.raw $< -runs=0 $(OUT)/seeds/$* 2>/dev/null
	@llvm-profdata merge -o $(OUT)/$*.data $(OUT)/$*.raw
	@echo "fuzz_$*:" && llvm-cov report $< -instr-profile=$(OUT)/$*.data | \
		awk '$$8 > 0 && /\.c / { printf "  %-40s %5d lines, %s\n", $$1, $$8, $$10 }'

# --- the house ------------------------------------------------------------------

SOURCES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

.PHONY: layers figures format format-check
layers: ## fail on an include that climbs a floor
	@$(PYTHON) tests/house/layers.py
figures: ## print lengths of functions and files
	@$(PYTHON) tests/house/figures.py
format: ## lay out the C sources
	@clang-format -i $(SOURCES)
format-check: ## fail on C that is not laid out
	@clang-format --dry-run -Werror $(SOURCES)

# --- the development stack --------------------------------------------------------

STACK = $(PYTHON) ops/dev/stack.py
PROFILE ?= admin

.PHONY: deps deps-test up down status reset env demo
demo: deps ## install, build, start a stack, play the main job
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(STACK) up
	@ops/dev/demo
deps: ## install the packages that are needed
	@ops/dev/deps
deps-test: ## install those that the tests need
	@ops/dev/deps test
	@$(MAKE) --no-print-directory $(VENV)/installed
up: all ## start the development stack in ERRAND_HOME (.errand)
	@$(STACK) up
down: ## end it
	@$(STACK) down
status: ## say what of it runs
	@$(STACK) status
reset: ## end it and remove its directory
	@$(STACK) reset
env: ## print its environment for a shell (PROFILE=admin|runner)
	@$(STACK) env $(PROFILE)

.PHONY: help
help: ## say what there is
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed 's/:.*## /\t/' | \
		expand -t 16

.PHONY: clean
clean: ## remove what was built
	rm -rf build bin
