# SPDX-License-Identifier: MPL-2.0
# rvkit: `make help` lists the targets.
#
# The same rules build every variant; each has its own directory:
#   make BUILD=build/asan SANITIZE=address,undefined test-c
#   make BUILD=build/aarch64 CC=aarch64-linux-gnu-gcc RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' test-c
#   make BUILD=build/wasm CC=emcc test-c

VERSION := 0.1.0
SOVERSION := 0
BUILD   ?= build
OPT     ?= -O2
PREFIX  ?= /usr/local
DESTDIR ?=
# SANITIZE: address,undefined or thread.  RUNNER: what starts a test program.  EXE: suffix of programs.
SANITIZE ?=
RUNNER   ?=
EXE      ?=
# The guest's kernel: 6.1 or 6.12.
LINUX    ?= 6.1
# What its root is on: the initramfs, or with DISK=disk or DISK=desktop that disk, whose changes are kept in build/.
DISK     ?=
# Options added to `make run`, as in: make run ARGS='-smp 4 -m 1G'
ARGS     ?=

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif

# With -g newer Emscriptens warn, which is an error here, that they optimise less.
CFLAGS ?= $(OPT) $(if $(findstring emcc,$(CC)),,-g)
RVKIT_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	-ffp-contract=off -fno-math-errno -foptimize-sibling-calls -fno-strict-aliasing \
	-fvisibility=hidden -Iinclude -DRVKIT_VERSION='"$(VERSION)"' $(if $(ENGINE),-DRVKIT_ENGINE)
RVKIT_LDLIBS := -lm
ifneq ($(findstring emcc,$(CC)),)
AR := emar
RVKIT_LDFLAGS := -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=67108864 -sTOTAL_STACK=1048576 \
	-sEXIT_RUNTIME=1 -sNODERAWFS=1
# Node 20 has fetch(), which this Emscripten's loader would try on a file name.
RUNNER := $(if $(RUNNER),$(RUNNER),node --no-experimental-fetch)
EXE := .js
export NODE_PATH := /usr/share/nodejs
else
RVKIT_CFLAGS += -pthread -fPIC
RVKIT_LDFLAGS += -pthread
# The user network needs libslirp; pkg-config is asked for where it is, and a program is linked to see that it is.
SLIRP_CFLAGS := $(shell pkg-config --cflags slirp 2>/dev/null)
SLIRP_LIBS := $(shell pkg-config --libs slirp 2>/dev/null || echo -lslirp)
HASH := \#
SLIRP := $(shell printf '%s\n' '$(HASH)include <slirp/libslirp.h>' 'int main(void) { return !slirp_version_string(); }' | \
	$(CC) $(SLIRP_CFLAGS) -x c -o /dev/null - -x none $(SLIRP_LIBS) 2>/dev/null && echo yes)
RVKIT_LDLIBS += $(if $(SLIRP),$(SLIRP_LIBS))
endif
ifneq ($(SANITIZE),)
RVKIT_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -DRVKIT_NO_TAILCALLS
RVKIT_LDFLAGS += -fsanitize=$(SANITIZE)
ifneq ($(findstring thread,$(SANITIZE)),)
# gcc says that its TSan does not model fences; the harts only order guest memory with them.
RVKIT_CFLAGS += $(if $(findstring clang,$(CC)),,-Wno-tsan)
endif
ifeq ($(findstring thread,$(SANITIZE)),)
RVKIT_CFLAGS += -fno-sanitize-recover=all
endif
endif

LIB_SRC  := $(filter-out src/frontends/main.c,$(wildcard src/*.c src/cpu/*.c src/devices/*.c src/host/*.c \
	src/frontends/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
MAIN_OBJ := $(BUILD)/src/frontends/main.o
LIB      := $(BUILD)/librvkit.a
SHLIB    := $(BUILD)/librvkit.so.$(VERSION)
BIN      := $(BUILD)/rvkit$(EXE)
SDL_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard sdl/*.c))
SDL_BIN  := $(BUILD)/rvkit-sdl
SDL_LIBS := sdl2 SDL2_ttf fontconfig libpng x11
HAVE_SDL := $(shell pkg-config --exists $(SDL_LIBS) 2>/dev/null && echo yes)
RELAY_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard relay/*.c))
RELAY_BIN := $(BUILD)/rvkit-relay
HAVE_RELAY := $(shell pkg-config --exists libwebsockets 2>/dev/null && echo yes)
GEN      := $(BUILD)/tests/isa/gen/rvkit-isagen
TESTS_C  := $(patsubst %.c,$(BUILD)/%$(EXE),$(wildcard tests/unit/*.c tests/device/*.c tests/isa/*.c))

all: $(BIN)

help:
	@echo 'make            build $(BIN)'
	@echo 'make run        install what is missing, build, boot Linux to a shell in this terminal (ARGS=...)'
	@echo 'make sdl        build $(SDL_BIN), the program with a window; make run-sdl: as run, in a window'
	@echo '                DISK=desktop: with graphical programs and a game (DISK=disk: the plain disk)'
	@echo 'make web        the page for browsers, in web/dist (GUEST=1: and the Linux guest beside it)'
	@echo 'make run-web    the same, served on this computer with a network for the guest; prints the address'
	@echo 'make relay      build $(RELAY_BIN), the network of guests in browsers'
	@echo 'make test       the same, and run every test'
	@echo 'make test-c     the C suites alone, with this compiler: no guest, nothing installed'
	@echo 'make bench      speed beside QEMU, with the same guest'
	@echo 'make bench-window   the window beside QEMU: frames, the way from a key to a pixel, idling'
	@echo 'make bench-web      the browser page: load, memory, echo (RVVM_WEB=DIR: beside it)'
	@echo 'make soak       what takes long: 50 boots of each kind, both kernels; browsers'
	@echo 'make fuzz       each fuzz target for a minute (FUZZ_SECONDS=60)'
	@echo 'make guest      the Linux guest alone (LINUX=6.1 or 6.12)'
	@echo 'make lib        librvkit.a and librvkit.so'
	@echo 'make install    programs, libraries, headers, manual page (PREFIX=/usr/local DESTDIR=)'
	@echo 'make check-upstream RVVM=DIR   compile the devices against an RVVM checkout, run the suite on its core'
	@echo 'make export RVVM=DIR           put the devices into it (docs/upstream.md)'
	@echo 'make format     clang-format over the C sources'
	@echo 'make clean      remove build/ (the guest stays in its cache)'

$(BIN): $(MAIN_OBJ) $(LIB)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -o $@ $^ $(LDFLAGS) $(RVKIT_LDLIBS)

# The window: needs $(SDL_LIBS), which nothing else does.
sdl: $(if $(HAVE_SDL),$(SDL_BIN),no-sdl)

no-sdl:
	@echo 'the window needs $(SDL_LIBS); tools/deps.sh sdl installs them' >&2
	@exit 1

$(SDL_BIN): $(SDL_OBJ) $(LIB)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -o $@ $^ $(LDFLAGS) $$(pkg-config --libs $(SDL_LIBS)) $(RVKIT_LDLIBS)

# For tests/sdl/two.sh.
SDL_TWO  := $(BUILD)/tests/sdl/two
sdl-two: $(SDL_TWO)

$(SDL_TWO): $(SDL_TWO).o $(filter-out $(BUILD)/sdl/main.o,$(SDL_OBJ)) $(LIB)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -o $@ $^ $(LDFLAGS) $$(pkg-config --libs $(SDL_LIBS)) $(RVKIT_LDLIBS)

$(SDL_OBJ) $(SDL_TWO).o: private RVKIT_CFLAGS += $(if $(HAVE_SDL),$(shell pkg-config --cflags $(SDL_LIBS)))

# The network of guests in browsers: needs libwebsockets, which nothing else does.
relay: $(if $(HAVE_RELAY),$(RELAY_BIN),no-relay)

no-relay:
	@echo 'the relay needs libwebsockets and pkg-config; tools/deps.sh web installs them' >&2
	@exit 1

$(RELAY_BIN): $(RELAY_OBJ) $(LIB)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -o $@ $^ $(LDFLAGS) $$(pkg-config --libs libwebsockets) $(RVKIT_LDLIBS)

# Its headers do not bear our warnings: they are the system's.
$(RELAY_OBJ): private RVKIT_CFLAGS += $(if $(HAVE_RELAY),$(patsubst -I%,-isystem %,$(shell pkg-config --cflags libwebsockets)))

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(SHLIB): $(LIB_OBJ)
	$(CC) $(CFLAGS) $(RVKIT_LDFLAGS) -shared -Wl,-soname,librvkit.so.$(SOVERSION) -Wl,-z,defs -o $@ $^ \
		$(LDFLAGS) $(RVKIT_LDLIBS)

lib: $(LIB) $(SHLIB)

# The machine for browsers and Node: build/web/rvkit.wasm, and the module that loads it. Emscripten's own loader is
# not used: what the machine needs of its host is the few functions in web/engine/rvkit.js. The objects are made by
# another run of these rules, with ENGINE=1. Tested with Debian 12's Emscripten (3.1.6) and Debian 13's (3.1.69).
WEB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/frontends/wasm/*.c))
WEB_LDFLAGS := --no-entry -sSTANDALONE_WASM=1 -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=4GB -sTOTAL_STACK=524288 \
	-sEXPORTED_FUNCTIONS=_malloc,_free \
	-sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0

web-engine:
	@$(MAKE) --no-print-directory BUILD=build/web CC=emcc OPT=-O3 ENGINE=1 build/web/rvkit.wasm
	@cp web/engine/rvkit.js build/web/rvkit.js
	@cp build/web/rvkit.js build/web/rvkit.wasm web/src/

# The page, in web/dist: static files for any host. GUEST=1 puts the Linux guest beside it.
web: web-engine
	@LINUX=$(LINUX) web/build.sh $(if $(GUEST),-guest)

build/web/rvkit.wasm: $(WEB_OBJ) $(LIB)
	emcc $(OPT) $(WEB_LDFLAGS) -o $@ $^ $(LDFLAGS)

# What the objects are made with; when it changes they are made again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(RVKIT_CFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(RVKIT_CFLAGS) $(CFLAGS)' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC $<'
	@$(CC) $(RVKIT_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/host/net_slirp.o: private RVKIT_CFLAGS += $(if $(SLIRP),-DRVKIT_SLIRP $(SLIRP_CFLAGS))
$(BUILD)/src/host/net_slirp.o: $(BUILD)/slirp

$(BUILD)/slirp: FORCE
	@mkdir -p $(@D)
	@echo '$(SLIRP)' | cmp -s - $@ || echo '$(SLIRP)' >$@

$(BUILD)/tests/unit/engine$(EXE): $(WEB_OBJ)
$(BUILD)/tests/unit/engine$(EXE): private LDFLAGS += $(WEB_OBJ)

$(BUILD)/tests/%$(EXE): tests/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC $<'
	@$(CC) $(RVKIT_CFLAGS) $(CFLAGS) $(RVKIT_LDFLAGS) -Isrc -Itests -MMD -MP -o $@ $< $(LDFLAGS) $(LIB) \
		$(RVKIT_LDLIBS)

# The window's own suites: with its files, but for main(). Sizes of what it draws into can be made up.
SDL_TESTS := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/sdl/two.c,$(wildcard tests/sdl/*.c)))
$(BUILD)/tests/sdl/%: tests/sdl/%.c $(filter-out %/main.o %/sdl/desktop.o,$(SDL_OBJ)) $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC $<'
	@$(CC) $(RVKIT_CFLAGS) $$(pkg-config --cflags $(SDL_LIBS)) $(CFLAGS) $(RVKIT_LDFLAGS) -Isrc -Itests -MMD -MP -o $@ \
		$(filter-out %.h %/flags,$^) $(WRAP) $(LDFLAGS) \
		$$(pkg-config --libs $(SDL_LIBS)) $(RVKIT_LDLIBS)

$(BUILD)/tests/sdl/window_events: private WRAP := -Wl,--wrap=SDL_GetRendererOutputSize,--wrap=SDL_GetWindowFlags,--wrap=SDL_GetClipboardText

test-sdl: $(SDL_TESTS)
	@LSAN_OPTIONS=suppressions=tests/sdl/lsan.supp tests/run-c.sh '' $^

$(GEN): $(wildcard tests/isa/gen/*.c) $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(RVKIT_CFLAGS) $(CFLAGS) $(RVKIT_LDFLAGS) -Isrc -Itests -MMD -MP -o $@ \
		$(wildcard tests/isa/gen/*.c) $(LIB) $(LDFLAGS) $(RVKIT_LDLIBS)

# A guest of its own: firmware that does what teaching systems do.
RISCV_CC := riscv64-linux-gnu-gcc
$(BUILD)/tests/boot/small_os.elf: $(addprefix tests/boot/small_os.,S c ld)
	@mkdir -p $(@D)
	@echo '  RISCV_CC $@'
	@$(RISCV_CC) -march=rv32ima_zicsr_zifencei -mabi=ilp32 -mcmodel=medany -msmall-data-limit=0 -O2 -Wall -Wextra \
		-Werror -ffreestanding -fno-builtin -fno-stack-protector -fno-pic -no-pie -nostdlib -static \
		-Wl,--build-id=none,--no-warn-rwx-segments -T tests/boot/small_os.ld -o $@ $(filter-out %.ld,$^)

# The C suites: run for every compiler, sanitizer and host.
test-c: $(TESTS_C)
	@tests/run-c.sh '$(RUNNER)' $^

isagen: $(GEN)

guest:
	@tools/deps.sh guest
	@LINUX=$(LINUX) guest/build.sh kernel initramfs

ROOT := $(if $(DISK),$(DISK),initramfs)
INITRD_ARGS = -initrd "$$(guest/build.sh path initramfs)"
DISK_ARGS = -drive "$$(guest/build.sh path $(DISK) | sed 's/,/,,/g'),cow=$(BUILD)/$$(basename \
	"$$(dirname "$$(guest/build.sh path $(DISK))")").cow"
ROOT_ARGS = $(if $(DISK),$(DISK_ARGS),$(INITRD_ARGS))

run:
	@tools/deps.sh build
	@guest/build.sh have kernel $(ROOT) >/dev/null 2>&1 || tools/deps.sh guest
	@LINUX=$(LINUX) guest/build.sh kernel $(ROOT)
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec $(BIN) -kernel "$$(LINUX=$(LINUX) guest/build.sh path kernel)" $(ROOT_ARGS) $(ARGS)

run-sdl:
	@tools/deps.sh build sdl
	@guest/build.sh have kernel $(ROOT) >/dev/null 2>&1 || tools/deps.sh guest
	@LINUX=$(LINUX) guest/build.sh kernel $(ROOT)
	@$(MAKE) --no-print-directory -j$$(nproc) sdl
	@exec $(SDL_BIN) -kernel "$$(LINUX=$(LINUX) guest/build.sh path kernel)" $(ROOT_ARGS) $(ARGS)

# Serves the page on loopback, with a network for its guest, and prints where.
run-web:
	@tools/deps.sh build web
	@guest/build.sh have kernel initramfs >/dev/null 2>&1 || tools/deps.sh guest
	@LINUX=$(LINUX) guest/build.sh kernel initramfs
	@$(MAKE) --no-print-directory -j$$(nproc) web GUEST=1
	@$(MAKE) --no-print-directory -j$$(nproc) relay
	@exec $(RELAY_BIN) -serve web/dist $(ARGS)

test:
	@tools/deps.sh build guest sdl web test
	@tests/run.sh

bench:
	@tools/deps.sh build guest
	@guest/build.sh kernel initramfs opensbi
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/bench/run.sh $(BIN)

# RVVM_WEB=DIR, RV32EMU_WEB=DIR: other emulators' WebAssembly builds (tests/bench/web.mjs); ROUNDS=5.
bench-web:
	@tools/deps.sh build web test
	@guest/build.sh have kernel initramfs >/dev/null 2>&1 || tools/deps.sh guest
	@guest/build.sh kernel initramfs
	@$(MAKE) --no-print-directory -j$$(nproc) web GUEST=1
	@node tests/bench/web.mjs $(ROUNDS)

bench-window:
	@tools/deps.sh build guest sdl test bench
	@guest/build.sh kernel initramfs opensbi zig
	@$(MAKE) --no-print-directory -j$$(nproc) sdl
	@tests/bench/window.sh $(SDL_BIN)

soak:
	@tools/deps.sh build guest web test
	@tests/soak.sh

fuzz:
	@tools/deps.sh build test
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

# RVVM=DIR is an RVVM checkout (docs/upstream.md); RVVM_LIB=FILE its static library, else looked for in DIR.
check-upstream:
	@BUILD='$(BUILD)' CC='$(CC)' tools/upstream.sh check '$(RVVM)' '$(RVVM_LIB)'

export:
	@tools/upstream.sh export '$(RVVM)'

$(BUILD)/rvkit.pc: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' \
		'Name: rvkit' 'Description: RV32 machine with RVVM-compatible devices' 'Version: $(VERSION)' \
		'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lrvkit' 'Libs.private: -pthread $(RVKIT_LDLIBS)' >$@

install: all lib $(BUILD)/rvkit.pc $(if $(HAVE_SDL),$(SDL_BIN)) $(if $(HAVE_RELAY),$(RELAY_BIN))
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/rvkit
	install -m 644 $(LIB) $(DESTDIR)$(PREFIX)/lib/librvkit.a
	install -m 755 $(SHLIB) $(DESTDIR)$(PREFIX)/lib/
	ln -sf librvkit.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/librvkit.so.$(SOVERSION)
	ln -sf librvkit.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/librvkit.so
	install -m 644 $(BUILD)/rvkit.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/rvkit.pc
	install -m 644 docs/rvkit.1 $(DESTDIR)$(PREFIX)/share/man/man1/rvkit.1
	$(if $(HAVE_SDL),ln -sf rvkit.1 $(DESTDIR)$(PREFIX)/share/man/man1/rvkit-sdl.1)
	$(if $(HAVE_SDL),install -m 755 $(SDL_BIN) $(DESTDIR)$(PREFIX)/bin/rvkit-sdl)
	$(if $(HAVE_SDL),install -D -m 644 sdl/rvkit.desktop $(DESTDIR)$(PREFIX)/share/applications/rvkit.desktop)
	$(if $(HAVE_SDL),install -D -m 644 sdl/rvkit.svg \
		$(DESTDIR)$(PREFIX)/share/icons/hicolor/scalable/apps/rvkit.svg)
	$(if $(HAVE_RELAY),install -m 755 $(RELAY_BIN) $(DESTDIR)$(PREFIX)/bin/rvkit-relay)
	$(if $(HAVE_RELAY),install -m 644 docs/rvkit-relay.1 $(DESTDIR)$(PREFIX)/share/man/man1/rvkit-relay.1)
	cd include && find rvvm -name '*.h' -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/include/{} \;

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

FORCE:

.DELETE_ON_ERROR:

.PHONY: all help lib web-engine web sdl no-sdl sdl-two relay no-relay test-c test-sdl isagen guest run run-sdl run-web \
	test bench bench-window bench-web soak fuzz check-upstream export install format clean FORCE

-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(WEB_OBJ:.o=.d) $(SDL_OBJ:.o=.d) $(RELAY_OBJ:.o=.d) \
	$(wildcard $(BUILD)/tests/*/*.d)
