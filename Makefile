# nodecanary
#
#   make run          install what the build needs, build, ping loopback, show the result
#   make check        install what the tests need, build, run every test
#   make              build build/nodecanary, install nothing
#   make install      DESTDIR, PREFIX and the directories below are honoured
#
# Parts of `make check`: check-unit check-netns check-docs check-sanitize check-valgrind
# lint hdr-check.
# V=1 shows commands; DEVELOPER=1 makes warnings errors; SANITIZE=address,undefined builds
# into a directory of its own; CFLAGS, CPPFLAGS and LDFLAGS are the user's.

VERSION := $(shell cat VERSION)

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
DOCDIR ?= $(PREFIX)/share/doc/nodecanary

CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g
SANITIZE ?=
DEVELOPER ?=

comma := ,
BUILD ?= build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef -Wconversion $(if $(DEVELOPER),-Werror)
ifeq ($(SANITIZE),)
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,--as-needed
else
HARDENING := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ifneq ($(findstring undefined,$(SANITIZE)),)
HARDENING += -fsanitize=float-divide-by-zero,float-cast-overflow
endif
LINK_HARDENING := $(HARDENING)
endif

# The libraries are asked when a command runs: `make run` may have to install them first.
LIBRARIES := liboping inih
NC_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) $(HARDENING) -fno-common -fno-math-errno -pthread \
	-Icollector $(shell $(PKG_CONFIG) --cflags $(LIBRARIES)) \
	-DNODECANARY_VERSION='"$(VERSION)"' \
	-DNODECANARY_LIBOPING_VERSION='"$(shell $(PKG_CONFIG) --modversion liboping)"'
NC_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -pthread -lm

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

SOURCES := $(sort $(wildcard collector/*.c))
HEADERS := $(sort $(wildcard collector/*.h))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o)

all: $(BUILD)/nodecanary

$(BUILD)/nodecanary: $(OBJECTS)
	$(call say,LINK,$@) $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(NC_LDLIBS)

$(BUILD)/obj/%.o: %.c VERSION Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(NC_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

run:
	@tests/deps build
	$(Q)$(MAKE) --no-print-directory all
	@tests/run-loopback $(BUILD)

include tests/tests.mk

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SYSCONFDIR)/nodecanary/nodecanary.ini.d \
		$(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 755 $(BUILD)/nodecanary $(DESTDIR)$(SBINDIR)/nodecanary
	test -e $(DESTDIR)$(SYSCONFDIR)/nodecanary/nodecanary.ini || \
		$(INSTALL) -m 644 conf/nodecanary.ini $(DESTDIR)$(SYSCONFDIR)/nodecanary/
	$(INSTALL) -m 644 README.md CHANGELOG.md LICENSE conf/loopback.ini $(DESTDIR)$(DOCDIR)

# The configuration is the administrator's, and stays if it was changed.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/nodecanary
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,README.md CHANGELOG.md LICENSE loopback.ini)
	! cmp -s conf/nodecanary.ini $(DESTDIR)$(SYSCONFDIR)/nodecanary/nodecanary.ini || \
		rm -f $(DESTDIR)$(SYSCONFDIR)/nodecanary/nodecanary.ini
	-rmdir $(DESTDIR)$(SYSCONFDIR)/nodecanary/nodecanary.ini.d $(DESTDIR)$(DOCDIR) \
		$(DESTDIR)$(SYSCONFDIR)/nodecanary 2>/dev/null

dist:
	git archive --format=tar.gz --prefix=nodecanary-$(VERSION)/ \
		-o nodecanary-$(VERSION).tar.gz HEAD

clean:
	rm -rf build

-include $(OBJECTS:.o=.d)

.PHONY: all run install uninstall dist clean
.DELETE_ON_ERROR:
