/*
 * spawn.c: what a child costs that the spawner makes (`make bench`): from START
 * to EXITED, against a bare posix_spawn() of the same program to its waitpid().
 *
 * A real spawner is forked, and gets signed dispatches, each with its whole
 * proof, which are made before the clock runs. The bare one gets the same
 * environment. The private directories, and the notes beside them, are made in
 * memory: a disk's own time (one mounted with `discard`, and without a journal,
 * waits at every removal) is not what is measured. Both ways take turns in one
 * run, A B A B, with one child at a time and with eight; out comes a table of
 * medians of a child's share, in ms, and the median of the ratios of the pairs.
 *
 * usage: spawn [ROUNDS]
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/confine.h"
#include "consumer/executor/link.h"
#include "consumer/executor/spawner.h"
#include "model/environment.h"
#include "tests/unit/chain.h"

#define CHILDREN 16 /* of a turn */
#define ROUNDS_MAX 1000

/* What is measured: nothing at all, where all is overhead; a small report, six
 * processes; and one that an interpreter starts slowly. */
static const struct program {
    const char *name;
    const char *interpreter;
    const char *text;
} programs[] = {
    {"sh: true", "/bin/sh", "#!/bin/sh\ntrue\n"},
    {"sh: a small report", "/bin/sh",
     "#!/bin/sh\nfind /etc -maxdepth 2 -name '*.conf' | sort | head -n 20\n"
     "df -P / | tail -n 1\n"},
    {"python3: a small report", "/usr/bin/python3",
     "#!/usr/bin/python3\nimport json, os\n"
     "print(json.dumps(sorted(os.listdir('/etc'))))\n"},
};

struct bench {
    const struct program *program;
    struct chain chain;
    char directory[32];
    char script[40];
    struct permitted permitted;
    struct account self;
    struct list enrolment;
    struct hash by;
    struct spawner_plan plan;
    struct list environment; /* ends in NULL */
    int link;
};

static _Noreturn void fail(const char *what, const struct err *err)
{
    (void)fprintf(stderr, "spawn: %s: %s\n", what, err->text);
    exit(1);
}

static void must(int done, const char *what, const struct err *err)
{
    if (done != 0) {
        fail(what, err);
    }
}

static void make_spawner(struct bench *b)
{
    struct chain *c = &b->chain;
    struct envelope envelope;
    struct err err = {0};
    int ends[2];

    c->host.request.head = head_new(&c->root_hash, &c->init_hash, c->now);
    must(event_sign(EVENT_SERVICE_ENROL, &c->host, c->admin, NULL, &envelope,
                    &err),
         "enrol", &err);
    b->by = envelope_hash(&envelope);
    envelopes_add(&b->enrolment, &envelope);
    envelope_done(&envelope);
    envelopes_add(&b->enrolment, chain_find(&c->envelopes, EVENT_ROOT_INIT));
    must(link_pair(ends, &err), "link", &err);
    b->link = ends[0];
    account_self(&b->self);
    b->permitted = (struct permitted){.standard = &b->self, .slots = 8};
    texts_add(&b->permitted.interpreters, b->program->interpreter);
    b->plan = (struct spawner_plan){
        .roots = &c->roots,
        .target = "web-1",
        .directory = b->directory,
        .permitted = &b->permitted,
        .enrolment = &b->enrolment,
        .by = b->by,
        .keys = c->executor,
        .init = c->init_hash,
        .log = must_printf("%s.log", b->directory),
        .started = must_printf("%s.started", b->directory),
        .versions = must_printf("%s.versions", b->directory),
        .link = ends[1]};
    must(confine_memory(&err), "memory", &err);
    if (fork() == 0) {
        (void)close(ends[0]);
        spawner_serve(&b->plan);
    }
    (void)close(ends[1]);
    _cleanup_message_ struct link_message ready = {.out = -1, .err = -1};
    if (link_receive(b->link, LINK_EXECUTOR, &ready, &err) != 1) {
        fail("spawner", &err);
    }
}

/* Of as many words, and as long ones: a program reads its locale's files. */
static void make_environment(struct bench *b)
{
    char id[ID_TEXT];

    id_format(&b->chain.run.request.head.id, id);
    environment_make(&(struct surroundings){.home = b->directory,
                                            .run = id,
                                            .execution = id,
                                            .command = b->chain.save.name,
                                            .target = "web-1",
                                            .attempt = 1},
                     &(struct list){0}, &b->environment);
    (void)list_grow(&b->environment, sizeof(char *));
}

static void begin(struct bench *b, const struct program *program)
{
    struct err err = {0};

    *b = (struct bench){.program = program,
                        .directory = "/dev/shm/errand-XXXXXX"};
    if (mkdtemp(b->directory) == NULL) {
        (void)err_set(&err, ERR_FATAL, "%s", b->directory);
        fail("mkdtemp", &err);
    }
    (void)snprintf(b->script, sizeof(b->script), "%s.sh", b->directory);
    must(file_write(b->script, program->text, strlen(program->text), 0700, true,
                    &err),
         b->script, &err);
    chain_init(&b->chain);
    buf_clear(&b->chain.save.script);
    (void)buf_adds(&b->chain.save.script, program->text);
    chain_sign(&b->chain);
    make_environment(b);
    make_spawner(b);
}

static void end(struct bench *b)
{
    cleanup_close(&b->link);
    while (wait(NULL) > 0) {
    }
    (void)unlink(b->plan.log);
    (void)unlink(b->plan.started);
    (void)unlink(b->plan.versions);
    (void)unlink(b->script);
    (void)rmdir(b->directory);
    free((char *)b->plan.log);
    free((char *)b->plan.started);
    free((char *)b->plan.versions);
    envelopes_done(&b->enrolment);
    texts_done(&b->permitted.interpreters);
    texts_done(&b->environment);
    account_done(&b->self);
    chain_done(&b->chain);
}

/* A run of its own, and its dispatch. */
static void make_start(struct bench *b, struct link_message *ret_message)
{
    struct chain *c = &b->chain;
    struct envelope run;
    struct err err = {0};

    c->now = clock_now();
    c->run.request.head = head_new(&c->root_hash, &c->open_hash, c->now);
    c->run.deadline = c->now + 60000;
    must(event_sign(EVENT_RUN_START, &c->run, c->session, NULL, &run, &err),
         "run", &err);
    envelope_done(chain_find(&c->envelopes, EVENT_RUN_START));
    list_at(&c->envelopes, struct envelope, c->envelopes.n - 1) = run;
    envelope_done(&c->signed_dispatch);
    c->dispatch.head = (struct head){0};
    c->dispatch.execution = (struct id){0};
    c->dispatch.run = envelope_hash(&run);
    c->dispatch.command = c->save_hash;
    c->dispatch.expires = c->now + 50000;
    chain_dispatch(c);
    *ret_message = link_message_of(LINK_START, &c->dispatch.execution);
    ret_message->head.start_by = clock_steady() + 60000;
    must(link_put_dispatch(&c->signed_dispatch, &ret_message->body, &err),
         "dispatch", &err);
    ret_message->head.length = (uint32_t)ret_message->body.len;
}

static double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Both get a pipe of their own to write to, which holds all that they say. */
static void open_pipe(int ends[static 2])
{
    struct err err = {0};

    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)err_set(&err, ERR_FATAL, "no pipe");
        fail("pipe", &err);
    }
}

static void spawner_begin(struct bench *b, struct link_message *message,
                          int *out)
{
    struct err err = {0};
    int ends[2];

    open_pipe(ends);
    *out = ends[0];
    message->out = ends[1];
    message->err = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
    must(link_send(b->link, message, &err), "start", &err);
    link_message_done(message);
}

static void spawner_await(struct bench *b)
{
    struct err err = {0};

    for (uint32_t kind = 0; kind != LINK_EXITED;) {
        _cleanup_message_ struct link_message got = {.out = -1, .err = -1};
        if (link_receive(b->link, LINK_EXECUTOR, &got, &err) != 1 ||
            got.head.kind == LINK_REFUSED || got.head.exit != 0) {
            (void)err_set(&err, ERR_FATAL, "%s", buf_text(&got.body));
            fail("not started", &err);
        }
        kind = got.head.kind;
    }
}

/* ms that CHILDREN of them took, so many at a time. */
static double by_spawner(struct bench *b, int slots)
{
    struct link_message messages[CHILDREN];
    int outs[CHILDREN];

    for (int i = 0; i < CHILDREN; i++) {
        make_start(b, &messages[i]);
    }
    double began = now_ms();
    for (int i = 0; i < CHILDREN + slots; i++) {
        if (i >= slots) {
            spawner_await(b);
        }
        if (i < CHILDREN) {
            spawner_begin(b, &messages[i], &outs[i]);
        }
    }
    double took = now_ms() - began;
    for (int i = 0; i < CHILDREN; i++) {
        (void)close(outs[i]);
    }
    return took;
}

static void bare_begin(struct bench *b, int *out)
{
    char *const argv[] = {(char *)b->program->interpreter, b->script, NULL};
    posix_spawn_file_actions_t actions;
    struct err err = {0};
    int ends[2];
    pid_t pid;

    open_pipe(ends);
    *out = ends[0];
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    if (posix_spawn(&pid, b->program->interpreter, &actions, NULL, argv,
                    b->environment.items) != 0) {
        (void)err_set(&err, ERR_FATAL, "no child");
        fail("posix_spawn", &err);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
}

static double by_posix_spawn(struct bench *b, int slots)
{
    int outs[CHILDREN];
    double began = now_ms();

    for (int i = 0; i < CHILDREN + slots; i++) {
        if (i >= slots) {
            (void)wait(NULL);
        }
        if (i < CHILDREN) {
            bare_begin(b, &outs[i]);
        }
    }
    double took = now_ms() - began;
    for (int i = 0; i < CHILDREN; i++) {
        (void)close(outs[i]);
    }
    return took;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), by_size);
    return values[n / 2];
}

static void measure(const struct program *program, int slots, int rounds)
{
    static double spawner[ROUNDS_MAX];
    static double bare[ROUNDS_MAX];
    static double ratio[ROUNDS_MAX];
    struct bench b;

    begin(&b, program);
    (void)by_spawner(&b, slots); /* warm */
    (void)by_posix_spawn(&b, slots);
    for (int n = 0; n < rounds; n++) {
        spawner[n] = by_spawner(&b, slots) / CHILDREN;
        bare[n] = by_posix_spawn(&b, slots) / CHILDREN;
        ratio[n] = spawner[n] / bare[n];
    }
    end(&b);
    double through = median(spawner, rounds);
    double alone = median(bare, rounds);
    (void)printf("%-28s %8d %12.2f %12.2f %8.2f\n", program->name, slots,
                 through, alone, median(ratio, rounds));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20;

    rounds = rounds < 1 ? 1 : rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
    (void)printf("%-28s %8s %12s %12s %8s\n", "ms a child", "slots", "spawner",
                 "posix_spawn", "ratio");
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        measure(&programs[i], 1, (int)rounds);
        measure(&programs[i], 8, (int)rounds);
    }
    return 0;
}
