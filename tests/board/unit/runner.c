/* Runs test programs on the virtual ESP8266 one after another, and is the desk for certificates.
 * Usage: board-unit IMAGE...     Exit status: how many of them failed.
 *
 * Without -icount: no test here looks at the clock, and the machine is faster so. */
#include "desk.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU      "qemu-system-xtensa"
#define CERTS_MAX 128

static bool run(const char *image);
static void become_machine(const char *image, int desk);
static void serve(int desk);
static struct desk_answer make(const struct desk_order *order);

static struct test_cert certs[CERTS_MAX];
static uint32_t certs_len;

int main(int argc, char **argv)
{
    int failed = 0;

    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++)
        if (!run(argv[i])) {
            printf("FAILED: %s\n", argv[i]);
            failed++;
        }
    return failed;
}

static bool run(const char *image)
{
    int ends[2], status;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        perror("no socket to the board");
        return false;
    }
    fflush(stdout);
    const pid_t parent = getpid(), process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            become_machine(image, ends[1]);
        _exit(127);
    }
    close(ends[1]);
    serve(ends[0]);
    close(ends[0]);
    while (certs_len > 0)
        test_cert_free(&certs[--certs_len]);
    return process > 0 && waitpid(process, &status, 0) == process && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static void become_machine(const char *image, int desk)
{
    char arguments[80];
    const int nothing = open("/dev/null", O_RDONLY);

    fcntl(desk, F_SETFD, 0);
    dup2(nothing, STDIN_FILENO);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    snprintf(arguments, sizeof arguments, "enable=on,target=native,arg=unit,arg=desk=%d", desk);
    execlp(QEMU, QEMU, "-M", "kc705-nommu", "-cpu", "lx106", "-display", "none", "-monitor", "none",
           "-serial", "stdio", "-no-reboot", "-nic", "none", "-semihosting-config", arguments,
           "-kernel", image, (char *)NULL);
    fprintf(stderr, "%s: %s; 'make board' installs it\n", QEMU, strerror(errno));
}

/* Until the machine ends. */
static void serve(int desk)
{
    struct desk_order order;

    while (read(desk, &order, sizeof order) == (ssize_t)sizeof order) {
        const struct desk_answer answer = make(&order);
        if (write(desk, &answer, sizeof answer) != (ssize_t)sizeof answer)
            return;
    }
}

/* An order that cannot be met ends the tests: they come from our own programs. */
static struct desk_answer make(const struct desk_order *order)
{
    struct desk_answer answer = {.number = order->number};
    const struct test_cert *known = order->number < certs_len ? &certs[order->number] : NULL;

    if (order->kind == DESK_KEY && known) {
        answer.der_len = (uint32_t)test_cert_key_der(known, answer.der, sizeof answer.der);
        return answer;
    }
    if (order->kind != DESK_MAKE || certs_len == CERTS_MAX ||
        (!known && order->number != DESK_SELF)) {
        fprintf(stderr, "board-unit: an order for no certificate\n");
        abort();
    }
    const struct test_cert_options options = {
        .key = (enum test_key_kind)order->key,
        .purpose = (enum test_purpose)order->purpose,
        .common_name = order->common_name,
        .dns = order->dns[0] != '\0' ? order->dns : NULL,
        .not_before_s = order->not_before_s,
        .not_after_s = order->not_after_s,
        .issuer = known,
        .serial = order->serial,
    };
    struct test_cert *cert = &certs[certs_len];
    test_cert_make(cert, &options);
    answer.number = certs_len++;
    answer.der_len = (uint32_t)cert->der_len;
    answer.subject_len = (uint32_t)cert->subject_len;
    memcpy(answer.der, cert->der, sizeof answer.der);
    memcpy(answer.subject, cert->subject, sizeof answer.subject);
    memcpy(answer.point, cert->point, sizeof answer.point);
    memcpy(answer.private_key, cert->private_key, sizeof answer.private_key);
    return answer;
}
