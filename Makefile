# Sluice: every command, thin. The build itself is CMake (CMakePresets.json).
MCU        ?= atmega168
PROGRAMMER ?= usbasp
PORT       ?= usb
BITCLOCK   ?= 10

CTEST = ctest --output-on-failure --no-tests=error -j $(shell nproc)
BUILT = build/host
CHIP  = build/$(MCU)/relay-chip

.DEFAULT_GOAL := help
.PHONY: help setup build firmware demo check lint format bench program_fuses program test_conn clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Install the Debian packages that demo and check need
	@tools/dev/setup.sh demo check

build: firmware ## Build all programs for this computer into build/host
	@cmake --preset host --log-level=WARNING >/dev/null
	@cmake --build $(BUILT) --target sluice sluice-node sluice-chip

firmware: ## Build the relay chip's firmware (hex and ELF) for ATmega168 and 328P; print its size
	@tools/dev/setup.sh firmware
	@for mcu in atmega168 atmega328p; do \
	    cmake --preset $$mcu --log-level=WARNING >/dev/null && cmake --build build/$$mcu || exit 1; done

demo: ## Try everything: real broker, real node, real firmware on a simulated chip, eight relays live
	@tools/dev/setup.sh demo
	@$(MAKE) --no-print-directory build
	@$(BUILT)/tools/sluice/sluice demo

check: ## Run all tests
	@tools/dev/setup.sh check
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

format: ## Format every C file in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

bench: ## Measure: sizes, instructions, interrupt latency, message to pin
	@tools/dev/setup.sh bench
	@$(MAKE) --no-print-directory build
	@cmake --build $(BUILT)
	@bench/run.sh $(BUILT)

program_fuses: ## Write the chip's fuses: make program_fuses PROGRAMMER=usbasp PORT=usb MCU=atmega168
	@tools/dev/setup.sh program
	@$(MAKE) --no-print-directory firmware
	avrdude -p $(MCU) -c $(PROGRAMMER) -P $(PORT) -B $(BITCLOCK) \
	    -U lfuse:w:$(CHIP).elf:e -U hfuse:w:$(CHIP).elf:e -U efuse:w:$(CHIP).elf:e

program: ## Write the firmware into the chip's flash and verify it
	@tools/dev/setup.sh program
	@$(MAKE) --no-print-directory firmware
	avrdude -p $(MCU) -c $(PROGRAMMER) -P $(PORT) -B $(BITCLOCK) -U flash:w:$(CHIP).hex:i

test_conn: ## Ask the chip for its signature through the programmer
	@tools/dev/setup.sh program
	avrdude -p $(MCU) -c $(PROGRAMMER) -P $(PORT) -B $(BITCLOCK) -v

clean: ## Remove everything that was built
	rm -rf build
