/*
 * test_keeper.c: what is below a keeper ends with it, however it tries not to.
 *
 * A real keeper is forked; the test is its spawner.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/keeper.h"
#include "consumer/executor/kin.h"

#define PIDS_MAX 400
#define PATIENCE 3000 /* ms: less than the grace */
#define WATCHED 30
#define WATCHERS 10 /* of each */

/* What the tree tells the test, in memory that all of them share. */
struct tree {
    int n;
    pid_t pids[PIDS_MAX];
    bool cleaned;
    bool noticed;  /* one saw another end */
    int64_t until; /* where nobody ends them they do it themselves */
};

static struct tree *tree;

static void enter_tree(void)
{
    int at = __atomic_fetch_add(&tree->n, 1, __ATOMIC_SEQ_CST);

    if (at < PIDS_MAX) {
        tree->pids[at] = getpid();
    }
}

/* Children. None comes back. */

static _Noreturn void sleep_for_ever(void)
{
    enter_tree();
    while (clock_steady() < tree->until) {
        (void)usleep(50000);
    }
    _exit(0);
}

static void exits(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    _exit(7);
}

static void sleeps(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)setsid();
    sleep_for_ever();
}

static void on_asked(int signal)
{
    (void)signal;
    _exit(8); /* it had something to put in order */
}

/* TERM ends who does not handle it even where they are stopped; not this one.
 */
static void puts_in_order(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    (void)signal(SIGTERM, on_asked);
    (void)setsid();
    sleep_for_ever();
}

static void is_deaf(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)setsid();
    sleep_for_ever(); /* its signals are blocked, as they came */
}

/* Exits, and leaves behind: forked twice, a session of its own, deaf, stopped,
 * a reaper itself. */
static void leaves_others(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)setsid();
    if (fork() == 0) {
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        for (int n = 0; n < 20; n++) {
            if (fork() == 0) {
                (void)setsid();
                if (fork() == 0) {
                    enter_tree();
                    (void)raise(SIGSTOP);
                    sleep_for_ever();
                }
                _exit(0);
            }
        }
        sleep_for_ever();
    }
    while (__atomic_load_n(&tree->n, __ATOMIC_SEQ_CST) < 21) {
        (void)usleep(1000);
    }
    _exit(0);
}

/* Each makes another one for each that it sees ended, and never fewer. */
static void forks_without_end(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)setsid();
    (void)signal(SIGCHLD, SIG_IGN);
    for (int depth = 0; depth < 7; depth++) {
        (void)fork();
        (void)setsid();
    }
    enter_tree();
    while (clock_steady() < tree->until) {
        if (fork() == 0) {
            (void)setsid();
            (void)usleep(2000);
            _exit(0);
        }
        (void)usleep(2000);
    }
    _exit(0);
}

static void leave_nothing(void *arg)
{
    (void)arg;
}

static void note(const void *arg)
{
    (void)arg;
    tree->cleaned = true;
}

/* The test as a spawner */

struct stage {
    struct keeping keeping;
    bool alone; /* it can make no process */
    pid_t keeper;
    int report;
    struct ending ending;
};

static void forbid_processes(void)
{
    struct rlimit none = {0};

    if (setrlimit(RLIMIT_NPROC, &none) != 0 ||
        (geteuid() == 0 && setuid(65534) != 0)) { /* root has no limit */
        _exit(1);
    }
}

static void start(struct stage *s, void (*run)(const void *, pid_t))
{
    int ends[2];
    sigset_t set;

    memset(tree, 0, sizeof(*tree));
    tree->until = clock_steady() + PATIENCE;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    s->report = ends[0];
    s->keeping.parent = getpid();
    s->keeping.report = ends[1];
    s->keeping.group = -1;
    s->keeping.run = run;
    s->keeping.clean = note;
    s->keeping.leave = leave_nothing;
    if (s->keeping.timeout_at == 0) {
        s->keeping.timeout_at = clock_steady() + 60000;
    }
    keeper_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    s->keeper = fork();
    assert_true(s->keeper >= 0);
    if (s->keeper == 0) {
        if (s->alone) {
            forbid_processes();
        }
        keeper_keep(&s->keeping);
    }
    (void)close(ends[1]);
}

static bool all_are_gone(void)
{
    for (int i = 0; i < tree->n && i < PIDS_MAX; i++) {
        if (kill(tree->pids[i], 0) == 0) {
            return false;
        }
    }
    return true;
}

/* Nothing is alive when it ends; and what it says of the child. */
static void end(struct stage *s)
{
    int status = 0;

    assert_int_equal(waitpid(s->keeper, &status, 0), s->keeper);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(all_are_gone());
    assert_true(tree->cleaned);
    assert_true(keeper_report(s->report, &s->ending));
    (void)close(s->report);
}

static void await_tree(int n)
{
    while (__atomic_load_n(&tree->n, __ATOMIC_SEQ_CST) < n) {
        (void)usleep(1000);
    }
}

static void it_says_how_the_child_ended_and_what_it_took(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, exits);
    end(&s);
    assert_true(WIFEXITED(s.ending.status));
    assert_int_equal(WEXITSTATUS(s.ending.status), 7);
    assert_false(s.ending.asked || s.ending.timed_out);
    assert_true(s.ending.usage.memory > 0);
}

static void a_child_that_can_t_be_forked_is_told_and_nobody_s_end(void **state)
{
    struct stage s = {.alone = true};

    (void)state;
    start(&s, exits);
    end(&s);
    assert_int_equal(s.ending.status, W_EXITCODE(126, 0));
    assert_false(s.ending.asked || s.ending.timed_out);
}

static void what_the_child_leaves_behind_is_ended(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, leaves_others);
    end(&s);
    assert_int_equal(tree->n, 21);
    assert_int_equal(WEXITSTATUS(s.ending.status), 0);
}

static void who_is_asked_ends_by_itself(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, sleeps);
    await_tree(1);
    assert_int_equal(kill(s.keeper, KEEPER_ASK), 0);
    end(&s);
    assert_true(s.ending.asked && !s.ending.timed_out);
    assert_int_equal(WTERMSIG(s.ending.status), SIGTERM);
}

static void who_has_stopped_is_asked_too(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, puts_in_order);
    await_tree(1);
    assert_int_equal(kill(tree->pids[0], SIGSTOP), 0);
    assert_int_equal(kill(s.keeper, KEEPER_ASK), 0);
    end(&s);
    assert_true(WIFEXITED(s.ending.status));
    assert_int_equal(WEXITSTATUS(s.ending.status), 8);
}

static void who_is_deaf_is_killed_at_once_where_that_is_meant(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, is_deaf);
    await_tree(1);
    assert_int_equal(kill(s.keeper, KEEPER_AT_ONCE), 0);
    end(&s);
    assert_int_equal(WTERMSIG(s.ending.status), SIGKILL);
}

static void a_timeout_is_told(void **state)
{
    struct stage s = {.keeping = {.timeout_at = clock_steady() + 200}};

    (void)state;
    start(&s, sleeps);
    end(&s);
    assert_true(s.ending.timed_out && !s.ending.asked);
    assert_true(s.ending.usage.wall >= 50 && s.ending.usage.wall < 5000);
}

static void what_forks_without_end_is_ended(void **state)
{
    struct stage s = {.keeping = {.timeout_at = clock_steady() + 300}};

    (void)state;
    start(&s, forks_without_end);
    end(&s);
    assert_true(tree->n > 64);
}

static void on_loss(int signal)
{
    (void)signal;
    tree->noticed = true; /* and could have made others */
    _exit(0);
}

static _Noreturn void watch_parent(pid_t parent)
{
    (void)setsid();
    (void)signal(SIGUSR1, on_loss);
    (void)sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (getppid() != parent) {
        _exit(0);
    }
    sleep_for_ever();
}

/* Exits, and leaves behind some, each with others that wait for its end. */
static void leaves_watchers(const void *arg, pid_t keeper)
{
    (void)arg;
    (void)keeper;
    (void)setsid();
    for (int n = 0; n < WATCHED; n++) {
        if (fork() == 0) {
            pid_t self = getpid();
            (void)setsid();
            for (int i = 0; i < WATCHERS; i++) {
                if (fork() == 0) {
                    watch_parent(self);
                }
            }
            sleep_for_ever();
        }
    }
    while (__atomic_load_n(&tree->n, __ATOMIC_SEQ_CST) <
           WATCHED * (1 + WATCHERS)) {
        (void)usleep(1000);
    }
    _exit(0);
}

/* All of it is stopped before the first is killed. The keeper is slow, and
 * whoever could notice would run before it goes on. */
static void nobody_notices_that_another_is_ended(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct stage s = {0};
        start(&s, leaves_watchers);
        assert_int_equal(setpriority(PRIO_PROCESS, (id_t)s.keeper, 19), 0);
        end(&s);
        assert_int_equal(tree->n, WATCHED * (1 + WATCHERS));
        assert_false(tree->noticed);
    }
}

struct in_group {
    int group;
};

static void joins_and_forks(const void *arg, pid_t keeper)
{
    if (!cgroup_join(((const struct in_group *)arg)->group)) {
        _exit(1);
    }
    forks_without_end(arg, keeper);
}

static void in_a_group_of_the_kernel_s_it_ends_too(void **state)
{
    struct id execution = id_random();
    _cleanup_free_ char *base = cgroup_base();
    struct in_group in = {.group = cgroup_make(base, &execution)};
    struct stage s = {
        .keeping = {.timeout_at = clock_steady() + 300, .child = &in}};

    (void)state;
    if (base == NULL) {
        skip(); /* no cgroup v2 here that groups may be made in */
    }
    start(&s, joins_and_forks);
    await_tree(64);
    assert_false(cgroup_end(base, &execution)); /* all of it, from outside */
    end(&s);
    assert_true(cgroup_end(base, &execution));
    (void)close(in.group);
}

/* A spawner of its own, which is killed: its keeper ends all by itself. */
static void when_the_spawner_is_killed_everything_ends(void **state)
{
    struct stage s = {0};

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t spawner = fork();
    if (spawner == 0) {
        start(&s, is_deaf);
        (void)pause();
    }
    await_tree(1);
    assert_int_equal(kill(spawner, SIGKILL), 0);
    while (waitpid(-1, NULL, 0) > 0) { /* the spawner, then the keeper */
    }
    assert_true(all_are_gone());
    assert_true(tree->cleaned);
}

/* Then its child dies with it, and the rest comes to the spawner. */
static void a_keeper_that_was_killed_says_nothing(void **state)
{
    struct stage s = {0};

    (void)state;
    start(&s, is_deaf);
    await_tree(1);
    assert_int_equal(kill(s.keeper, SIGKILL), 0);
    kin_end(getpid());
    while (waitpid(-1, NULL, 0) > 0) {
    }
    assert_true(all_are_gone());
    assert_false(keeper_report(s.report, &s.ending));
    (void)close(s.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_how_the_child_ended_and_what_it_took),
        cmocka_unit_test(a_child_that_can_t_be_forked_is_told_and_nobody_s_end),
        cmocka_unit_test(what_the_child_leaves_behind_is_ended),
        cmocka_unit_test(who_is_asked_ends_by_itself),
        cmocka_unit_test(who_has_stopped_is_asked_too),
        cmocka_unit_test(who_is_deaf_is_killed_at_once_where_that_is_meant),
        cmocka_unit_test(a_timeout_is_told),
        cmocka_unit_test(what_forks_without_end_is_ended),
        cmocka_unit_test(nobody_notices_that_another_is_ended),
        cmocka_unit_test(in_a_group_of_the_kernel_s_it_ends_too),
        cmocka_unit_test(when_the_spawner_is_killed_everything_ends),
        cmocka_unit_test(a_keeper_that_was_killed_says_nothing),
    };

    tree = mmap(NULL, sizeof(*tree), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
