/*
 * executor.c: errand-executor: runs on a host what was approved for its target.
 *
 * In come the target's dispatches and its claim log; out go claims, results
 * (errand.results), heartbeats (errand.executors) and, sealed, what a followed
 * run's asker wants to see. It needs Kafka only. This file is the service row
 * and the loop of the Kafka-facing half; the other half is spawner.c.
 */
#include "consumer/executor/executor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define TURN 1000        /* ms that a turn waits at most */
#define STOP_WAIT 8000   /* ms to end what runs, 5 s of grace, and to tell it */
#define STOP_MAX 12000   /* ms for all that, and the spawner's end */
#define AGAIN 100        /* ms */
#define BROKER_WAIT 1000 /* ms for an answer of the broker; asked again */
#define EVENTS 64

static const struct config_key keys[] = {
    {.section = "executor",
     .key = "target",
     .kind = CONFIG_NAME,
     .required = true,
     .help = "the target whose commands run here"},
    {.section = "executor",
     .key = "state",
     .kind = CONFIG_TEXT,
     .required = true,
     .help = "directory of the ledger, on a local disk"},
    {.section = "executor",
     .key = "user",
     .kind = CONFIG_TEXT,
     .help = "started as root: who its Kafka-facing half is, which needs none "
             "of root's rights"},
    {.section = "run_as",
     .key = "allow",
     .kind = CONFIG_FILES,
     .live = true,
     .help = "the users of this host that commands may run as"},
    {.section = "run_as",
     .key = "default",
     .kind = CONFIG_TEXT,
     .live = true,
     .help = "which of them where a command says none"},
    {.section = "interpreters",
     .key = "allow",
     .kind = CONFIG_FILES,
     .fallback = "/bin/sh, /usr/bin/sh, /bin/dash, /usr/bin/dash, /bin/bash, "
                 "/usr/bin/bash, /usr/bin/python3, /usr/bin/perl, "
                 "/usr/bin/awk, /usr/bin/gawk, /usr/bin/ruby, /usr/bin/node, "
                 "/usr/bin/php",
     .live = true,
     .help = "what the first line of a script may name"},
    {.section = "executor",
     .key = "slots",
     .kind = CONFIG_INT,
     .fallback = "4",
     .min = 1,
     .max = 256,
     .live = true,
     .help = "executions at the same time"},
    {.section = "executor",
     .key = "heartbeat",
     .kind = CONFIG_DURATION,
     .fallback = "5s",
     .min = 1,
     .max = 60,
     .live = true,
     .help = "how often it says hello"},
    {.section = "executor",
     .key = "drain",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .max = 86400,
     .live = true,
     .help = "how long what runs may go on after SIGTERM, before it is ended"},
    {.section = "executor",
     .key = "disk_wait",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .min = 1,
     .max = 86400,
     .live = true,
     .help = "how long what has ended waits for a full disk, before the rest "
             "of its output is given up"},
};

/* The target that it is enrolled for, in the generation that it is enrolled
 * for: so whoever served the one before of that name does not serve this one.
 */
static int take_target(struct executor *executor, struct err *err)
{
    const struct daemon *daemon = executor->daemon;
    const char *target = executor->target;
    struct service_enrol enrol;

    if (event_decode(EVENT_SERVICE_ENROL,
                     &list_at(&daemon->enrolment, struct envelope, 0), &enrol,
                     err) != 0) {
        return -1;
    }
    int same = enrol.target != NULL && strcmp(enrol.target, target) == 0;
    if (!same) {
        (void)err_exit(err, EX_CONFIG,
                       "[executor] target = %s, but this "
                       "executor is enrolled for %s",
                       target, enrol.target == NULL ? "none" : enrol.target);
    }
    int64_t generation = enrolled_generation(&enrol);
    executor->dispatch_topic = dispatch_topic(target, generation);
    executor->claims_topic = claims_topic(target, generation);
    table_done(&service_enrol_table, &enrol);
    return same ? 0 : -1;
}

/* Runs before librdkafka does: the spawner is forked here. */
static int start(struct daemon *daemon, struct err *err)
{
    struct executor *executor = must_calloc(1, sizeof(*executor));

    daemon->state = executor;
    executor->daemon = daemon;
    executor->incarnation = id_random();
    executor->target = config_text(&daemon->config, "executor", "target");
    settings_take(executor);
    executor->lock = -1;
    executor->link = -1;
    executor->epoll = epoll_create1(EPOLL_CLOEXEC);
    executor->verified = verified_new();
    /* Only the claim log tells whether a claim arrived: it is never given up.
     */
    pairs_add(&daemon->kafka, "message.timeout.ms", "0");
    return take_target(executor, err) != 0 || halves_make(executor, err) != 0
               ? -1
               : 0;
}

static void watch(struct executor *executor, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events};

    (void)epoll_ctl(executor->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void unwatch(struct executor *executor, int fd)
{
    (void)epoll_ctl(executor->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* So that no first record waits for its topic's metadata. */
static int know_topics(struct executor *executor, struct err *err)
{
    const char *const topics[] = {"errand.results", "errand.executors",
                                  "errand.replies", "errand.dead",
                                  executor->claims_topic};

    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        if (kafka_writer_know(executor->daemon->writer, topics[i], BROKER_WAIT,
                              err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* As the user that this half is: root would follow what that one put there. */
static int open_ledger(struct executor *executor, struct err *err)
{
    if (executor->ledger == NULL) {
        executor->ledger =
            ledger_open(executor->own, &executor->incarnation, err);
    }
    return executor->ledger == NULL ? -1 : directory_make(executor->spool, err);
}

/* Readers, and everything that wakes us. Kafka's descriptors are edges: each
 * turn asks them all. */
static int begin(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;

    if (open_ledger(executor, err) != 0) {
        return -1;
    }
    if (executor->claims == NULL) {
        executor->claims = claim_log_new(&daemon->kafka, executor->claims_topic,
                                         on_claim, executor, err);
    }
    if (executor->dispatches == NULL) {
        executor->dispatches = kafka_reader_new(&daemon->kafka, err);
    }
    if (executor->claims == NULL || executor->dispatches == NULL) {
        return -1;
    }
    if (know_topics(executor, err) != 0 || revoked_begin(executor, err) != 0 ||
        intake_begin(executor, err) != 0) {
        return err_wrap(err, "target %s", executor->target);
    }
    watch(executor, executor->link, EPOLLIN);
    watch(executor, daemon_ending_fd(daemon), EPOLLIN);
    watch(executor, daemon_reload_fd(daemon), EPOLLIN);
    watch(executor, claim_log_fd(executor->claims), EPOLLIN | EPOLLET);
    watch(executor, revocation_log_fd(executor->revocations),
          EPOLLIN | EPOLLET);
    watch(executor, kafka_reader_fd(executor->dispatches), EPOLLIN | EPOLLET);
    watch(executor, kafka_writer_fd(daemon->writer), EPOLLIN | EPOLLET);
    executor->looked = clock_steady();
    executor->begun = true;
    return 0;
}

static void fail(struct executor *executor, const struct err *err)
{
    executor->failed = *err;
    executor->failed.kind = ERR_FATAL;
}

static void on_buried(struct executor *executor, uint64_t number,
                      const struct err *err)
{
    if (err == NULL) {
        burials_there(&executor->burials, number);
    } else {
        fail(executor, err);
    }
}

static void on_delivered(void *arg, uint64_t tag, const struct err *err)
{
    struct executor *executor = ((struct daemon *)arg)->state;

    if (tag == 0 || executor == NULL) { /* stopped already */
        return;
    }
    if (tag == HELLO_TAG) {
        executor->hello_waits = false; /* the next one says the same */
        return;
    }
    if ((tag & DEAD_TAG) != 0) {
        on_buried(executor, tag & ~DEAD_TAG, err);
        return;
    }
    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        if ((e->serial | CLAIM_TAG) == tag) {
            e->claim_waits = false; /* the log tells whether it is there */
        } else if ((e->serial | REPLY_TAG) == tag) {
            e->replies--; /* there or not: its asker can do without */
            e->replied = clock_steady();
        } else if (e->serial == tag && err == NULL) {
            e->undelivered--;
        } else if (e->serial == tag) {
            fail(executor, err);
        }
    }
}

/* While the broker is away one waits for it, and not one for each heartbeat. */
static int say_hello(struct executor *executor, int64_t now, struct err *err)
{
    if (executor->said_hello != 0 &&
        now - executor->said_hello < executor->heartbeat) {
        return 0;
    }
    intake_keep_position(executor);
    if (executor->hello_waits) {
        return 0;
    }
    executor->said_hello = now;
    return tell_hello(executor, err) != 0 && err->kind != ERR_RETRY ? -1 : 0;
}

static int serve_spawner(struct executor *executor, struct err *err)
{
    struct pollfd link = {.fd = executor->link, .events = POLLIN};
    int done = 0;

    while (done == 0 && poll(&link, 1, 0) == 1) {
        done = on_spawner(executor, err);
    }
    return done;
}

static int wait_for_something(struct executor *executor)
{
    struct epoll_event events[EVENTS];
    int64_t now = clock_steady();
    int64_t wait = executor->more || claim_log_more(executor->claims)
                       ? 0
                       : executions_due(executor, now, TURN);

    return epoll_wait(executor->epoll, events, EVENTS, (int)wait);
}

static int work(struct executor *executor, struct err *err)
{
    int64_t now = clock_steady();

    if (serve_spawner(executor, err) != 0 ||
        kafka_writer_poll(executor->daemon->writer, 0, err) != 0 ||
        revoked_read(executor, err) != 0 ||
        claim_log_read(executor->claims, err) != 0) {
        return -1;
    }
    if (executor->failed.kind != ERR_NONE) {
        *err = executor->failed;
        return -1;
    }
    executor->looked = clock_steady();
    if (say_hello(executor, now, err) != 0) {
        return -1; /* before all that a full disk may hold up */
    }
    executor->more = false;
    if (claim_log_current(executor->claims) &&
        revocation_log_current(executor->revocations)) {
        recover(
            executor); /* first: what the last life owes is told, or ended */
        if (!executor->hurried && revoked_check(executor, err) != 0) {
            return -1;
        }
        if (intake_read(executor, err) != 0) {
            return -1;
        }
        daemon_ready(executor->daemon);
    }
    return intake_claim_again(executor, now, err) != 0 ||
                   executions_advance(executor, clock_steady(), err) != 0
               ? -1
               : 0;
}

static int turn(struct daemon *daemon, struct err *err)
{
    struct executor *executor = daemon->state;

    if (reload_ask(executor, err) != 0 ||
        (!executor->begun && begin(executor, err) != 0)) {
        return -1;
    }
    (void)wait_for_something(executor);
    return daemon_ending(daemon) ? 0 : work(executor, err);
}

/* The way to the end */

/* One turn more; false: there is none. What is only not possible now is tried
 * again. */
static bool go_on(struct executor *executor)
{
    struct err err = {0};

    (void)wait_for_something(executor);
    if (reload_ask(executor, &err) == 0 && work(executor, &err) == 0) {
        return true;
    }
    (void)poll(NULL, 0, AGAIN);
    return err.kind == ERR_RETRY;
}

/* What was claimed and what runs goes on as ever; nothing more is claimed. */
static void drain(struct executor *executor)
{
    int hurried = daemon_hurried_fd(executor->daemon);

    log_info(&executor->daemon->log, "draining",
             L_INT("held", HASH_COUNT(executor->all)));
    watch(executor, hurried, EPOLLIN);
    while (executor->all != NULL && !daemon_hurried(executor->daemon) &&
           go_on(executor)) {
    }
    unwatch(executor, hurried);
}

/* Ends what runs, and tells it. */
static void hurry(struct executor *executor)
{
    int64_t until = clock_steady() + STOP_WAIT;

    executor->hurried = true;
    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        if (e->phase == PHASE_STARTING || e->phase == PHASE_RUNNING) {
            execution_end(executor, e);
        }
    }
    while (executor->all != NULL && clock_steady() < until && go_on(executor)) {
    }
}

static void wind_down(struct executor *executor)
{
    executor->stopping = true;
    unwatch(executor, daemon_ending_fd(executor->daemon)); /* it stays so */
    if (daemon_ending(executor->daemon)) {
        drain(executor);
    }
    hurry(executor);
    intake_keep_position(executor);
}

static void stop(struct daemon *daemon)
{
    struct executor *executor = daemon->state;
    struct execution *execution;
    struct execution *next;

    if (executor == NULL) {
        return;
    }
    if (executor->begun) {
        wind_down(executor);
    }
    /* The spawner ends whatever is left when its link closes. */
    cleanup_close(&executor->link);
    while (wait(NULL) > 0) {
    }
    HASH_ITER (hh, executor->all, execution, next) {
        execution_free(executor, execution);
    }
    claim_log_free(executor->claims);
    kafka_reader_free(executor->dispatches);
    revocation_log_free(executor->revocations);
    standing_free(executor->standing);
    verified_free(executor->verified);
    ledger_free(executor->ledger);
    record_done(&executor->held);
    burials_done(&executor->burials);
    record_done(&executor->early);
    cleanup_close(&executor->epoll);
    free(executor->owed.items);
    free(executor->dispatch_topic);
    free(executor->claims_topic);
    free(executor->own);
    free(executor->spool);
    cleanup_close(&executor->lock);
    free(executor);
}

static const struct service executor_service = {
    .name = "errand-executor",
    .kind = SERVICE_EXECUTOR,
    .before_writer = true,
    .reloads = true,
    .ending_ms = STOP_MAX,
    .delivered = on_delivered,
    .keys = keys,
    .n_keys = ARRAY_SIZE(keys),
    .check = halves_check,
    .check_host = halves_tell,
    .start = start,
    .turn = turn,
    .stop = stop,
};

int main(int argc, char **argv)
{
    file_fill_standard();
    fields_leave_no_trace(); /* of the keys' file, and of what is opened */
    return service_main(&executor_service, argc, argv);
}
