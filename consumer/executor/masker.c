/* masker.c: see masker.h. */
#include "consumer/executor/masker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "consumer/executor/confine.h"
#include "consumer/executor/mask.h"
#include "consumer/executor/opened.h"

#define READ_MAX 16384
#define LAST_READS                                             \
    128 /* of READ_MAX, after TERM: a pipe holds 1 MiB at most \
         */
#define STREAMS 2
#define FIRST_FD 3

struct masked {
    int in; /* -1: its end was reached */
    int out;
    struct mask mask;
};

static volatile sig_atomic_t ending;

static void on_term(int signal)
{
    (void)signal;
    ending = 1;
}

/* What is of the spawner's has no place here. */
static void leave_spawner(const struct masker_plan *plan,
                          struct masked streams[static STREAMS], pid_t parent)
{
    struct sigaction term = {.sa_handler = on_term};
    struct err ignored = {0};
    int high[2 * STREAMS];

    key_pair_forget_box(plan->keys);
    for (int i = 0; i < STREAMS; i++) {
        high[2 * i] = fcntl(streams[i].in, F_DUPFD, FIRST_FD + 2 * STREAMS);
        high[2 * i + 1] =
            fcntl(streams[i].out, F_DUPFD, FIRST_FD + 2 * STREAMS);
    }
    for (int i = 0; i < 2 * STREAMS; i++) {
        if (high[i] < 0 || dup2(high[i], FIRST_FD + i) < 0) {
            _exit(1);
        }
    }
    for (int i = 0; i < STREAMS; i++) {
        streams[i].in = FIRST_FD + 2 * i;
        streams[i].out = FIRST_FD + 2 * i + 1;
    }
    (void)signal(SIGPIPE, SIG_DFL);
    if (close_range(FIRST_FD + 2 * STREAMS, ~0U, 0) != 0 ||
        sigaction(SIGTERM, &term, NULL) != 0 ||
        prctl(PR_SET_NAME, "errand-masker") != 0 ||
        confine_self(plan->user, &ignored) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(1);
    }
}

/* To its end: who reads it takes its time. */
static void pass_on(const struct masked *masked, struct buf *bytes)
{
    for (size_t at = 0; at < bytes->len;) {
        ssize_t n = write(masked->out, bytes->data + at, bytes->len - at);
        if (n < 0 && errno != EINTR) {
            _exit(1);
        }
        at += n > 0 ? (size_t)n : 0;
    }
    buf_clear(bytes);
}

static void end_masked(struct masked *masked)
{
    _cleanup_buf_ struct buf rest = {0};

    if (masked->in < 0) {
        return;
    }
    if (mask_end(&masked->mask, &rest) != 0) {
        _exit(1);
    }
    pass_on(masked, &rest);
    mask_done(&masked->mask);
    (void)close(masked->out);
    masked->in = -1;
}

static void read_masked(struct masked *masked)
{
    static char bytes[READ_MAX];
    _cleanup_buf_ struct buf out = {0};
    ssize_t n = read(masked->in, bytes, sizeof(bytes));

    if (n == 0 || (n < 0 && errno != EINTR)) {
        end_masked(masked);
    } else if (n > 0) {
        if (mask_add(&masked->mask, bytes, (size_t)n, &out) != 0) {
            _exit(1);
        }
        pass_on(masked, &out);
    }
}

/* TERM comes while it waits, and at no other time. 0: nothing more comes. */
static int wait_for_bytes(struct masked streams[static STREAMS])
{
    struct pollfd fds[STREAMS];
    const struct timespec now = {0};
    sigset_t none;

    (void)sigemptyset(&none);
    for (int i = 0; i < STREAMS; i++) {
        fds[i] = (struct pollfd){.fd = streams[i].in, .events = POLLIN};
    }
    int ready = ppoll(fds, STREAMS, ending ? &now : NULL, &none);
    for (int i = 0; ready > 0 && i < STREAMS; i++) {
        if (fds[i].revents != 0) {
            read_masked(&streams[i]);
        }
    }
    return ready;
}

static _Noreturn void live(struct masked streams[static STREAMS])
{
    int reads = 0;

    while ((streams[0].in >= 0 || streams[1].in >= 0) && reads < LAST_READS &&
           wait_for_bytes(streams) != 0) {
        reads += ending;
    }
    end_masked(&streams[0]);
    end_masked(&streams[1]);
    _exit(0);
}

static pid_t make(const struct masker_plan *plan, const int ins[static STREAMS])
{
    struct masked streams[STREAMS] = {{.in = ins[0], .out = plan->out},
                                      {.in = ins[1], .out = plan->err}};
    struct list words = {0};
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid != 0) {
        return pid;
    }
    leave_spawner(plan, streams, parent);
    for (size_t i = 0; i < plan->secrets->n; i++) {
        const struct buf *value =
            &list_at(plan->secrets, struct opened, i).value;
        mask_words_add(&words, value->data, value->len);
    }
    streams[0].mask.words = &words;
    streams[1].mask.words = &words;
    live(streams);
}

int masker_start(const struct masker_plan *plan, struct masker *ret_masker,
                 struct err *err)
{
    _cleanup_close_ int out = -1;
    _cleanup_close_ int error = -1;
    int ends[2];

    *ret_masker = (struct masker){.out = -1, .err = -1};
    if (plan->secrets->n == 0) {
        return 0;
    }
    _cleanup_masker_ struct masker masker = {.out = -1, .err = -1};
    if (pipe2(ends, O_CLOEXEC) == 0) {
        out = ends[0];
        masker.out = ends[1];
    }
    if (pipe2(ends, O_CLOEXEC) == 0) {
        error = ends[0];
        masker.err = ends[1];
    }
    if (out >= 0 && error >= 0) {
        masker.pid = make(plan, (int[]){out, error});
    }
    if (masker.pid <= 0) {
        return err_set(err, ERR_REJECT, "hide its secrets: %s",
                       strerror(errno));
    }
    *ret_masker = masker;
    masker = (struct masker){.out = -1, .err = -1};
    return 0;
}

void masker_close(struct masker *masker)
{
    cleanup_close(&masker->out);
    cleanup_close(&masker->err);
    masker->out = -1;
    masker->err = -1;
}
