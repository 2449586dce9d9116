/* A QEMU plugin that holds the virtual processor up before one instruction, for longer than a tick:
 * what a busy computer does by chance. Arguments: at=ADDRESS, in hexadecimal, and times=N.
 *
 * The declarations are those of QEMU's plugin interface, version 1 (docs/devel/tcg-plugins.rst):
 * Debian 12 installs no header for it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
typedef void tb_callback(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void execute_callback(unsigned cpu, void *of);
enum { NO_REGISTERS = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback *call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
                                            execute_callback *call, int registers, void *of);

__attribute__((visibility("default"))) extern int qemu_plugin_version;
__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

#define HOLD_NS 5000000

int qemu_plugin_version = 1;

static uint64_t at;
static unsigned times;

static void hold(unsigned cpu, void *of)
{
    (void)cpu;
    (void)of;
    if (times == 0)
        return;
    times--;
    nanosleep(&(struct timespec){.tv_nsec = HOLD_NS}, NULL);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        if (qemu_plugin_insn_vaddr(instruction) == at)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, hold, NO_REGISTERS, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "at=", 3) == 0)
            at = strtoull(argv[i] + 3, NULL, 16);
        if (strncmp(argv[i], "times=", 6) == 0)
            times = (unsigned)strtoul(argv[i] + 6, NULL, 10);
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return at == 0 || times == 0;
}
