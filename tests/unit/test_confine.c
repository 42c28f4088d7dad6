/* test_confine.c: what the Kafka-facing half can't do any more, and still can.
 *
 * Each case is a process of its own: there is no way back. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/confine.h"

#ifdef __SANITIZE_ADDRESS__ /* may fork and trace, to look for leaks */
#define LENIENT true
#else
#define LENIENT false
#endif

/* In a process that was confined, as nobody where it was root's; `check` is
 * true where all is as it should be. */
static void confined(bool (*check)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct account nobody = {0};
        struct err err = {0};
        bool root = geteuid() == 0;
        if ((root && account_find("nobody", &nobody, &err) != 0) ||
            confine_self(root ? &nobody : NULL, &err) != 0) {
            (void)!write(2, err.text, strlen(err.text));
            _exit(2);
        }
        _exit(check() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool no_other_program(void)
{
    char *const none[] = {NULL};

    return execve("/bin/true", none, none) == -1 && errno == EPERM &&
           syscall(SYS_fork) == -1 && errno == EPERM && fork() == -1;
}

static void it_starts_no_program(void **state)
{
    (void)state;
    if (LENIENT) {
        skip();
    }
    confined(no_other_program);
}

static bool no_other_process(void)
{
    return kill(getppid(), 0) == -1 && errno == EPERM &&
           ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM &&
           syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) ==
               -1 &&
           errno == EPERM;
}

static void it_touches_no_other_process(void **state)
{
    (void)state;
    if (LENIENT) {
        skip();
    }
    confined(no_other_process);
}

static pid_t victim; /* of the same user */

/* Whatever stands above the 32 bits that the kernel looks at. */
static long set_signal(int fd, unsigned long above)
{
    return syscall(SYS_fcntl, fd, F_SETSIG | above << 32, SIGKILL);
}

static bool no_signal_to_another(void)
{
    struct rlimit limit;
    struct f_owner_ex owner = {F_OWNER_PID, victim};
    int fds[2];

    return pipe(fds) == 0 && tgkill(victim, victim, 0) == -1 &&
           errno == EPERM && tgkill(getpid(), gettid(), SIGCONT) == 0 &&
           prlimit(victim, RLIMIT_CPU, NULL, &limit) == -1 && errno == EPERM &&
           getrlimit(RLIMIT_CPU, &limit) == 0 &&
           fcntl(fds[0], F_SETOWN, victim) == -1 && errno == EPERM &&
           fcntl(fds[0], F_SETOWN_EX, &owner) == -1 && errno == EPERM &&
           ioctl(fds[0], FIOSETOWN, &victim) == -1 && errno == EPERM &&
           ioctl(fds[0], TIOCSTI, "\3") == -1 && errno == EPERM &&
           ioctl(fds[0], TIOCLINUX, "\2") == -1 && errno == EPERM &&
           set_signal(fds[0], 0) == -1 && errno == EPERM &&
           set_signal(fds[0], 1) == -1 && errno == EPERM &&
           fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

/* A masker is of the same user, and holds what a child has written. */
static void it_signals_nobody_not_even_of_its_own_user(void **state)
{
    struct account nobody = {0};
    struct err err = {0};
    int ready[2];
    char byte;

    (void)state;
    assert_int_equal(account_find("nobody", &nobody, &err), 0);
    assert_int_equal(pipe(ready), 0);
    victim = fork();
    if (victim == 0) {
        if (geteuid() == 0) {
            (void)account_become(&nobody);
        }
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!write(ready[1], "y", 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    confined(no_signal_to_another);
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, NULL, 0), victim);
    account_done(&nobody);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static bool no_new_right(void)
{
    return setuid(geteuid()) == -1 && errno == EPERM &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           prctl(PR_CAPBSET_READ, 0) == (geteuid() == 65534 ? 0 : 1) &&
           syscall(SYS_unshare, 0) == -1 && errno == EPERM &&
           prctl(PR_GET_DUMPABLE) == 0;
}

static void it_gets_no_new_right(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    confined(no_new_right);
}

static bool sockets_to_a_broker_alone(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 &&
           socket(AF_UNIX, SOCK_STREAM, 0) >= 0 &&
           socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM &&
           socket(AF_ALG, SOCK_SEQPACKET, 0) == -1 && errno == EPERM &&
           syscall(SYS_socket, AF_ALG | 1UL << 32, SOCK_SEQPACKET, 0) == -1 &&
           errno == EPERM;
}

static void it_speaks_to_brokers(void **state)
{
    (void)state;
    confined(sockets_to_a_broker_alone);
}

static void *nothing(void *arg)
{
    return arg;
}

static bool threads_and_files(void)
{
    char path[] = "/tmp/confined-XXXXXX";
    pthread_t thread;
    struct err err = {0};
    int fd = mkstemp(path);

    return pthread_create(&thread, NULL, nothing, NULL) == 0 &&
           pthread_join(thread, NULL) == 0 && fd >= 0 &&
           file_write(path, "x", 1, 0600, true, &err) == 0 && unlink(path) == 0;
}

static void it_has_threads_and_files(void **state)
{
    (void)state;
    confined(threads_and_files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_no_program),
        cmocka_unit_test(it_touches_no_other_process),
        cmocka_unit_test(it_signals_nobody_not_even_of_its_own_user),
        cmocka_unit_test(it_gets_no_new_right),
        cmocka_unit_test(it_speaks_to_brokers),
        cmocka_unit_test(it_has_threads_and_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
