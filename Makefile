# nodecanary
#
#   make run          install what the build needs, build, ping loopback, show the result
#   make check        install what the tests need, build, run what every change must pass
#   make check-all    the same for a release: every test there is
#   make demo         boot a fleet of five nodes, break it, and show what one sees
#   make              build build/nodecanary, install nothing
#   make install      DESTDIR, PREFIX and the directories below are honoured
#   make deb, rpm     packages, in build/packages
#   make musl         build/musl/ARCHITECTURE/nodecanary, which needs nothing of the system
#   make release      all that is published of a version, in build/release
#
# `tests/check PART...` runs parts of them, check-PART is one by itself. hdr-check: every header
# compiles alone.
# V=1 shows commands; DEVELOPER=1 makes warnings errors; SANITIZE=address,undefined builds
# into a directory of its own, so does STATIC=1, which links no shared library; CFLAGS, CPPFLAGS
# and LDFLAGS are the user's.

VERSION := $(shell cat VERSION)

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
# Where the system has its own; a tree of its own, such as ~/.local, has one as well.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
DOCDIR ?= $(PREFIX)/share/doc/nodecanary
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/vendor-completions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g
SANITIZE ?=
STATIC ?=
DEVELOPER ?=

comma := ,
BUILD ?= build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))$(if $(STATIC),/static)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef -Wconversion $(if $(DEVELOPER),-Werror)
ifeq ($(SANITIZE),)
# A distribution may have its own idea of the level, and its compiler a default.
HARDENING := -fstack-protector-strong -fPIE '-ffile-prefix-map=$(CURDIR)=.' \
	$(if $(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# $(call linker_knows,OPTION...): those of them that it takes without a warning.
linker_knows = $(foreach option,$(1),$(shell echo 'int main(void) { return 0; }' | \
	$(CC) -Wl,--fatal-warnings,$(option) -o /dev/null -x c - 2>/dev/null && echo -Wl,$(option)))
# The 1,600 relocations of a static program are 35 kB as a table and 1 kB as a bitmap.
# The collector has a getaddrinfo() of its own, which also calls libc's: see hostinfo.c.
LINK_STATIC = -static-pie -Wl,--gc-sections -Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo \
	$(call linker_knows,--no-warnings -z$(comma)pack-relative-relocs)
LINK_HARDENING = $(if $(STATIC),$(LINK_STATIC),-pie) \
	-Wl,-z,relro,-z,now,--as-needed
else
HARDENING := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ifneq ($(findstring undefined,$(SANITIZE)),)
HARDENING += -fsanitize=float-divide-by-zero,float-cast-overflow
endif
LINK_HARDENING := $(HARDENING)
endif

# The libraries are asked when a command runs, as `make run` may have to install them first, and
# only once.
LIBRARIES := liboping inih
NC_CFLAGS = $(eval NC_CFLAGS := $(flags))$(NC_CFLAGS)
flags = -std=c11 -D_GNU_SOURCE $(WARNINGS) $(HARDENING) -fno-common -fno-math-errno -pthread \
	$(if $(STATIC),-DNODECANARY_STATIC) -Icollector $(shell $(PKG_CONFIG) --cflags $(LIBRARIES)) \
	$(if $(is_32_bit),$(FLAGS_32_BIT)) \
	-DNODECANARY_VERSION='"$(VERSION)"' -DNODECANARY_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DNODECANARY_LIBOPING_VERSION='"$(shell $(PKG_CONFIG) --modversion liboping)"'
NC_LDLIBS = $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(LIBRARIES)) -lm

# Without 64-bit offsets a large file system's inodes cannot be read. Times have the width that
# liboping was built with: otherwise the select() that it calls would not be ours.
is_32_bit = $(findstring 4,$(shell echo __SIZEOF_POINTER__ | $(CC) $(CFLAGS) -E -P -x c -))
FLAGS_32_BIT = -D_FILE_OFFSET_BITS=64 $(if $(shell grep -a __select64 \
	"$$($(CC) -print-file-name=liboping.$(if $(STATIC),a,so))"),-D_TIME_BITS=64)

# What the linker would warn of, in words: libc's own `files` and `dns` are linked in.
STATIC_NOTE := a static program looks names up by `files` and `dns` of /etc/nsswitch.conf; other \
	services there (resolve, ldap) work only beside the libc that it was built with

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

SOURCES := $(sort $(wildcard collector/*.c collector/*/*.c))
HEADERS := $(sort $(wildcard collector/*.h collector/*/*.h))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o)

all: $(BUILD)/nodecanary

$(BUILD)/nodecanary: $(OBJECTS)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(NC_LDLIBS)
	$(if $(STATIC),@echo '  NOTE     $(STATIC_NOTE)')

$(BUILD)/obj/%.o: %.c VERSION Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(NC_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What has the directory in it is compiled again if it is another one than in the previous build.
WITH_SYSCONFDIR := $(shell grep -l '"config/configload.h"' $(SOURCES) $(wildcard tests/unit/*.c))
$(WITH_SYSCONFDIR:%.c=$(BUILD)/obj/%.o): $(BUILD)/sysconfdir

$(BUILD)/sysconfdir: FORCE
	@mkdir -p $(@D)
	@echo '$(SYSCONFDIR)' | cmp -s - $@ || echo '$(SYSCONFDIR)' >$@

run:
	@tests/tools/deps build
	$(Q)$(MAKE) --no-print-directory all
	@tests/tools/run-loopback $(BUILD)

include tests/tests.mk

# SOURCE:DESTINATION of every file but the program and the configuration.
INSTALLED := \
	README.md:$(DOCDIR)/README.md \
	CHANGELOG.md:$(DOCDIR)/CHANGELOG.md \
	LICENSE:$(DOCDIR)/LICENSE \
	packaging/prometheus/metrics.md:$(DOCDIR)/metrics.md \
	packaging/prometheus/queries.md:$(DOCDIR)/queries.md \
	packaging/prometheus/runbook.md:$(DOCDIR)/runbook.md \
	packaging/prometheus/nodecanary.rules.yml:$(DOCDIR)/nodecanary.rules.yml \
	packaging/prometheus/nodecanary.alerts.yml:$(DOCDIR)/nodecanary.alerts.yml \
	conf/loopback.ini:$(DOCDIR)/loopback.ini \
	systemd/60-nodecanary-sysctl.conf:$(DOCDIR)/60-nodecanary-sysctl.conf \
	systemd/mount-sandbox.conf:$(DOCDIR)/mount-sandbox.conf \
	systemd/nodecanary.service:$(UNITDIR)/nodecanary.service \
	systemd/nodecanary.timer:$(UNITDIR)/nodecanary.timer \
	systemd/nodecanary.sysusers:$(SYSUSERSDIR)/nodecanary.conf \
	packaging/man/nodecanary.8:$(MANDIR)/man8/nodecanary.8 \
	packaging/man/nodecanary.ini.5:$(MANDIR)/man5/nodecanary.ini.5 \
	packaging/completion/nodecanary.bash:$(BASHCOMPDIR)/nodecanary \
	packaging/completion/_nodecanary:$(ZSHCOMPDIR)/_nodecanary \
	packaging/completion/nodecanary.fish:$(FISHCOMPDIR)/nodecanary.fish

CONFDIR = $(SYSCONFDIR)/nodecanary

# What `make install` does not do, as it may install for another machine. The service runs once
# before the link is made: until there is a file, the link would be an error to node_exporter.
NEXT := 'systemd-sysusers && systemctl daemon-reload' \
	'systemctl enable --now nodecanary.timer && systemctl start nodecanary.service' \
	'ln -s /var/lib/nodecanary/nodecanary.prom /var/lib/prometheus/node-exporter/'
# A file of the tree, with the paths that it has here.
with_paths = sed -e 's,/etc/nodecanary,$(CONFDIR),g' -e 's,/usr/sbin/nodecanary,$(SBINDIR)/nodecanary,g'

install: all
	$(INSTALL) -d "$(DESTDIR)$(CONFDIR)/nodecanary.ini.d"
	$(INSTALL) -D -m 755 $(BUILD)/nodecanary "$(DESTDIR)$(SBINDIR)/nodecanary"
	for file in $(INSTALLED) $$(test -e "$(DESTDIR)$(CONFDIR)/nodecanary.ini" || \
		echo conf/nodecanary.ini:$(CONFDIR)/nodecanary.ini); do \
		$(with_paths) "$${file%%:*}" >$(BUILD)/installed && $(INSTALL) -D -m 644 \
			$(BUILD)/installed "$(DESTDIR)$${file#*:}" || exit 1; \
	done
	$(if $(DESTDIR),,@printf '  NEXT     %s\n' $(NEXT))

# The configuration is the administrator's, and stays if it was changed.
uninstall:
	rm -f "$(DESTDIR)$(SBINDIR)/nodecanary"
	for file in $(INSTALLED); do rm -f "$(DESTDIR)$${file#*:}" || exit 1; done
	! $(with_paths) conf/nodecanary.ini | cmp -s - "$(DESTDIR)$(CONFDIR)/nodecanary.ini" || \
		rm -f "$(DESTDIR)$(CONFDIR)/nodecanary.ini"
	rmdir "$(DESTDIR)$(CONFDIR)/nodecanary.ini.d" "$(DESTDIR)$(CONFDIR)" "$(DESTDIR)$(DOCDIR)" \
		2>/dev/null || :

deb:
	@tests/tools/deps deb
	packaging/deb/build $(BUILD)/packages

rpm:
	@tests/tools/deps rpm
	packaging/rpm/build $(BUILD)/packages

release:
	@tests/tools/deps release
	packaging/release $(BUILD)/release

dist:
	packaging/archive nodecanary-$(VERSION) nodecanary-$(VERSION).tar.gz

# Programs that need nothing of the system, for these of Debian's architectures: its own by default.
MUSL_ARCHITECTURES ?=
musl:
	@tests/tools/deps musl
	packaging/static/build $(MUSL_ARCHITECTURES)

clean:
	rm -rf build

-include $(OBJECTS:.o=.d)

FORCE:
.PHONY: all run install uninstall deb rpm dist musl release clean FORCE
.DELETE_ON_ERROR:
