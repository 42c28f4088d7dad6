/* spawner.c: see spawner.h. */
#include "consumer/executor/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "base/clock.h"
#include "consumer/executor/child.h"
#include "consumer/executor/judge.h"
#include "consumer/executor/kin.h"
#include "consumer/executor/link.h"
#include "consumer/executor/masker.h"
#include "consumer/executor/opened.h"

#define LINGER 10 /* ms until what should be gone is looked for again */
#define CLEAN_PATIENCE 200 /* ms, after a keeper's: all others wait */
#define EXIT_TIMEOUT 124

struct spawned {
    struct id execution;
    pid_t keeper; /* 0: it has ended; what it wrote then, */
    int report;   /* and the pipe that it wrote to */
    struct ending ending;
    bool lost;    /* it was killed, and wrote nothing */
    pid_t masker; /* that its output passes through; 0: none, or ended */
    bool torn;    /* and not all of it did */
    UT_hash_handle hh;
};

struct spawner {
    const struct spawner_plan *plan;
    int signals;
    struct judge judge;
    struct spawned *all;
    int64_t most;  /* slots, before a reload and after: what was claimed by */
    int64_t until; /* them may come up to this moment */
};

_Noreturn void spawner_fail(const struct err *err)
{
    dprintf(2, "level=error service=spawner msg=\"%s\"\n", err->text);
    _exit(err->status != 0 ? err->status : 1);
}

static bool is_known(const struct spawner *spawner, pid_t pid)
{
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        if (s->keeper == pid || s->masker == pid) {
            return true;
        }
    }
    return false;
}

/* A keeper ends when nothing is left below it. What somebody stopped goes on:
 * an ordinary user's child could, and would have no timeout. */
static void reap(struct spawner *spawner)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            if (is_known(spawner, pid)) {
                (void)kill(pid, SIGCONT);
            }
            continue;
        }
        for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
            if (s->keeper == pid) {
                s->keeper = 0;
                s->lost = !keeper_report(s->report, &s->ending);
                if (s->lost) {
                    s->ending = (struct ending){.status = SIGKILL};
                }
            }
            if (s->masker == pid) {
                s->masker = 0;
                s->torn = status != 0;
            }
        }
    }
}

/* What a keeper had that was killed has come to us: it is ended. True: there
 * was some, and perhaps there is more. */
static bool end_strays(const struct spawner *spawner)
{
    struct list pids = {0};
    bool found = false;

    kin_children(getpid(), &pids);
    for (size_t i = 0; i < pids.n; i++) {
        pid_t pid = list_at(&pids, pid_t, i);
        if (!is_known(spawner, pid)) {
            (void)kill(pid, SIGSTOP); /* before it sees what it had end */
            kin_end(pid);
            (void)kill(pid, SIGKILL);
            found = true;
        }
    }
    free(pids.items);
    return found;
}

static bool any_keeper(const struct spawner *spawner)
{
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        if (s->keeper != 0) {
            return true;
        }
    }
    return false;
}

static void end_everything(struct spawner *spawner)
{
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        if (s->keeper != 0) {
            (void)kill(s->keeper, KEEPER_AT_ONCE);
        }
    }
    while (any_keeper(spawner) || end_strays(spawner)) {
        (void)poll(NULL, 0, LINGER);
        reap(spawner);
    }
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        child_clean(spawner->plan->directory, spawner->plan->cgroups,
                    &s->execution, CLEAN_PATIENCE);
    }
}

/* The other half is gone, or not what it should be: nothing of what was made
 * outlives us. */
static _Noreturn void end(struct spawner *spawner, const struct err *why)
{
    end_everything(spawner);
    if (why != NULL) {
        spawner_fail(why);
    }
    _exit(0);
}

static void say(struct spawner *spawner, struct link_message *message)
{
    struct err ignored = {0};

    message->head.length = (uint32_t)message->body.len;
    if (link_send(spawner->plan->link, message, &ignored) != 0) {
        end(spawner, NULL);
    }
}

static void refuse(struct spawner *spawner, const struct id *execution,
                   const struct err *why)
{
    _cleanup_message_ struct link_message message =
        link_message_of(LINK_REFUSED, execution);

    (void)buf_adds(&message.body, why->text);
    say(spawner, &message);
}

/* What the child writes to leads there now: its own ends of the pipes are the
 * masker's alone, and no keeper holds them open. */
static int lead_through(const struct masker *masker,
                        const struct child_plan *plan, struct err *err)
{
    return masker->pid == 0 || (dup3(masker->out, plan->out, O_CLOEXEC) >= 0 &&
                                dup3(masker->err, plan->err, O_CLOEXEC) >= 0)
               ? 0
               : err_set(err, ERR_REJECT, "hide its secrets: %s",
                         strerror(errno));
}

/* With what is sealed to this host, for the child alone: what that writes then
 * passes through a masker. */
static int start_with_secrets(const struct spawner *spawner,
                              struct child_plan *plan, struct spawned *spawned,
                              struct err *err)
{
    _cleanup_secrets_ struct list secrets = {0};
    _cleanup_masker_ struct masker masker = {.out = -1, .err = -1};
    const struct masker_plan hiding = {.secrets = &secrets,
                                       .keys = plan->keys,
                                       .user = spawner->plan->user,
                                       .out = plan->out,
                                       .err = plan->err};

    if (secrets_open(plan->order, plan->keys, &secrets, err) != 0 ||
        masker_start(&hiding, &masker, err) != 0 ||
        lead_through(&masker, plan, err) != 0) {
        return -1;
    }
    masker_close(&masker);
    plan->secrets = &secrets;
    spawned->masker = masker.pid;
    return child_start(plan, &spawned->keeper, &spawned->report, err);
}

/* Checks everything, then makes the child. */
static int start_child(struct spawner *spawner,
                       const struct link_message *message,
                       struct spawned *spawned, struct err *err)
{
    _cleanup_event_ struct event *event =
        link_take_dispatch(&message->body, err);
    _cleanup_proof_ struct proof *proof =
        proof_new(spawner->plan->roots, NULL, NULL);
    struct order order;

    if (event == NULL ||
        judge_dispatch(&spawner->judge, event, proof, &order, err) != 0) {
        return -1;
    }
    const struct dispatch *dispatch = event->payload;
    if (!id_equal(&dispatch->execution, &message->head.execution)) {
        return err_set(err, ERR_REJECT, "not the execution that was claimed");
    }
    struct child_plan plan = {.execution = dispatch->execution,
                              .attempt = dispatch->attempt,
                              .target = dispatch->target,
                              .directory = spawner->plan->directory,
                              .cgroups = spawner->plan->cgroups,
                              .permitted = spawner->plan->permitted,
                              .order = &order,
                              .keys = spawner->plan->keys,
                              .timeout_at = clock_steady() +
                                            order.command->timeout * 1000,
                              .start_by = message->head.start_by,
                              .expires = dispatch->expires,
                              .out = message->out,
                              .err = message->err,
                              .link = spawner->plan->link};
    spawned->execution = dispatch->execution;
    if (judge_note(&spawner->judge, &order, &dispatch->execution, err) != 0) {
        return -1;
    }
    return start_with_secrets(spawner, &plan, spawned, err);
}

static int64_t slots(const struct spawner *spawner)
{
    return clock_steady() < spawner->until ? spawner->most
                                           : spawner->plan->permitted->slots;
}

/* As much runs at once as the host's configuration says, whatever is asked. */
static int check_room(const struct spawner *spawner, const struct id *execution,
                      struct err *err)
{
    const struct spawned *spawned = NULL;

    HASH_FIND(hh, spawner->all, execution->b, sizeof(execution->b), spawned);
    if (spawned != NULL) {
        return err_set(err, ERR_REJECT, "it runs already");
    }
    return HASH_COUNT(spawner->all) < (size_t)slots(spawner)
               ? 0
               : err_set(err, ERR_REJECT,
                         "all %lld slots of this host are taken",
                         (long long)slots(spawner));
}

static void on_start(struct spawner *spawner,
                     const struct link_message *message)
{
    _cleanup_message_ struct link_message answer =
        link_message_of(LINK_STARTED, &message->head.execution);
    struct spawned *spawned = must_calloc(1, sizeof(*spawned));
    struct err err = {0};

    if (check_room(spawner, &message->head.execution, &err) != 0 ||
        start_child(spawner, message, spawned, &err) != 0) {
        free(spawned);
        refuse(spawner, &message->head.execution, &err);
        return;
    }
    HASH_ADD(hh, spawner->all, execution.b, sizeof(spawned->execution.b),
             spawned);
    say(spawner, &answer);
}

static void on_end(struct spawner *spawner, const struct link_message *message)
{
    struct spawned *spawned = NULL;

    HASH_FIND(hh, spawner->all, message->head.execution.b,
              sizeof(message->head.execution.b), spawned);
    if (spawned != NULL && spawned->keeper != 0) {
        (void)kill(spawned->keeper, KEEPER_ASK);
    }
}

/* Whether it dumps a core where that is allowed; here it never is. */
static bool dumps(int signal)
{
    static const int all[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                              SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (all[i] == signal) {
            return true;
        }
    }
    return false;
}

static void tell_exit(struct spawner *spawner, const struct spawned *spawned)
{
    _cleanup_message_ struct link_message message =
        link_message_of(LINK_EXITED, &spawned->execution);
    struct link_head *head = &message.head;
    const struct ending *ending = &spawned->ending;

    head->lost = spawned->lost;
    head->timed_out = ending->timed_out;
    head->ended = ending->asked;
    head->torn = spawned->torn;
    head->usage = ending->usage;
    if (WIFSIGNALED(ending->status)) {
        head->signal = WTERMSIG(ending->status);
        head->core = dumps((int)head->signal);
        head->exit = 128 + head->signal;
    } else {
        head->exit = WEXITSTATUS(ending->status);
    }
    if (head->timed_out) {
        head->exit = EXIT_TIMEOUT;
    }
    say(spawner, &message);
}

static void forget(struct spawner *spawner, struct spawned *spawned)
{
    child_clean(spawner->plan->directory, spawner->plan->cgroups,
                &spawned->execution, CLEAN_PATIENCE);
    HASH_DEL(spawner->all, spawned);
    cleanup_close(&spawned->report);
    free(spawned);
}

/* What has ended is told once nothing of it is left; true: some lingers. */
static bool tell_exits(struct spawner *spawner)
{
    struct spawned *spawned;
    struct spawned *next;
    bool lingers = false;

    HASH_ITER (hh, spawner->all, spawned, next) {
        if (spawned->lost && end_strays(spawner)) {
            lingers = true;
        } else if (spawned->keeper == 0 && spawned->masker != 0) {
            (void)kill(spawned->masker, SIGTERM); /* passes on what there is */
            (void)kill(spawned->masker, SIGCONT);
        } else if (spawned->keeper == 0) {
            tell_exit(spawner, spawned);
            forget(spawner, spawned);
        }
    }
    return lingers;
}

/* What can't be added is told, and is as if it had not come. What can't be kept
 * (a full disk) is told, too, and costs nothing that runs: the judge starts
 * nothing until a later life would know of it. */
static void on_entry(struct spawner *spawner,
                     const struct link_message *message)
{
    struct err err = {0};

    if (judge_entry(&spawner->judge, &message->body, &err) != 0) {
        dprintf(2, "level=warning service=spawner msg=\"%s\"\n", err.text);
    }
}

/* It is believed that it was asked for, and nothing else: asking again, for the
 * same file, prolongs nothing. */
static void on_reload(struct spawner *spawner)
{
    const struct spawner_plan *plan = spawner->plan;
    int64_t in_file = plan->permitted->slots;
    int64_t before = slots(spawner);
    _cleanup_message_ struct link_message answer =
        plan->reload(plan->reload_arg, plan->permitted);

    int64_t now = plan->permitted->slots;
    if (now != in_file) {
        spawner->most = before > now ? before : now;
        spawner->until = clock_steady() + plan->in_flight;
    }
    say(spawner, &answer);
}

static void on_message(struct spawner *spawner)
{
    _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
    struct err err = {0};
    int got = link_receive(spawner->plan->link, LINK_SPAWNER, &message, &err);

    if (got <= 0) {
        end(spawner, got < 0 ? &err : NULL);
    }
    if (message.head.kind == LINK_START) {
        on_start(spawner, &message);
    } else if (message.head.kind == LINK_END) {
        on_end(spawner, &message);
    } else if (message.head.kind == LINK_ENTRY) {
        on_entry(spawner, &message);
    } else if (message.head.kind == LINK_RELOAD) {
        on_reload(spawner);
    }
}

static void say_ready(struct spawner *spawner)
{
    _cleanup_message_ struct link_message message =
        link_message_of(LINK_READY, &(struct id){0});

    (void)buf_adds(&message.body, ERRAND_VERSION);
    say(spawner, &message);
}

static _Noreturn void loop(struct spawner *spawner)
{
    struct pollfd fds[] = {{.fd = spawner->plan->link, .events = POLLIN},
                           {.fd = spawner->signals, .events = POLLIN}};
    bool lingers = false;

    for (;;) {
        (void)poll(fds, ARRAY_SIZE(fds), lingers ? LINGER : -1);
        if (fds[1].revents != 0) {
            struct signalfd_siginfo info;
            (void)!read(spawner->signals, &info, sizeof(info));
        }
        reap(spawner);
        lingers = tell_exits(spawner);
        if (fds[0].revents != 0) {
            on_message(spawner);
        }
    }
}

_Noreturn void spawner_serve(const struct spawner_plan *plan)
{
    struct spawner spawner = {.plan = plan};
    struct err err = {0};
    sigset_t set;

    key_pair_forget_key(plan->keys);
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (judge_open(plan, &spawner.judge, &err) != 0) {
        spawner_fail(&err);
    }

    /* Ends by its link alone: TERM and INT are for the other half. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    spawner.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Held back rather than lost: an END may reach a keeper before it listens,
     * and what is blocked waits where the ignored is gone. */
    keeper_signals(&set);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    if (spawner.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        (void)err_set(&err, ERR_FATAL, "start: %s", strerror(errno));
        spawner_fail(&err);
    }
    say_ready(&spawner);
    loop(&spawner);
}
