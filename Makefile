# SPDX-License-Identifier: MPL-2.0
# rvkit: `make help` lists the targets.
#
# The same rules build every variant; each has its own directory:
#   make BUILD=build/asan SANITIZE=address,undefined test-c
#   make BUILD=build/arm CC=aarch64-linux-gnu-gcc RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' test-c

VERSION := 0.1.0
CC      ?= gcc
AR      ?= ar
BUILD   ?= build
OPT     ?= -O2
PREFIX  ?= /usr/local
# SANITIZE: address,undefined or thread.  RUNNER: what starts a test program.  EXE: suffix of programs.
SANITIZE ?=
RUNNER   ?=
EXE      ?=

ifeq ($(origin CC),default)
CC := gcc
endif

IS_WASM := $(findstring emcc,$(CC))

CFLAGS  ?= $(OPT) -g
RVKIT_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	-ffp-contract=off -fno-math-errno -fvisibility=hidden -Iinclude -DRVKIT_VERSION='"$(VERSION)"'
RVKIT_LDLIBS := -lm
ifneq ($(IS_WASM),)
AR := emar
RVKIT_LDFLAGS := -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=67108864 -sTOTAL_STACK=1048576 -sEXIT_RUNTIME=1 -sNODERAWFS=1
RUNNER_WASM := node --no-experimental-fetch
ifeq ($(RUNNER),)
RUNNER := $(RUNNER_WASM)
endif
EXE := .js
export NODE_PATH := /usr/share/nodejs
else
RVKIT_CFLAGS += -pthread -fPIC
RVKIT_LDFLAGS += -pthread
endif
ifneq ($(SANITIZE),)
RVKIT_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
ifeq ($(findstring thread,$(SANITIZE)),)
RVKIT_CFLAGS += -fno-sanitize-recover=all
endif
RVKIT_LDFLAGS += -fsanitize=$(SANITIZE)
endif

LIB_SRC  := $(filter-out src/frontends/main.c,$(wildcard src/*.c src/cpu/*.c src/devices/*.c src/host/*.c src/frontends/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
MAIN_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/frontends/main.c))
LIB      := $(BUILD)/librvkit.a
BIN      := $(BUILD)/rvkit$(EXE)
UNIT     := $(patsubst %.c,$(BUILD)/%$(EXE),$(wildcard tests/unit/*.c))
DEVICE   := $(patsubst %.c,$(BUILD)/%$(EXE),$(wildcard tests/device/*.c))
ISA      := $(patsubst %.c,$(BUILD)/%$(EXE),$(wildcard tests/isa/*.c))

all: $(BIN)

$(BIN): $(MAIN_OBJ) $(LIB)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -o $@ $^ $(LDFLAGS) $(RVKIT_LDLIBS)

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(RVKIT_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%$(EXE): tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(RVKIT_CFLAGS) $(CFLAGS) $(RVKIT_LDFLAGS) -Isrc -Itests -MMD -MP -o $@ $< $(LIB) $(LDFLAGS) $(RVKIT_LDLIBS)

# The C suites alone: no guest, no network. Run for every compiler, sanitizer and host.
test-c: $(UNIT) $(DEVICE) $(ISA)
	tests/run-c.sh '$(RUNNER)' $^

clean:
	rm -rf build

.PHONY: all test-c clean

-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(wildcard $(BUILD)/tests/*/*.d)
