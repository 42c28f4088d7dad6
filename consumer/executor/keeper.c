/* keeper.c: see keeper.h. */
#include "consumer/executor/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/kin.h"

#define GRACE 5000     /* ms from TERM to KILL */
#define LINGER_MAX 500 /* ms, at most, until what should be gone is sought */
#define FOR_EVER INT64_MAX
#define CANT_FORK 126 /* as a shell says that it can't be executed */

struct kept {
    const struct keeping *keeping;
    pid_t child;
    bool exited;
    struct ending ending;
};

void keeper_signals(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    (void)sigaddset(ret_set, SIGCHLD);
    (void)sigaddset(ret_set, KEEPER_ASK);
    (void)sigaddset(ret_set, KEEPER_AT_ONCE);
}

/* Until one of its signals comes, or that moment: 0. */
static int await(int64_t until)
{
    int64_t now = clock_steady();
    int64_t wait = until <= now ? 0 : until - now;
    struct timespec time = {.tv_sec = wait / 1000,
                            .tv_nsec = wait % 1000 * 1000000};
    sigset_t set;

    keeper_signals(&set);
    int got = until == FOR_EVER ? sigwaitinfo(&set, NULL)
                                : sigtimedwait(&set, NULL, &time);
    return got < 0 ? 0 : got;
}

/* True while there is any process below. */
static bool reap(struct kept *kept)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == ECHILD) {
            return false;
        }
        if (pid <= 0) {
            return true;
        }
        if (pid == kept->child) {
            kept->exited = true;
            kept->ending.status = status;
        }
    }
}

static void ask_to_end(const struct kept *kept)
{
    /* Before its setsid() it has no group yet. */
    pid_t whom = kill(-kept->child, 0) == 0 ? -kept->child : kept->child;

    (void)kill(whom, SIGTERM);
    (void)kill(whom, SIGCONT); /* a stopped one can't end */
}

/* Until the child has exited, or has to be ended whatever it says. */
static void watch(struct kept *kept)
{
    struct ending *ending = &kept->ending;
    int64_t due = kept->keeping->timeout_at;

    while (reap(kept) && !kept->exited) {
        int got = await(due);
        if (!reap(kept) || kept->exited) {
            return; /* by itself, before it was asked */
        }
        bool late = clock_steady() >= due;
        bool asked_before = ending->timed_out || ending->asked;
        if (got == KEEPER_AT_ONCE || (late && asked_before)) {
            ending->asked = !ending->timed_out;
            return;
        }
        if (!asked_before && (got == KEEPER_ASK || late)) {
            ending->asked = got == KEEPER_ASK;
            ending->timed_out = !ending->asked;
            ask_to_end(kept);
            due = clock_steady() + GRACE;
        }
    }
}

/* Ends whatever is left, until nothing is. */
static void end_all(struct kept *kept)
{
    int64_t linger = 1;

    (void)kill(-kept->child, SIGKILL); /* once: later it may be another's */
    while (reap(kept)) {
        cgroup_kill(kept->keeping->group);
        kin_end(getpid());
        (void)await(clock_steady() + linger);
        linger = linger < LINGER_MAX ? 2 * linger : LINGER_MAX;
    }
}

static int64_t in_ms(struct timeval time)
{
    return time.tv_sec * 1000 + time.tv_usec / 1000;
}

static void measure(struct usage *usage)
{
    struct rusage all;

    if (getrusage(RUSAGE_CHILDREN, &all) == 0) {
        usage->user = in_ms(all.ru_utime);
        usage->sys = in_ms(all.ru_stime);
        usage->memory = all.ru_maxrss * 1024;
        usage->read = all.ru_inblock * 512;
        usage->written = all.ru_oublock * 512;
    }
}

static void prepare(const struct keeping *keeping)
{
    sigset_t set;

    keeper_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
        prctl(PR_SET_NAME, "errand-keeper") != 0 ||
        prctl(PR_SET_PDEATHSIG, KEEPER_AT_ONCE) != 0 ||
        getppid() != keeping->parent) {
        _exit(1);
    }
}

static _Noreturn void tell(struct kept *kept)
{
    kept->keeping->clean(kept->keeping->child);
    measure(&kept->ending.usage);
    (void)!write(kept->keeping->report, &kept->ending, sizeof(kept->ending));
    _exit(0);
}

_Noreturn void keeper_keep(const struct keeping *keeping)
{
    struct kept kept = {.keeping = keeping};
    int64_t began = clock_steady();
    pid_t self = getpid();

    prepare(keeping);
    kept.child = fork();
    if (kept.child == 0) {
        keeping->run(keeping->child, self);
        _exit(1);
    }
    keeping->leave(keeping->child);
    if (kept.child < 0) {
        kept.ending.status = W_EXITCODE(CANT_FORK, 0);
        tell(&kept);
    }
    watch(&kept);
    kept.ending.usage.wall = clock_steady() - began;
    end_all(&kept);
    tell(&kept);
}

bool keeper_report(int pipe, struct ending *ret_ending)
{
    return read(pipe, ret_ending, sizeof(*ret_ending)) == sizeof(*ret_ending);
}
