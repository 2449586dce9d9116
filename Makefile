# Sluice: every command, thin. The build itself is CMake (CMakePresets.json).
MCU        ?= atmega168
PROGRAMMER ?= usbasp
PORT       ?= usb
BITCLOCK   ?= 10
TIME       ?= 600
PREFIX     ?= /usr/local
RUNS       ?= 100000
SITE       ?= site

ifeq ($(filter $(MCU),atmega168 atmega328p),)
$(error MCU=$(MCU) is no relay chip that has a firmware: use atmega168 or atmega328p)
endif
ifneq ($(filter-out lx106,$(BOARD)),)
$(error BOARD=$(BOARD) is no board that the demo knows: use lx106, or leave it out for a node on this computer)
endif
AVRDUDE = avrdude -p $(MCU) -c $(PROGRAMMER) -P $(PORT) -B $(BITCLOCK)
avrdude = echo '$(AVRDUDE) $(1)'; $(AVRDUDE) $(1) || { \
	echo "The chip did not do as it was told. Check PROGRAMMER= ('avrdude -c ?' lists them), PORT=," \
	     "MCU=, the six wires and the supply; a new chip needs BITCLOCK=10 or more." >&2; exit 1; }
CTEST = ctest --output-on-failure --no-tests=error -j $(shell nproc)
BUILT = build/host
CHIP  = build/$(MCU)/relay-chip

.DEFAULT_GOAL := help
.PHONY: help setup build install deb ipk firmware board demo check lint docs format fuzz faults bench bench-board program_fuses program test_conn clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Install the Debian packages that demo and check need
	@tools/dev/setup.sh demo check

build: firmware ## Build all programs for this computer into build/host
	@cmake --preset host --log-level=WARNING >/dev/null
	@cmake --build $(BUILT) --target sluice sluice-node sluice-chip sluice-board

install: build ## Install sluice, sluice-node, unit, manuals, completion and node.conf below PREFIX=/usr/local (DESTDIR= too)
	@cmake --build $(BUILT) --target manual
	@DESTDIR='$(DESTDIR)' cmake --install $(BUILT) --prefix '$(PREFIX)'

deb: ## Build the Debian packages sluice-cli and sluice-node into build/deb; lintian judges them
	@tools/dev/setup.sh deb
	@tools/dev/deb.sh build/deb
	@ls -1 build/deb/*.deb

ipk: ## Pack the broker's files of SITE=site for an OpenWRT router (opkg) into build/ipk; there is a key in it
	@$(MAKE) --no-print-directory build
	@mkdir -p build/ipk; rm -f build/ipk/site.tar
	@umask 077; $(BUILT)/tools/sluice/sluice --site '$(SITE)' broker install --openwrt --bundle build/ipk/site.tar >/dev/null && \
	    deploy/openwrt/ipk.sh build/ipk/site.tar build/ipk; status=$$?; rm -f build/ipk/site.tar; exit $$status

firmware: ## Build the relay chip's firmware (hex and ELF) for ATmega168 and 328P; print its size
	@tools/dev/setup.sh firmware
	@cmake -P cmake/firmware.cmake
	@for mcu in atmega168 atmega328p; do \
	    avr-size -C --mcu=$$mcu build/$$mcu/relay-chip.elf | grep -E '^(Device|Program|Data)'; done

board: ## Build the node for the virtual ESP8266 (QEMU); fetches the libraries' sources
	@tools/dev/setup.sh board
	@tools/dev/sources.sh build/sources
	@$(MAKE) --no-print-directory build
	@cmake -P cmake/board.cmake

demo: ## Try everything: real broker, real node, real firmware on a simulated chip, eight relays live (BOARD=lx106: on a virtual ESP8266)
	@tools/dev/setup.sh demo
	@$(MAKE) --no-print-directory $(if $(BOARD),board,build)
	@$(BUILT)/tools/sluice/sluice demo $(if $(BOARD),--node $(BUILT)/twin/board/sluice-board)

check: ## Run all tests
	@tools/dev/setup.sh check
	@tools/dev/sources.sh build/sources
	@$(MAKE) --no-print-directory build
	@cmake --build $(BUILT)
	@tools/dev/layers.sh
	@cmake --preset asan --log-level=WARNING >/dev/null
	@cmake --build build/asan
	@echo "== with AddressSanitizer and UndefinedBehaviorSanitizer: units, simulated chip, whole path"
	@$(CTEST) --test-dir build/asan -LE simulation
	@echo "== as released: simulated chip, whole path, sixty days"
	@$(CTEST) --test-dir $(BUILT) -LE unit

lint: ## Formatting, clang-tidy, cppcheck, the layer rule
	@tools/dev/setup.sh lint
	@cmake --preset host --log-level=WARNING >/dev/null
	@tools/dev/lint.sh $(BUILT)

docs: ## Make docs/errors.md, docs/doctor.md and deploy/node.conf anew from the lists in the code
	@cmake --preset host --log-level=WARNING >/dev/null
	@cmake --build $(BUILT) --target docs

format: ## Format every C file in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

fuzz: ## Fuzz every parser of hostile bytes, TIME=600 seconds each; its inputs stay in build/fuzz/corpus
	@tools/dev/setup.sh fuzz
	@cmake --preset fuzz --log-level=WARNING >/dev/null
	@cmake --build build/fuzz --target fuzz
	@tests/fuzz/run.sh build/fuzz $(TIME)

faults: ## Every fault at every step of a life, and RUNS=100000 random combinations
	@tools/dev/setup.sh check
	@$(MAKE) --no-print-directory build
	@cmake --build $(BUILT) --target test_faults
	@$(BUILT)/tests/simulation/test_faults 1 $(RUNS) $(shell nproc)

bench: ## Measure: sizes, instructions, interrupt latency, message to pin, commands a second
	@tools/dev/setup.sh bench
	@$(MAKE) --no-print-directory build
	@cmake --build $(BUILT)
	@bench/run.sh $(BUILT)

bench-board: ## Measure the virtual ESP8266, exactly: instructions, memory, code; writes bench/lx106.csv
	@tools/dev/setup.sh bench
	@$(MAKE) --no-print-directory board
	@bench/board.sh $(BUILT)

program_fuses: ## Write the chip's fuses (PROGRAMMER=usbasp PORT=usb MCU=atmega168)
	@tools/dev/setup.sh program
	@$(MAKE) --no-print-directory firmware
	@$(call avrdude,-U lfuse:w:$(CHIP).elf:e -U hfuse:w:$(CHIP).elf:e -U efuse:w:$(CHIP).elf:e)

program: ## Write the firmware into the chip's flash and verify it (same variables)
	@tools/dev/setup.sh program
	@$(MAKE) --no-print-directory firmware
	@$(call avrdude,-U flash:w:$(CHIP).hex:i)

test_conn: ## Ask the chip for its signature through the programmer (same variables)
	@tools/dev/setup.sh program
	@$(call avrdude,-v)

clean: ## Remove everything that was built
	rm -rf build
