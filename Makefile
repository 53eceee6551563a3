# SPDX-License-Identifier: Apache-2.0
# make run                           install what is missing, build, run otel-config.yaml
# make                               build/weir and build/plugins/<kind>s/<type>.so
# make test                          unit tests, conformance, then end-to-end
# make SAN=address,undefined test    the same, sanitized, in its own tree (SAN=thread for races)
# make fuzz T=60 | bench | peers     every fuzz target for T seconds | the README's table | the Go collector
# make compare CASES= SEED=1         the Go collector and weir side by side, on the same YAML and requests
# make h2spec                        the conformance suite for HTTP/2, on both ports (needs Go once)
# make install PREFIX= DESTDIR=      program, plugins, headers, weir.pc, examples
, := ,
CC       ?= cc
CXX      ?= c++
PREFIX   ?= /usr/local
VERSION  := 0.1.0
T        ?= 60
Q        := $(if $(V),,@)
B        := build$(addprefix /,$(subst $(,),-,$(SAN)))
OPT      ?= -O2 -g
# The sanitizers of gcc make it see null pointers that are none.
WARN     := -Wall -Wextra $(if $(SAN),,-Werror) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
            $(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined))
HARDEN   := $(if $(SAN),,-fstack-protector-strong -D_FORTIFY_SOURCE=2)
CPPFLAGS += -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' -DWEIR_PREFIX='"$(PREFIX)"' \
            -Iplugins/include -Iplugins/kit -Icore -I$(B)/proto -MMD -MP
CFLAGS   += -std=c11 $(OPT) $(WARN) $(HARDEN) -fPIC -fvisibility=hidden -pthread $(SANITIZE)
CXXFLAGS += -std=c++17 $(OPT) -Wall -Wextra -Werror -fPIC -fvisibility=hidden $(SANITIZE)
LDFLAGS  += -pthread $(SANITIZE) $(if $(SAN),,-Wl$(,)-z$(,)relro$(,)-z$(,)now)

# What a folder links beyond libweir; the rest is read from the tree.
PKGS.core                := libuv yaml-0.1
PKGS.plugins/kit         := libnghttp2 libdeflate libisal libzstd
PKGS.plugins/kit/codecs  := snappy liblz4	# parts of the kit that are opened on first use
PKGS.plugins/kit/curl    := libcurl
PKGS.exporters/otlp_http := jansson

PLUGINS := $(patsubst %/,%,$(wildcard receivers/*/ processors/*/ exporters/*/ extensions/*/ connectors/*/ plugins/template/*/))
UNIT    := $(wildcard tests/unit/*/test_*.c)
FUZZ    := $(wildcard tests/fuzz/fuzz_*.c)
PROTOS  := $(wildcard plugins/proto/*.proto)

objs     = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)/*.c))
libs     = $(if $(PKGS.$(1)),$(shell pkg-config --libs $(PKGS.$(1))))
say      = $(if $(V),,@echo '  $@')
link     = $(if $(V),,@echo '  $@';) $(CC) $(CFLAGS) $(LDFLAGS) -L$(B) -Wl,--as-needed -o $@ $(filter %.o,$^)
# Calls of a library to itself need no look-up, at start or later.
ours     = -Wl,-Bsymbolic-functions
rpath    = -Wl,-rpath,'$$ORIGIN$(1)'
CORE    := $(filter-out $(B)/core/program/main.o,$(call objs,core/*))
KIT     := $(call objs,plugins/kit)
PROTO   := $(patsubst plugins/proto/%.proto,$(B)/proto/%.pb-c.o,$(PROTOS))
SUPPORT := $(call objs,tests/support)
UNITS   := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT))
SO      := $(patsubst %,$(B)/plugins/%.so,$(PLUGINS))
PARTS   := $(patsubst plugins/kit/%/,$(B)/libweir%.so,$(wildcard plugins/kit/*/))

.PHONY: all run test unit conformance e2e fuzz fuzzed bench peers h2spec compare install clean format
.SECONDEXPANSION:
.SECONDARY:
all: $(B)/weir $(SO) $(PARTS)

$(B)/weir: $(B)/core/program/main.o $(B)/libweir.so
	$(link) $(call rpath,) $(call rpath,/../lib) -lweir
$(B)/libweir.so: $(CORE)
	$(link) -shared $(ours) -Wl,-soname,$(@F) $(call libs,core) -ldl -lm
$(B)/libweirkit.so: $(KIT) $(B)/libweir.so
	$(link) -shared $(ours) -Wl,-soname,$(@F) $(call rpath,) -lweir $(call libs,plugins/kit)
$(B)/libweirre2.so: $(B)/plugins/kit/re2/shim.o
	$(say)
	$(Q)$(CXX) $(CXXFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(@F) -o $@ $^ $(shell pkg-config --libs re2)
$(B)/libweir%.so: $$(call objs,plugins/kit/$$*) $(B)/libweir.so
	$(link) -shared -Wl,-soname,$(@F) $(call rpath,) -lweir $(call libs,plugins/kit/$*)
$(B)/plugins/%.so: $$(call objs,$$*) $(B)/libweir.so $(B)/libweirkit.so
	@mkdir -p $(@D)
	$(link) -shared -Wl,-soname,$(@F) $(call rpath,/../..) $(call rpath,/../../..) -lweirkit -lweir $(call libs,$*) -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/%.o: %.cc
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<
$(B)/proto/.made: $(PROTOS)
	@mkdir -p $(@D)
	$(if $(PROTOS),protoc-c --c_out=$(B)/proto -Iplugins/proto $(PROTOS))
	@touch $@
$(B)/tests/%.o: tests/%.c $(B)/proto/.made
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/proto/%.pb-c.o: $(B)/proto/.made
	$(say)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $(@:.o=.c)

# Tests of core link core's objects; of the kit the kit's; of plugins only the contract.
TESTLIBS := $(shell pkg-config --libs check 2>/dev/null) -lprotobuf-c -ljansson -lm -ldl
$(B)/tests/unit/core/%: $(B)/tests/unit/core/%.o $(CORE) $(PROTO) $(SUPPORT)
	$(link) $(call libs,core) $(TESTLIBS)
$(B)/tests/unit/kit/%: $(B)/tests/unit/kit/%.o $(KIT) $(PROTO) $(SUPPORT) $(B)/libweir.so
	$(link) $(call rpath,/../../..) -lweir $(call libs,plugins/kit) $(TESTLIBS)
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(PROTO) $(SUPPORT) $(SO) $(B)/libweir.so
	$(link) $(call rpath,/../../..) -lweirkit -lweir $(TESTLIBS)

# The detectors and the prefilter are pure functions: their tests link them.
$(filter $(B)/tests/unit/processors/test_detect%,$(UNITS)): \
	$(patsubst %.c,$(B)/%.o,$(wildcard processors/redaction/detect*.c))
$(B)/tests/unit/processors/test_prefilter: $(addprefix $(B)/processors/redaction/,prefilter.o window.o detect_scan.o)
# The sampler's own objects beside core's: on several workers, and in parts.
$(filter $(B)/tests/unit/core/test_tail_%,$(UNITS)): $(call objs,processors/tail_sampling) $(B)/plugins/kit/tracestate.o

$(B)/tests/compare/%: $(B)/tests/compare/%.o $(CORE) $(KIT) $(PROTO) $(SUPPORT)
	$(link) $(call libs,core) $(call libs,plugins/kit) $(TESTLIBS)

$(B)/tests/conformance/conformance: $(B)/tests/conformance/conformance.o $(B)/libweir.so
	$(link) $(call rpath,/../..) -lweir $(TESTLIBS)

# ThreadSanitizer's memory map needs addresses that are not too random.
FIXED    = $(if $(findstring thread,$(SAN)),$(shell setarch -R true 2>/dev/null && echo setarch -R))
unit: all $(UNITS)
	@$(FIXED) tests/run-unit $(B) $(UNITS)
conformance: all $(B)/tests/conformance/conformance
	@$(FIXED) tests/conformance/run $(B)
e2e: all
	WEIR_BUILD=$(B) $(FIXED) build/venv/bin/python -m pytest -q -p no:cacheprovider tests/e2e $(PYTEST)
test:
	@tools/setup test build
	@$(MAKE) --no-print-directory unit conformance e2e
run:
	@tools/setup build
	@$(MAKE) --no-print-directory all
	$(B)/weir --config otel-config.yaml

$(B)/fuzz/%: tests/fuzz/%.c $(wildcard core/*/*.[ch] plugins/kit/*.[ch] tests/support/*.[ch])
	@mkdir -p $(@D)
	$(say)
	$(Q)clang $(CPPFLAGS) -std=c11 -O1 -g -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $< $(MORE) tests/support/*.c $(filter-out core/program/main.c,$(wildcard core/*/*.c)) $(wildcard plugins/kit/*.c) \
		$(wildcard $(B)/proto/*.c) $(call libs,core) $(call libs,plugins/kit) $(call libs,exporters/otlp_http) -lprotobuf-c -lcheck -lm -ldl
$(B)/fuzz/fuzz_policies: MORE := $(wildcard processors/tail_sampling/*.c)
$(B)/fuzz/fuzz_policies: $(wildcard processors/tail_sampling/*.[ch])
fuzz:
	@tools/setup fuzz build
	@$(MAKE) --no-print-directory fuzzed
fuzzed: $(B)/proto/.made $(PARTS) $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ))
	@tests/fuzz/run $(B) $(T)
bench: all
	@tools/setup bench
	bench/run.py $(BENCH)
peers:
	bench/peers.sh
h2spec: all
	tests/h2spec $(B)
SEED   ?= 1
BESIDE := json_in.py debug_detailed.py file_layout.py config_language.py verdicts.py own_metrics.py \
          probabilistic_sampler.py tail_sampling.py metrics_page.py
compare: all peers $(B)/tests/compare/json_read
	@tools/setup test build
	@failed=0; for c in "run.py --seed $(SEED) $(CASES)" $(if $(CASES),,$(BESIDE)); do \
		echo "$$c"; build/venv/bin/python tests/compare/$$c || failed=1; done; exit $$failed

LIB := $(DESTDIR)$(PREFIX)/lib
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(LIB)/weir/plugins $(LIB)/pkgconfig $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/weir
	install $(B)/weir $(DESTDIR)$(PREFIX)/bin
	install $(B)/libweir.so $(B)/libweirkit.so $(PARTS) $(LIB)
	cd $(B)/plugins && for so in [!k]*/*.so; do install -D $$so $(abspath $(LIB))/weir/plugins/$$so; done
	cp -R plugins/include/weir $(DESTDIR)$(PREFIX)/include
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' tools/weir.pc.in >$(LIB)/pkgconfig/weir.pc
	cp -R otel-config.yaml configs $(DESTDIR)$(PREFIX)/share/weir
clean:
	rm -rf $(B)
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

-include $(shell find $(B) -name '*.d' 2>/dev/null)
