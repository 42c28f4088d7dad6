/* spawner.c: see spawner.h. */
#include "consumer/executor/spawner.h"

#include <errno.h>
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
#include "base/file.h"
#include "consumer/executor/child.h"
#include "consumer/executor/masker.h"
#include "consumer/executor/opened.h"
#include "trust/known.h"
#include "consumer/executor/link.h"

#define GRACE 5000 /* ms from TERM to KILL */
#define LINGER 10  /* ms until what should be gone is looked for again */
#define EXIT_TIMEOUT 124

struct spawned {
    struct id execution;
    pid_t pid;
    pid_t masker;       /* that its output passes through; 0: none, or ended */
    int64_t timeout_at; /* by clock_steady(); 0: passed */
    int64_t kill_at;    /* 0: no TERM was sent */
    bool timed_out;
    bool ended;
    bool exited;
    int status;
    UT_hash_handle hh;
};

struct spawner {
    const struct spawner_plan *plan;
    int signals;
    struct known *known;
    int64_t stands_at; /* the log's seq at which the own enrolment held; -1 */
    struct spawned *all;
};

static _Noreturn void fail(const struct err *err)
{
    dprintf(2, "level=error service=spawner msg=\"%s\"\n", err->text);
    _exit(1);
}

static void reap(struct spawner *spawner)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            return;
        }
        for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
            if (s->pid == pid && !s->exited) {
                s->exited = true;
                s->status = status;
            }
            if (s->masker == pid) {
                s->masker = 0;
            }
        }
    }
}

static void end_everything(struct spawner *spawner)
{
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        while (!child_gone(s->pid, &s->execution)) {
            reap(spawner);
            (void)poll(NULL, 0, LINGER);
        }
        child_clean(spawner->plan->directory, &s->execution);
    }
}

/* The other half is gone, or not what it should be: nothing of what was made
 * outlives us. */
static _Noreturn void end(struct spawner *spawner, const struct err *why)
{
    end_everything(spawner);
    if (why != NULL) {
        fail(why);
    }
    _exit(0);
}

static void say(struct spawner *spawner, struct link_message *message)
{
    struct err ignored = {0};

    message->head.length = (uint32_t)message->body.len;
    message->out = -1;
    message->err = -1;
    if (link_send(spawner->plan->link, message, &ignored) != 0) {
        end(spawner, NULL);
    }
}

static void refuse(struct spawner *spawner, const struct id *execution,
                   const struct err *why)
{
    _cleanup_message_ struct link_message message = {
        .head = {.kind = LINK_REFUSED, .execution = *execution}};

    (void)buf_adds(&message.body, why->text);
    say(spawner, &message);
}

/* This host is still enrolled, by somebody who could. Asked again when the log
 * has grown. */
static int check_self(struct spawner *spawner, struct err *err)
{
    const struct spawner_plan *plan = spawner->plan;
    const struct standing *standing = known_standing(spawner->known);
    _cleanup_proof_ struct proof *proof = proof_new(plan->roots, NULL, NULL);
    const struct service_enrol *enrol;

    if (spawner->stands_at == standing_seq(standing)) {
        return 0;
    }
    proof_set_standing(proof, standing);
    if (proof_add_all(proof, plan->enrolment, err) != 0 ||
        proof_service(proof, &plan->by, SERVICE_EXECUTOR, plan->target,
                      clock_now(), &enrol, err) != 0) {
        return err_wrap(err, "this host");
    }
    spawner->stands_at = standing_seq(standing);
    return 0;
}

/* With what is sealed to this host, for the child alone: what that writes then
 * passes through a masker. */
static int start_with_secrets(const struct spawner *spawner,
                              struct child_plan *plan, struct spawned *spawned,
                              struct err *err)
{
    struct key_pair *keys = spawner->plan->keys;
    _cleanup_secrets_ struct list secrets = {0};
    _cleanup_masker_ struct masker masker = {.out = -1, .err = -1};

    if (secrets_open(plan->order, keys, &secrets, err) != 0 ||
        masker_start(
            &(struct masker_plan){&secrets, keys, plan->out, plan->err},
            &masker, err) != 0) {
        return -1;
    }
    if (masker.pid != 0) {
        plan->out = masker.out;
        plan->err = masker.err;
    }
    plan->secrets = &secrets;
    spawned->masker = masker.pid;
    return child_start(plan, &spawned->pid, err);
}

/* Checks everything, then makes the child. */
static int start_child(struct spawner *spawner,
                       const struct link_message *message,
                       struct spawned *spawned, struct err *err)
{
    struct envelope envelope = {0};
    struct order order;

    if (known_sync(spawner->known, err) != 0 || check_self(spawner, err) != 0) {
        return -1;
    }
    if (envelope_decode(message->body.data, message->body.len, &envelope,
                        err) != 0) {
        return -1;
    }
    _cleanup_event_ struct event *event = event_new_take(&envelope, err);
    _cleanup_proof_ struct proof *proof =
        proof_new(spawner->plan->roots, NULL, NULL);
    proof_set_standing(proof, known_standing(spawner->known));
    if (event == NULL || proof_dispatch(proof, event, spawner->plan->target,
                                        clock_now(), &order, err) != 0) {
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
                              .order = &order,
                              .start_by = message->head.start_by,
                              .out = message->out,
                              .err = message->err};
    spawned->execution = dispatch->execution;
    spawned->timeout_at = clock_steady() + order.command->timeout * 1000;
    return start_with_secrets(spawner, &plan, spawned, err);
}

static void on_start(struct spawner *spawner,
                     const struct link_message *message)
{
    _cleanup_message_ struct link_message answer = {
        .head = {.kind = LINK_STARTED, .execution = message->head.execution},
        .out = -1,
        .err = -1};
    struct spawned *spawned = NULL;
    struct err err = {0};

    HASH_FIND(hh, spawner->all, message->head.execution.b,
              sizeof(message->head.execution.b), spawned);
    if (spawned != NULL) {
        (void)err_set(&err, ERR_REJECT, "it runs already");
        refuse(spawner, &message->head.execution, &err);
        return;
    }
    spawned = must_calloc(1, sizeof(*spawned));
    if (start_child(spawner, message, spawned, &err) != 0) {
        free(spawned);
        refuse(spawner, &message->head.execution, &err);
        return;
    }
    HASH_ADD(hh, spawner->all, execution.b, sizeof(spawned->execution.b),
             spawned);
    say(spawner, &answer);
}

static void terminate(struct spawned *spawned, int64_t now)
{
    child_signal(spawned->pid, SIGTERM);
    child_signal(spawned->pid, SIGCONT); /* a stopped one can't end */
    spawned->kill_at = now + GRACE;
}

static void on_end(struct spawner *spawner, const struct link_message *message)
{
    struct spawned *spawned = NULL;

    HASH_FIND(hh, spawner->all, message->head.execution.b,
              sizeof(message->head.execution.b), spawned);
    if (spawned != NULL && !spawned->exited && spawned->kill_at == 0) {
        spawned->ended = true;
        terminate(spawned, clock_steady());
    }
}

/* Whether this process has children beyond those that it made: what a dead one
 * left behind comes to us (we are the subreaper). */
static bool has_orphans(const struct spawner *spawner)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    size_t made = 0;
    size_t there = 0;

    if (file_read("/proc/thread-self/children", 1 << 20, &text, &ignored)) {
        return true; /* can't tell: look for them */
    }
    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        made += !s->exited + (s->masker != 0);
    }
    for (size_t i = 0; i < text.len; i++) {
        there += text.data[i] == ' ';
    }
    return there != made;
}

static void tell_exit(struct spawner *spawner, const struct spawned *spawned)
{
    _cleanup_message_ struct link_message message = {
        .head = {.kind = LINK_EXITED,
                 .execution = spawned->execution,
                 .timed_out = spawned->timed_out,
                 .ended = spawned->ended}};
    struct link_head *head = &message.head;

    if (WIFSIGNALED(spawned->status)) {
        head->signal = WTERMSIG(spawned->status);
        head->exit = 128 + head->signal;
    } else {
        head->exit = WEXITSTATUS(spawned->status);
    }
    if (spawned->timed_out) {
        head->exit = EXIT_TIMEOUT;
    }
    say(spawner, &message);
}

/* What has exited is told once nothing of it is left; true: some lingers. */
static bool tell_exits(struct spawner *spawner)
{
    struct spawned *spawned;
    struct spawned *next;
    bool lingers = false;

    HASH_ITER (hh, spawner->all, spawned, next) {
        if (!spawned->exited) {
            continue;
        }
        if (has_orphans(spawner) &&
            !child_gone(spawned->pid, &spawned->execution)) {
            lingers = true;
            continue;
        }
        if (spawned->masker != 0) { /* it still passes on what there is */
            (void)kill(spawned->masker, SIGTERM);
            lingers = true;
            continue;
        }
        tell_exit(spawner, spawned);
        HASH_DEL(spawner->all, spawned);
        child_clean(spawner->plan->directory, &spawned->execution);
        free(spawned);
    }
    return lingers;
}

/* Times out, kills; returns ms until the next of these is due, -1: none. */
static int64_t keep_time(struct spawner *spawner)
{
    int64_t now = clock_steady();
    int64_t next = -1;

    for (struct spawned *s = spawner->all; s != NULL; s = s->hh.next) {
        if (s->exited) {
            continue; /* what lingers of it is looked after by tell_exits() */
        }
        if (s->kill_at == 0 && now >= s->timeout_at) {
            s->timed_out = true;
            terminate(s, now);
        }
        int64_t at = s->kill_at == 0 ? s->timeout_at : s->kill_at;
        if (s->kill_at != 0 && now >= s->kill_at) {
            (void)child_gone(s->pid, &s->execution);
            at = now + LINGER;
        }
        next = next < 0 || at - now < next ? at - now : next;
    }
    return next;
}

/* What can't be added is told, and is as if it had not come; what can't be kept
 * is the end: a later life would not know of it. */
static void on_entry(struct spawner *spawner,
                     const struct link_message *message)
{
    struct err err = {0};
    _cleanup_revocation_ struct revocation entry = {0};

    if (revocation_decode(message->body.data, message->body.len, &entry,
                          &err) != 0 ||
        known_add(spawner->known, &entry, &err) != 0) {
        if (err.kind == ERR_FATAL) {
            end(spawner, &err);
        }
        dprintf(2, "level=warning service=spawner msg=\"%s\"\n", err.text);
    }
}

static void on_message(struct spawner *spawner)
{
    _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
    struct err err = {0};
    int got = link_receive(spawner->plan->link, &message, &err);

    if (got <= 0) {
        end(spawner, got < 0 ? &err : NULL);
    }
    if (message.head.kind == LINK_START) {
        on_start(spawner, &message);
    } else if (message.head.kind == LINK_END) {
        on_end(spawner, &message);
    } else if (message.head.kind == LINK_ENTRY) {
        on_entry(spawner, &message);
    }
}

static _Noreturn void serve(struct spawner *spawner)
{
    struct pollfd fds[] = {{.fd = spawner->plan->link, .events = POLLIN},
                           {.fd = spawner->signals, .events = POLLIN}};
    bool lingers = false;

    for (;;) {
        int64_t wait = keep_time(spawner);
        if (lingers && (wait < 0 || wait > LINGER)) {
            wait = LINGER;
        }
        (void)poll(fds, ARRAY_SIZE(fds), wait > 60000 ? 60000 : (int)wait);
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

static _Noreturn void live(const struct spawner_plan *plan)
{
    struct spawner spawner = {.plan = plan, .stands_at = -1};
    struct err err = {0};
    sigset_t set;

    key_pair_forget_key(plan->keys);
    (void)prctl(PR_SET_DUMPABLE, 0);
    spawner.known = known_open(plan->roots, &plan->init, plan->log, &err);
    if (spawner.known == NULL) {
        fail(&err);
    }

    /* Ends by its link alone: TERM and INT are for the other half. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    spawner.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Held back rather than lost: an END may reach a child before it has put
     * its signals right, and what is blocked waits where the ignored is gone.
     */
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    if (spawner.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
        prctl(PR_SET_NAME, "errand-spawner") != 0) {
        (void)err_set(&err, ERR_FATAL, "start: %s", strerror(errno));
        fail(&err);
    }
    serve(&spawner);
}

int spawner_start(const struct spawner_plan *plan, int other_end,
                  pid_t *ret_pid, struct err *err)
{
    pid_t pid = fork();

    if (pid < 0) {
        return err_set(err, ERR_FATAL, "fork: %s", strerror(errno));
    }
    if (pid == 0) {
        (void)close(other_end);
        live(plan);
    }
    (void)close(plan->link);
    *ret_pid = pid;
    return 0;
}
