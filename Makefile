# For developers; ./run and ./check do all of it by themselves.
#
# SPDX-License-Identifier: GPL-2.0-or-later

PREFIX ?= /usr/local

.PHONY: help build check check-unit check-qtest check-guest bench hooks style \
	shell install clean distclean

help:
	@echo 'make build         the emulator: build/qemu-system-x86_64'
	@echo 'make check         every test'
	@echo 'make check-unit    unit tests'
	@echo 'make check-qtest   device tests without a guest'
	@echo 'make check-guest   guest tests on every kernel of the matrix'
	@echo 'make bench         benchmarks: table, CSV and plot in build/bench/'
	@echo 'make hooks         what the hook series touches upstream'
	@echo 'make style         checkpatch and our own rules'
	@echo 'make shell         a shell in a guest'
	@echo 'make install       to PREFIX ($(PREFIX)), below DESTDIR if set'
	@echo 'make clean         remove build/; distclean: all but the downloads'

build:
	@scripts/setup.sh

check:
	@./check

check-unit:
	@./check unit

check-qtest:
	@./check qtest

check-guest:
	@./check guest

bench:
	@scripts/bench.sh

hooks:
	@scripts/base-assemble.sh
	@/usr/bin/python3 scripts/hooks.py

style:
	@scripts/base-assemble.sh
	@/usr/bin/python3 scripts/style.py

shell:
	@./run --shell

install: build
	@scripts/install.sh '$(DESTDIR)' '$(PREFIX)'

clean:
	rm -rf build

distclean:
	rm -rf build .base .tools guest-images
