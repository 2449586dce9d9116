/* A QEMU plugin that watches every access of the virtual board to its code memories.
 *
 * The real chip's flash window and IRAM answer whole aligned words only: a load of a byte or a
 * halfword from there is a fault, and so is any store to the flash window. The simulated memory
 * allows all of it, so this looks. Each instruction that breaks the rule is named once, in the file
 * given by out=FILE; its first line says that the plugin was at work.
 *
 * The declarations are those of QEMU's plugin interface, version 1 (docs/devel/tcg-plugins.rst):
 * Debian 12 installs no header for it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
typedef void tb_callback(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void memory_callback(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *of);
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback *call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction, memory_callback *call,
                                      int registers, int what, void *of);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);

__attribute__((visibility("default"))) extern int qemu_plugin_version;
__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

#define IRAM       UINT64_C(0x40100000)
#define IRAM_LEN   0x8000
#define FLASH      UINT64_C(0x40200000)
#define FLASH_LEN  0x100000
#define WORD_SHIFT 2
#define BROKEN_MAX 1024
#define PATH_LEN   512

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
static void check(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *of);
static void name(uint64_t instruction, uint64_t address, const char *what);

int qemu_plugin_version = 1;

static char path[PATH_LEN];
static uint64_t broken[BROKEN_MAX];
static size_t broken_len;

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            snprintf(path, sizeof path, "%s", argv[i] + 4);
    FILE *file = path[0] != '\0' ? fopen(path, "a") : NULL;
    if (!file) {
        fputs("flash_rule: out=FILE is missing, or cannot be written\n", stderr);
        return 1;
    }
    fputs("watching\n", file);
    fclose(file);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        qemu_plugin_register_vcpu_mem_cb(instruction, check, NO_REGISTERS, READS_AND_WRITES,
                                         (void *)(uintptr_t)qemu_plugin_insn_vaddr(instruction));
    }
}

static void check(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *of)
{
    const bool is_flash = address >= FLASH && address < FLASH + FLASH_LEN;
    const bool is_iram = address >= IRAM && address < IRAM + IRAM_LEN;
    const bool is_store = qemu_plugin_mem_is_store(info);
    const bool is_word = qemu_plugin_mem_size_shift(info) == WORD_SHIFT && (address & 3) == 0;

    (void)cpu;
    if (is_flash && is_store)
        name((uintptr_t)of, address, "store");
    else if ((is_flash || is_iram) && !is_word)
        name((uintptr_t)of, address, is_store ? "part of a word stored" : "part of a word loaded");
}

/* At once: the machine may be killed at any time. */
static void name(uint64_t instruction, uint64_t address, const char *what)
{
    for (size_t i = 0; i < broken_len; i++)
        if (broken[i] == instruction)
            return;
    if (broken_len < BROKEN_MAX)
        broken[broken_len++] = instruction;
    FILE *file = fopen(path, "a");
    if (!file)
        return;
    fprintf(file, "0x%08" PRIx64 ": %s at 0x%08" PRIx64 "\n", instruction, what, address);
    fclose(file);
}
