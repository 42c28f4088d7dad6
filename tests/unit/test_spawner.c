/*
 * test_spawner.c: the half that makes children believes nobody.
 *
 * A real spawner is forked; the test is its other half, and may lie to it.
 */
#include <dirent.h>
#include <grp.h>
#include <keyutils.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain.h"
#include "consumer/executor/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/confine.h"
#include "consumer/executor/kin.h"
#include "consumer/executor/leftovers.h"
#include "consumer/executor/link.h"
#include "consumer/executor/spawner.h"
#include "trust/revocation.h"
#include "trust/sealed.h"

#define SLOTS 2
#define IN_FLIGHT 1000 /* ms */

struct stage {
    struct chain chain;
    char directory[64];
    char log[72];          /* the file in which it keeps the revocation log, */
    char started[80];      /* and what it has started, */
    char versions[80];     /* and the versions that it saw */
    struct list enrolment; /* struct envelope: of this host */
    struct hash by;
    struct account self;
    struct permitted permitted; /* what this host allows */
    struct link_message (*reload)(void *, struct permitted *);
    const struct account *half; /* who the other half is; NULL: as we are */
    struct spawner_plan plan;
    int link;
    pid_t pid;
    int out;      /* what the child writes */
    int64_t late; /* ms after which it is asked, beyond what is allowed */
};

static void set_script(struct chain *c, const char *text)
{
    buf_clear(&c->save.script);
    assert_int_equal(buf_adds(&c->save.script, text), 0);
}

/* As if the file said now that nothing may be run by /bin/sh. */
static struct link_message allow_less(void *arg, struct permitted *permitted)
{
    struct link_message answer =
        link_message_of(LINK_RELOADED, &(struct id){0});

    (void)arg;
    texts_done(&permitted->interpreters);
    texts_add(&permitted->interpreters, "/usr/bin/perl");
    assert_int_equal(buf_adds(&answer.body, "what it read"), 0);
    return answer;
}

/* As if it said now: one. */
static struct link_message have_one_slot(void *arg, struct permitted *permitted)
{
    (void)arg;
    permitted->slots = 1;
    return link_message_of(LINK_RELOADED, &(struct id){0});
}

static void start_spawner(struct stage *s)
{
    struct err err = {0};
    int ends[2];

    assert_int_equal(link_pair(ends, &err), 0);
    s->link = ends[0];
    s->plan = (struct spawner_plan){.roots = &s->chain.roots,
                                    .target = "web-1",
                                    .directory = s->directory,
                                    .permitted = &s->permitted,
                                    .reload = s->reload,
                                    .in_flight = IN_FLIGHT,
                                    .user = s->half,
                                    .enrolment = &s->enrolment,
                                    .by = s->by,
                                    .keys = s->chain.executor,
                                    .init = s->chain.init_hash,
                                    .log = s->log,
                                    .started = s->started,
                                    .versions = s->versions,
                                    .link = ends[1]};
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)close(ends[0]);
        spawner_serve(&s->plan);
    }
    (void)close(ends[1]);
    _cleanup_message_ struct link_message got = {.out = -1, .err = -1};
    if (link_receive(s->link, LINK_EXECUTOR, &got, &err) == 1) {
        assert_int_equal(got.head.kind, LINK_READY);
        assert_string_equal(buf_text(&got.body), ERRAND_VERSION);
    } /* else it could not start */
}

static void end_spawner(struct stage *s)
{
    int status = 0;

    cleanup_close(&s->link);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cleanup_close(&s->out);
    s->out = -1;
}

/* Of its own, before the rest of the chain is signed. */
static void enrol_host(struct stage *s)
{
    struct chain *c = &s->chain;
    struct envelope envelope;
    struct err err = {0};

    c->host.request.head = head_new(&c->root_hash, &c->init_hash, c->now);
    assert_int_equal(event_sign(EVENT_SERVICE_ENROL, &c->host, c->admin, NULL,
                                &envelope, &err),
                     0);
    s->by = envelope_hash(&envelope);
    s->enrolment = (struct list){0};
    envelopes_add(&s->enrolment, &envelope);
    envelope_done(&envelope);
    assert_int_equal(
        event_sign(EVENT_ROOT_INIT, &c->init, c->root, NULL, &envelope, &err),
        0);
    envelopes_add(&s->enrolment, &envelope);
    envelope_done(&envelope);
}

static void open_stage(struct stage *s, const char *script)
{
    chain_init(&s->chain);
    set_script(&s->chain, script);
    (void)snprintf(s->directory, sizeof(s->directory), "/tmp/spawner-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    (void)snprintf(s->log, sizeof(s->log), "%s.log", s->directory);
    (void)snprintf(s->started, sizeof(s->started), "%s.started", s->directory);
    (void)snprintf(s->versions, sizeof(s->versions), "%s.versions",
                   s->directory);
    s->out = -1;
    s->late = 0;
    s->half = NULL;
    s->reload = allow_less;
    account_self(&s->self);
    s->permitted = (struct permitted){.standard = &s->self, .slots = SLOTS};
    texts_add(&s->permitted.interpreters, "/bin/sh");
    enrol_host(s);
    struct err err = {0};
    assert_int_equal(confine_memory(&err), 0); /* as an executor does */
    start_spawner(s);
}

static void close_stage(struct stage *s)
{
    end_spawner(s);
    assert_int_equal(unlink(s->log), 0);
    assert_int_equal(unlink(s->started), 0);
    assert_int_equal(unlink(s->versions), 0);
    envelopes_done(&s->enrolment);
    assert_int_equal(rmdir(s->directory), 0); /* nothing private is left */
    chain_done(&s->chain);
    account_done(&s->self);
    texts_done(&s->permitted.interpreters);
}

static void ask_to_start(struct stage *s, const struct envelope *dispatch,
                         const struct id *execution)
{
    struct link_message message = {
        .head = {.kind = LINK_START,
                 .execution = *execution,
                 .start_by =
                     clock_steady() + (s->late > 0 ? -s->late : 10000)}};
    struct err err = {0};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    s->out = ends[0];
    message.out = ends[1];
    message.err = dup(ends[1]);
    assert_int_equal(link_put_dispatch(dispatch, &message.body, &err), 0);
    message.head.length = (uint32_t)message.body.len;
    assert_int_equal(link_send(s->link, &message, &err), 0);
    link_message_done(&message);
}

static void sign_and_start(struct stage *s)
{
    chain_sign(&s->chain);
    chain_dispatch(&s->chain);
    ask_to_start(s, &s->chain.signed_dispatch, &s->chain.dispatch.execution);
}

static struct link_head expect(struct stage *s, enum link_kind kind)
{
    _cleanup_message_ struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};

    assert_int_equal(link_receive(s->link, LINK_EXECUTOR, &got, &err), 1);
    if (got.head.kind != (uint32_t)kind) {
        fail_msg("got %u (%s)", got.head.kind, buf_text(&got.body));
    }
    return got.head;
}

static void expect_refusal(struct stage *s, const char *because)
{
    _cleanup_message_ struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};
    char byte;

    assert_int_equal(link_receive(s->link, LINK_EXECUTOR, &got, &err), 1);
    assert_int_equal(got.head.kind, LINK_REFUSED);
    if (strstr(buf_text(&got.body), because) == NULL) {
        fail_msg("refused with \"%s\", not \"%s\"", buf_text(&got.body),
                 because);
    }
    assert_int_equal(read(s->out, &byte, 1), 0); /* nobody holds its output */
}

static void an_honest_dispatch_is_started_and_told(void **state)
{
    struct stage s;
    char text[64] = "";

    (void)state;
    open_stage(&s, "#!/bin/sh\nprintf %s \"$ERRAND_PARAM_DIR\"; exit 5\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.exit, 5);
    assert_int_equal(head.signal, 0);
    assert_int_equal(read(s.out, text, sizeof(text) - 1), 4);
    assert_string_equal(text, "/var");
    close_stage(&s);
}

/* A secret parameter `token`, and its box; `purpose`: what that says it is for.
 */
static void add_secret(struct chain *c, const char *value, const char *purpose)
{
    struct parameter *token = list_grow(&c->save.parameters, sizeof(*token));
    struct secret_box *box = list_grow(&c->run.boxes, sizeof(*box));
    struct err err = {0};

    token->name = must_strdup("token");
    token->type = PARAMETER_SECRET;
    token->required = true;
    c->run.request.head.id = id_new(c->now);
    struct sealed content = {
        .root = c->root_hash,
        .purpose = (char *)purpose,
        .signer = key_id(&c->session->key),
        .request = c->run.request.head.id,
        .name = token->name,
        .value = {.data = (unsigned char *)value, .len = strlen(value)}};
    box->name = must_strdup("token");
    box->to = key_id(&c->executor->box);
    assert_int_equal(sealed_make(&content, &c->executor->box, &box->box, &err),
                     0);
}

static void a_secret_reaches_the_child_and_is_hidden_in_its_output(void **state)
{
    struct stage s;
    char text[128] = "";
    size_t n = 0;

    (void)state;
    open_stage(&s, "#!/bin/sh\nprintf %s \"$ERRAND_PARAM_TOKEN\" | wc -c\n"
                   "ulimit -c; echo \"<$ERRAND_PARAM_TOKEN>\"; printf %.4s "
                   "\"$ERRAND_PARAM_TOKEN\"\n");
    add_secret(&s.chain, "hunter2", SECRET_PURPOSE);
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    assert_int_equal(expect(&s, LINK_EXITED).exit, 0);
    for (ssize_t got;
         (got = read(s.out, text + n, sizeof(text) - n - 1)) > 0;) {
        n += (size_t)got;
    }
    assert_string_equal(text, "7\n0\n<***>\n***");
    close_stage(&s);
}

static void what_was_sealed_for_something_else_starts_nothing(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    add_secret(&s.chain, "hunter2", "card");
    sign_and_start(&s);
    expect_refusal(&s, "its purpose is not that of the request");
    close_stage(&s);
}

/* Of /proc/PID/status. */
static bool status_has(pid_t pid, const char *line)
{
    _cleanup_free_ char *path = must_printf("/proc/%d/status", (int)pid);
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};

    return file_read(path, 8192, &text, &err) == 0 &&
           strstr(buf_text(&text), line) != NULL;
}

static pid_t masker_of(const struct stage *s)
{
    struct list pids = {0};
    pid_t found = 0;

    kin_children(s->pid, &pids);
    for (size_t i = 0; i < pids.n; i++) {
        pid_t pid = list_at(&pids, pid_t, i);
        found = status_has(pid, "Name:\terrand-masker\n") ? pid : found;
    }
    free(pids.items);
    return found;
}

/* Somebody got away with the writing end: no output is waited for for ever. */
static void a_masker_ends_with_its_child_whoever_holds_its_pipe(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\n(trap '' TERM; exec env -i setsid sleep 3) &\n"
                   "sleep 0.1\n");
    add_secret(&s.chain, "hunter2", SECRET_PURPOSE);
    int64_t began = clock_steady();
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    assert_int_equal(expect(&s, LINK_EXITED).exit, 0);
    assert_true(clock_steady() - began < 2500);
    close_stage(&s);
}

/* All that comes from now on. */
static size_t read_all(struct stage *s)
{
    static char bytes[65536];
    size_t n = 0;

    for (ssize_t got; (got = read(s->out, bytes, sizeof(bytes))) > 0;) {
        n += (size_t)got;
    }
    return n;
}

static pid_t await_masker(const struct stage *s)
{
    pid_t masker;

    while ((masker = masker_of(s)) == 0) {
        (void)poll(NULL, 0, 1);
    }
    return masker;
}

static void say_word(struct stage *s, const char *script)
{
    open_stage(s, script);
    add_secret(&s->chain, "hunter2", SECRET_PURPOSE);
    sign_and_start(s);
    (void)expect(s, LINK_STARTED);
}

static void a_masker_that_is_killed_is_told_of(void **state)
{
    struct stage s;
    char begun[8];

    (void)state;
    say_word(&s, "#!/bin/sh\necho begun; sleep 0.3; trap '' PIPE\n"
                 "echo lost 2>/dev/null; exit 0\n");
    assert_int_equal(read(s.out, begun, 6), 6);
    assert_int_equal(kill(await_masker(&s), SIGKILL), 0);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.exit, 0);
    assert_int_equal(head.torn, 1);
    assert_int_equal(read_all(&s), 0);
    close_stage(&s);
}

static void a_masker_that_was_stopped_loses_nothing(void **state)
{
    struct stage s;

    (void)state;
    say_word(&s, "#!/bin/sh\nsleep 0.2; echo 12345 hunter2\n");
    assert_int_equal(kill(await_masker(&s), SIGSTOP), 0);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.torn, 0);
    assert_int_equal(read_all(&s), strlen("12345 ***\n"));
    close_stage(&s);
}

static bool told_within(const struct stage *s, int ms)
{
    struct pollfd link = {.fd = s->link, .events = POLLIN};

    return poll(&link, 1, ms) == 1;
}

static void who_reads_slowly_slows_the_child_and_loses_nothing(void **state)
{
    struct stage s;

    (void)state;
    say_word(&s, "#!/bin/sh\nexec head -c 1000000 /dev/zero\n");
    assert_false(told_within(&s, 300)); /* its pipes are full */
    assert_int_equal(read_all(&s), 1000000);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.exit, 0);
    assert_int_equal(head.torn, 0);
    close_stage(&s);
}

static void
a_forged_dispatch_is_refused_whatever_the_other_half_says(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    chain_sign(&s.chain);
    struct envelope *save = chain_find(&s.chain.envelopes, EVENT_COMMAND_SAVE);
    list_at(&save->signatures, struct signature, 0).b[0] ^= 1;
    chain_dispatch(&s.chain);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "not signed by");
    close_stage(&s);
}

static void a_dispatch_is_started_for_its_own_execution_only(void **state)
{
    struct stage s;
    struct id other = id_random();

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    chain_sign(&s.chain);
    chain_dispatch(&s.chain);
    ask_to_start(&s, &s.chain.signed_dispatch, &other);
    expect_refusal(&s, "not the execution that was claimed");
    close_stage(&s);
}

static size_t descriptors_of(pid_t pid)
{
    _cleanup_free_ char *path = must_printf("/proc/%d/fd", (int)pid);
    DIR *all = opendir(path);
    size_t n = 0;

    assert_non_null(all);
    while (readdir(all) != NULL) {
        n++;
    }
    (void)closedir(all);
    return n;
}

/* What it had open stays so: 0 could else become the next child's output, which
 * is then put where its input is. */
static void a_refusal_costs_the_next_child_nothing(void **state)
{
    struct stage s;
    struct id other = id_random();
    char text[64] = "";

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    chain_sign(&s.chain);
    chain_dispatch(&s.chain);
    ask_to_start(&s, &s.chain.signed_dispatch, &other);
    expect_refusal(&s, "not the execution that was claimed");
    size_t before = descriptors_of(s.pid);
    cleanup_close(&s.out);
    ask_to_start(&s, &s.chain.signed_dispatch, &other);
    expect_refusal(&s, "not the execution that was claimed");
    assert_int_equal(descriptors_of(s.pid), before);
    cleanup_close(&s.out);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    (void)expect(&s, LINK_STARTED);
    assert_int_equal(expect(&s, LINK_EXITED).exit, 0);
    assert_int_equal(read(s.out, text, sizeof(text) - 1), 4);
    assert_string_equal(text, "ran\n");
    close_stage(&s);
}

static void what_runs_already_is_not_started_beside_itself(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    cleanup_close(&s.out);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "runs already");
    close_stage(&s);
}

static void what_ran_is_not_started_again_not_even_after_a_restart(void **state)
{
    struct stage s;
    char text[64];

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    (void)expect(&s, LINK_EXITED);
    assert_int_equal(read(s.out, text, sizeof(text)), 4);
    cleanup_close(&s.out);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "started before");
    end_spawner(&s);
    start_spawner(&s);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "started before");
    close_stage(&s);
}

/* Signs all anew, for a run of another version. */
static void sign_version(struct stage *s, int64_t version, int64_t saved,
                         int64_t asked)
{
    struct chain *c = &s->chain;

    c->save.version = version;
    c->save.request.head.id = id_new(c->now);
    c->save.request.head.issued = saved;
    c->save.request.expires = saved + 1000;
    c->run.request.head.id = id_new(c->now);
    c->run.request.head.issued = asked;
    envelopes_done(&c->envelopes);
    envelope_done(&c->signed_dispatch);
    chain_sign(c);
    c->dispatch.run = (struct hash){0};
    c->dispatch.execution = (struct id){0};
    chain_dispatch(c);
    cleanup_close(&s->out);
    ask_to_start(s, &c->signed_dispatch, &c->dispatch.execution);
}

static void an_older_version_is_refused_not_only_until_a_restart(void **state)
{
    struct stage s;
    int64_t hour = 3600000;

    (void)state;
    open_stage(&s, "#!/bin/sh\nexit 0\n");
    int64_t now = s.chain.now;
    sign_version(&s, 2, now - hour, now);
    (void)expect(&s, LINK_STARTED);
    (void)expect(&s, LINK_EXITED);
    sign_version(&s, 1, now - 2 * hour, now);
    expect_refusal(&s, "this host has seen version 2");
    end_spawner(&s);
    start_spawner(&s);
    sign_version(&s, 1, now - 2 * hour, now);
    expect_refusal(&s, "this host has seen version 2");
    s.chain.add.pin = 1;
    sign_version(&s, 1, now - 2 * hour, now);
    (void)expect(&s, LINK_STARTED);
    (void)expect(&s, LINK_EXITED);
    close_stage(&s);
}

static void send_end(struct stage *s, const struct id *execution)
{
    struct link_message end = link_message_of(LINK_END, execution);
    struct err err = {0};

    assert_int_equal(link_send(s->link, &end, &err), 0);
}

/* Each is a good dispatch; the other half should not have asked for it. */
static void no_more_run_at_once_than_the_host_has_slots(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    for (int i = 0; i < SLOTS; i++) {
        sign_version(&s, 1, s.chain.now, s.chain.now);
        (void)expect(&s, LINK_STARTED);
    }
    struct id last = s.chain.dispatch.execution;
    sign_version(&s, 1, s.chain.now, s.chain.now);
    expect_refusal(&s, "slots");
    struct id refused = s.chain.dispatch.execution;
    send_end(&s, &last);
    (void)expect(&s, LINK_EXITED);
    cleanup_close(&s.out);
    ask_to_start(&s, &s.chain.signed_dispatch, &refused);
    (void)expect(&s, LINK_STARTED);
    close_stage(&s);
}

static void ask_to_reload(struct stage *s)
{
    struct link_message ask = link_message_of(LINK_RELOAD, &(struct id){0});
    struct err err = {0};

    assert_int_equal(link_send(s->link, &ask, &err), 0);
    (void)expect(s, LINK_RELOADED);
}

static void what_was_claimed_by_more_slots_still_starts(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    end_spawner(&s);
    s.reload = have_one_slot;
    start_spawner(&s);
    sign_version(&s, 1, s.chain.now, s.chain.now);
    (void)expect(&s, LINK_STARTED);
    ask_to_reload(&s);
    sign_version(&s, 1, s.chain.now, s.chain.now);
    (void)expect(&s, LINK_STARTED);
    struct id second = s.chain.dispatch.execution;
    sign_version(&s, 1, s.chain.now, s.chain.now);
    expect_refusal(&s, "all 2 slots");
    send_end(&s, &second);
    (void)expect(&s, LINK_EXITED);
    (void)poll(NULL, 0, IN_FLIGHT);
    ask_to_reload(&s); /* which prolongs nothing */
    sign_version(&s, 1, s.chain.now, s.chain.now);
    expect_refusal(&s, "all 1 slots");
    close_stage(&s);
}

static void with_a_clock_behind_what_it_started_it_ends(void **state)
{
    static const char *const bad[] = {
        "4102444800000 01890a5d-ac96-774b-bcce-b302099a8057\n", /* in 2100 */
        "1000 no id\n"};
    struct stage s;
    int status = 0;

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    end_spawner(&s);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        assert_int_equal(
            file_write(s.started, bad[i], strlen(bad[i]), 0600, true, &err), 0);
        start_spawner(&s);
        assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        cleanup_close(&s.link);
    }
    assert_int_equal(unlink(s.started), 0);
    start_spawner(&s);
    close_stage(&s);
}

static void what_was_claimed_long_ago_is_not_started(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\ntrue\n");
    s.late = 1000;
    sign_and_start(&s);
    expect_refusal(&s, "too long passed");
    close_stage(&s);
}

static void an_end_is_told_once_the_whole_tree_is_gone(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\n(setsid sleep 60 &)\nsleep 60\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    send_end(&s, &s.chain.dispatch.execution);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.ended, 1);
    assert_int_equal(head.exit, 128 + SIGTERM);
    assert_int_equal(leftovers_sweep(NULL, &s.chain.dispatch.execution), 0);
    close_stage(&s);
}

static void a_timeout_ends_what_ignores_being_asked(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    s.chain.save.timeout = 1;
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    struct link_head head = expect(&s, LINK_EXITED);
    assert_int_equal(head.timed_out, 1);
    assert_int_equal(head.exit, 124);
    close_stage(&s);
}

static void when_the_other_half_dies_everything_is_ended(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\ntrap '' TERM\n(setsid sleep 60 &)\nsleep 60\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    struct id execution = s.chain.dispatch.execution;
    close_stage(&s);
    assert_int_equal(leftovers_sweep(NULL, &execution), 0);
}

/* As whom, by what, within what */

/* As an executor that was started as root, which allows www-data alone. The
 * spawner has what it was forked with: it is started again. */
static void allow_www_data(struct stage *s)
{
    struct account *account = must_calloc(1, sizeof(*account));
    struct err err = {0};

    end_spawner(s);
    assert_int_equal(account_find("www-data", account, &err), 0);
    s->permitted.root = true;
    s->permitted.standard = NULL;
    s->permitted.accounts = (struct list){account, 1};
    assert_int_equal(chmod(s->directory, 0711), 0);
    start_spawner(s);
}

static void close_stage_of_root(struct stage *s)
{
    account_done(s->permitted.accounts.items);
    free(s->permitted.accounts.items);
    close_stage(s);
}

static void say_run_as(struct stage *s, const char *name)
{
    free(s->chain.save.run_as);
    s->chain.save.run_as = must_strdup(name);
}

/* Runs it, and what it said. */
static struct link_head run(struct stage *s, char text[static 2000])
{
    sign_and_start(s);
    (void)expect(s, LINK_STARTED);
    struct link_head head = expect(s, LINK_EXITED);
    size_t got = 0;
    ssize_t more;

    while ((more = read(s->out, text + got, 1999 - got)) > 0) {
        got += (size_t)more;
    }
    text[got] = '\0';
    return head;
}

static void a_command_runs_as_whom_it_says_with_nothing_of_root_s(void **state)
{
    struct stage s;
    char text[2000];

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    open_stage(&s, "#!/bin/sh\nid -u; id -g; id -G; stat -c '%U %G %a' .\n"
                   "grep -E '^(NoNewPrivs|CapEff|CapPrm):' /proc/self/status\n"
                   "test \"$HOME\" = \"$PWD\" && cd \"$HOME\" && echo in\n"
                   "touch ../x 2>/dev/null || echo kept; umask\n");
    gid_t groups[] = {4, 27};
    assert_int_equal(setgroups(2, groups), 0);
    allow_www_data(&s);
    assert_int_equal(setgroups(0, NULL), 0);
    say_run_as(&s, "www-data");
    assert_int_equal(run(&s, text).exit, 0);
    assert_string_equal(text, "33\n33\n33\nwww-data www-data 700\n"
                              "CapPrm:\t0000000000000000\n"
                              "CapEff:\t0000000000000000\n"
                              "NoNewPrivs:\t1\nin\nkept\n0077\n");
    close_stage_of_root(&s);
}

static void a_command_opens_its_output_by_name(void **state)
{
    struct stage s;
    char text[2000];

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    open_stage(&s,
               "#!/bin/sh\necho one > /dev/stdout; echo two > /dev/stderr\n");
    allow_www_data(&s);
    say_run_as(&s, "www-data");
    (void)run(&s, text);
    assert_string_equal(text, "one\ntwo\n");
    close_stage_of_root(&s);
}

/* It knows secrets and reads what a stranger writes. */
static void a_masker_has_no_more_rights_than_the_other_half(void **state)
{
    struct stage s;
    struct account half;
    struct err err = {0};

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    assert_int_equal(account_find("nobody", &half, &err), 0);
    s.half = &half;
    allow_www_data(&s);
    say_run_as(&s, "www-data");
    add_secret(&s.chain, "hunter2", SECRET_PURPOSE);
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    while (!status_has(masker_of(&s), "Seccomp:\t2\n")) {
        (void)poll(NULL, 0, 1);
    }
    pid_t masker = masker_of(&s);
    _cleanup_free_ char *uids =
        must_printf("Uid:\t%1$u\t%1$u\t%1$u\t%1$u\n", half.uid);
    assert_true(status_has(masker, uids));
    assert_true(status_has(masker, "NoNewPrivs:\t1\n"));
    assert_true(status_has(masker, "CapPrm:\t0000000000000000\n"));
    _cleanup_free_ char *memory = must_printf("/proc/%d/mem", (int)masker);
    struct stat about;
    assert_int_equal(stat(memory, &about), 0);
    assert_int_equal(about.st_uid, 0); /* not even its own user's to read */
    account_done(&half);
    close_stage_of_root(&s);
}

static void nobody_runs_who_is_not_allowed_here(void **state)
{
    struct stage s;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    open_stage(&s, "#!/bin/sh\necho ran\n");
    allow_www_data(&s);
    say_run_as(&s, "root");
    sign_and_start(&s);
    expect_refusal(&s, "run_as = root is not allowed");
    close_stage_of_root(&s);
}

static void as_root_nobody_runs_where_nobody_is_named(void **state)
{
    struct stage s;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    open_stage(&s, "#!/bin/sh\necho ran\n");
    allow_www_data(&s);
    sign_and_start(&s);
    expect_refusal(&s, "says no run_as");
    close_stage_of_root(&s);
}

static void as_an_ordinary_user_it_is_nobody_else(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    say_run_as(&s, "www-data");
    sign_and_start(&s);
    expect_refusal(&s, "run_as = www-data is not allowed");
    close_stage(&s);
}

static void an_interpreter_that_is_not_allowed_runs_nothing(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/cat\nsecret\n");
    sign_and_start(&s);
    expect_refusal(&s, "'/bin/cat' is not allowed");
    close_stage(&s);
}

static void what_is_allowed_is_read_again_by_the_spawner_itself(void **state)
{
    struct stage s;
    struct link_message ask = link_message_of(LINK_RELOAD, &(struct id){0});
    struct err err = {0};

    (void)state;
    open_stage(&s, "#!/bin/sh\necho ran\n");
    assert_int_equal(link_send(s.link, &ask, &err), 0);
    assert_int_equal(expect(&s, LINK_RELOADED).length, strlen("what it read"));
    sign_and_start(&s);
    expect_refusal(&s, "the interpreter '/bin/sh' is not allowed on this host");
    close_stage(&s);
}

static void its_limits_are_the_kernel_s(void **state)
{
    struct stage s;
    char text[2000];

    (void)state;
    open_stage(&s, "#!/bin/sh -u\nulimit -c; ulimit -t; ulimit -v; ulimit -n\n"
                   "ulimit -f; ulimit -p; echo $- | grep -c u\n");
    s.chain.save.cpu = 7;
    s.chain.save.memory = 1 << 30;
    s.chain.save.open_files = 20;
    s.chain.save.file_size = 1 << 20;
    s.chain.save.processes = 5000;
    assert_int_equal(run(&s, text).exit, 0);
    assert_string_equal(text, "0\n7\n1048576\n20\n2048\n5000\n1\n");
    close_stage(&s);
}

static void the_signal_and_what_it_took_are_told(void **state)
{
    struct stage s;
    char text[2000];

    (void)state;
    open_stage(&s, "#!/bin/sh\nwhile :; do :; done\n");
    s.chain.save.cpu = 1;
    struct link_head head = run(&s, text);
    assert_int_equal(head.signal, SIGXCPU);
    assert_int_equal(head.exit, 128 + SIGXCPU);
    assert_int_equal(head.core, 1);
    /* The limit counts ticks, which on a busy machine are less than whole. */
    assert_true(head.usage.user + head.usage.sys >= 300);
    assert_true(head.usage.wall >= 900 && head.usage.memory > 0);
    close_stage(&s);
}

static void a_keeper_that_is_killed_takes_all_with_it(void **state)
{
    struct stage s;
    struct list keepers = {0};

    (void)state;
    open_stage(&s,
               "#!/bin/sh\n(env -i setsid sh -c 'trap \"\" TERM; sleep 60' &)"
               "\necho begun; sleep 60\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    char begun[8];
    assert_int_equal(read(s.out, begun, 6), 6);
    kin_children(s.pid, &keepers);
    assert_int_equal(keepers.n, 1);
    assert_int_equal(kill(list_at(&keepers, pid_t, 0), SIGKILL), 0);
    assert_int_equal(expect(&s, LINK_EXITED).lost, 1);
    assert_int_equal(read(s.out, begun, 1), 0); /* nobody holds its output */
    free(keepers.items);
    close_stage(&s);
}

static bool tells_within(const struct stage *s, int ms)
{
    struct pollfd told = {.fd = s->link, .events = POLLIN};

    return poll(&told, 1, ms) == 1;
}

/* As an ordinary user's child can stop it. */
static void a_keeper_that_is_stopped_goes_on(void **state)
{
    struct stage s;
    struct list keepers = {0};

    (void)state;
    open_stage(&s, "#!/bin/sh\nkill -STOP $PPID; exec sleep 60\n");
    s.chain.save.timeout = 1;
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    bool told = tells_within(&s, 10000);
    kin_children(s.pid, &keepers);
    for (size_t i = 0; i < keepers.n; i++) {
        (void)kill(list_at(&keepers, pid_t, i), SIGCONT);
    }
    free(keepers.items);
    assert_int_equal(expect(&s, LINK_EXITED).timed_out, 1);
    assert_true(told);
    close_stage(&s);
}

/* Its first thread has ended, so that it looks like a zombie; another goes on.
 */
static void what_is_left_is_found_by_any_of_its_threads(void **state)
{
    struct id execution = id_random();
    char id[ID_TEXT];
    int status = 0;

    (void)state;
    id_format(&execution, id);
    _cleanup_free_ char *variable = must_printf("ERRAND_EXECUTION_ID=%s", id);
    _cleanup_free_ char *script =
        must_printf("import ctypes, threading, time\n"
                    "threading.Thread(target=time.sleep, args=[60]).start()\n"
                    "ctypes.CDLL(None).syscall(%d, 0)\n",
                    SYS_exit);
    pid_t pid = fork();
    if (pid == 0) {
        char *environment[] = {variable, NULL};
        (void)execle("/usr/bin/python3", "python3", "-c", script, NULL,
                     environment);
        _exit(1);
    }
    for (int i = 0; i < 1000 && !status_has(pid, "State:\tZ"); i++) {
        (void)usleep(10000);
    }
    size_t found = leftovers_sweep(NULL, &execution);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(found, 1);
}

/* Possession, not the user, opens what an administrator's session holds. */
static void no_key_of_who_started_it_is_within_reach(void **state)
{
    struct stage s;
    char text[2000];

    (void)state;
    if (geteuid() != 0 || keyctl_join_session_keyring(NULL) < 0 ||
        add_key("user", "errand-test", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0) {
        skip();
    }
    open_stage(&s, "#!/bin/sh\ngrep -c errand-test /proc/keys\n");
    allow_www_data(&s);
    say_run_as(&s, "www-data");
    (void)run(&s, text);
    (void)keyctl_clear(KEY_SPEC_SESSION_KEYRING);
    assert_string_equal(text, "0\n");
    close_stage_of_root(&s);
}

/* The revocation log */

static void hand_over(struct stage *s, const struct event *entry)
{
    struct list proof = {0};
    struct link_message message = {
        .head = {.kind = LINK_ENTRY}, .out = -1, .err = -1};
    struct err err = {0};

    envelopes_add(&proof, chain_find(&s->chain.envelopes, EVENT_ROOT_INIT));
    assert_int_equal(
        revocation_encode(&entry->envelope, &proof, &message.body, &err), 0);
    message.head.length = (uint32_t)message.body.len;
    assert_int_equal(link_send(s->link, &message, &err), 0);
    link_message_done(&message);
    envelopes_done(&proof);
}

/* Suspends somebody by an entry that this key signs; the log's new head. */
static struct hash suspend(struct stage *s, const struct id *user,
                           const struct key_pair *signer)
{
    _cleanup_standing_ struct standing *log = standing_new(&s->chain.init_hash);
    struct user_standing said = {.user = *user};
    struct key_pair *admin = s->chain.admin;

    s->chain.admin = (struct key_pair *)signer;
    _cleanup_event_ struct event *entry =
        chain_entry(&s->chain, log, EVENT_USER_SUSPEND, &said);
    s->chain.admin = admin;
    hand_over(s, entry);
    return entry->hash;
}

static struct hash suspend_runner(struct stage *s,
                                  const struct key_pair *signer)
{
    return suspend(s, &s->chain.invite.user, signer);
}

/* No file of the spawner grows beyond that, as on a full disk. */
static void fill_disk(const struct stage *s, rlim_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

    assert_int_equal(prlimit(s->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void while_the_log_can_t_be_kept_nothing_is_started(void **state)
{
    struct stage s;
    struct id other = id_random();

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    open_stage(&s, "#!/bin/sh\nsleep 60\n");
    sign_and_start(&s);
    (void)expect(&s, LINK_STARTED);
    int lives = s.out;
    s.out = -1;
    struct id first = s.chain.dispatch.execution;
    fill_disk(&s, 10);
    (void)suspend(&s, &other, s.chain.admin);
    for (int i = 0; i < 2; i++) {
        sign_version(&s, 1, s.chain.now, s.chain.now);
        expect_refusal(&s, "the revocation log can't be kept");
    }
    assert_false(tells_within(&s, 100)); /* what runs goes on */
    fill_disk(&s, RLIM_INFINITY);
    sign_version(&s, 1, s.chain.now, s.chain.now);
    (void)expect(&s, LINK_STARTED);
    send_end(&s, &first);
    assert_int_equal(expect(&s, LINK_EXITED).ended, 1);
    cleanup_close(&lives);
    _cleanup_buf_ struct buf kept = {0};
    struct err err = {0};
    assert_int_equal(file_read(s.log, 1 << 20, &kept, &err), 0);
    assert_memory_equal(kept.data, "{\"entry\"", 8);
    close_stage(&s);
}

static void
who_is_suspended_starts_nothing_not_even_after_a_restart(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nexit 0\n");
    chain_sign(&s.chain);
    chain_dispatch(&s.chain);
    (void)suspend_runner(&s, s.chain.admin);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "suspended");
    end_spawner(&s);
    start_spawner(&s);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "suspended");
    close_stage(&s);
}

static void an_entry_that_no_administrator_signed_takes_nothing(void **state)
{
    struct stage s;
    _cleanup_key_pair_ struct key_pair *stranger = key_pair_new();

    (void)state;
    open_stage(&s, "#!/bin/sh\nexit 0\n");
    chain_sign(&s.chain);
    chain_dispatch(&s.chain);
    (void)suspend_runner(&s, stranger);
    (void)suspend_runner(&s, s.chain.runner);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    (void)expect(&s, LINK_STARTED);
    (void)expect(&s, LINK_EXITED);
    close_stage(&s);
}

static void a_host_that_was_revoked_starts_nothing(void **state)
{
    struct stage s;
    struct service_revoke said = {0};

    (void)state;
    open_stage(&s, "#!/bin/sh\nexit 0\n");
    chain_sign(&s.chain);
    chain_dispatch(&s.chain);
    _cleanup_standing_ struct standing *log = standing_new(&s.chain.init_hash);
    said.service = s.by;
    _cleanup_event_ struct event *entry =
        chain_entry(&s.chain, log, EVENT_SERVICE_REVOKE, &said);
    hand_over(&s, entry);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "this host: the enrolment of web-1-a was revoked");
    close_stage(&s);
}

static void what_was_decided_under_another_log_is_refused(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s, "#!/bin/sh\nexit 0\n");
    chain_sign(&s.chain);
    s.chain.dispatch.seq = 1;
    chain_dispatch(&s.chain);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "only 0 are known");
    cleanup_close(&s.out);
    (void)suspend_runner(&s, s.chain.admin);
    ask_to_start(&s, &s.chain.signed_dispatch, &s.chain.dispatch.execution);
    expect_refusal(&s, "forks");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_dispatch_is_started_and_told),
        cmocka_unit_test(
            a_secret_reaches_the_child_and_is_hidden_in_its_output),
        cmocka_unit_test(what_was_sealed_for_something_else_starts_nothing),
        cmocka_unit_test(a_masker_ends_with_its_child_whoever_holds_its_pipe),
        cmocka_unit_test(a_masker_that_is_killed_is_told_of),
        cmocka_unit_test(a_masker_that_was_stopped_loses_nothing),
        cmocka_unit_test(who_reads_slowly_slows_the_child_and_loses_nothing),
        cmocka_unit_test(
            a_forged_dispatch_is_refused_whatever_the_other_half_says),
        cmocka_unit_test(a_dispatch_is_started_for_its_own_execution_only),
        cmocka_unit_test(a_refusal_costs_the_next_child_nothing),
        cmocka_unit_test(what_runs_already_is_not_started_beside_itself),
        cmocka_unit_test(
            what_ran_is_not_started_again_not_even_after_a_restart),
        cmocka_unit_test(an_older_version_is_refused_not_only_until_a_restart),
        cmocka_unit_test(no_more_run_at_once_than_the_host_has_slots),
        cmocka_unit_test(what_was_claimed_by_more_slots_still_starts),
        cmocka_unit_test(with_a_clock_behind_what_it_started_it_ends),
        cmocka_unit_test(what_was_claimed_long_ago_is_not_started),
        cmocka_unit_test(an_end_is_told_once_the_whole_tree_is_gone),
        cmocka_unit_test(a_timeout_ends_what_ignores_being_asked),
        cmocka_unit_test(when_the_other_half_dies_everything_is_ended),
        cmocka_unit_test(a_command_runs_as_whom_it_says_with_nothing_of_root_s),
        cmocka_unit_test(a_command_opens_its_output_by_name),
        cmocka_unit_test(a_masker_has_no_more_rights_than_the_other_half),
        cmocka_unit_test(nobody_runs_who_is_not_allowed_here),
        cmocka_unit_test(as_root_nobody_runs_where_nobody_is_named),
        cmocka_unit_test(as_an_ordinary_user_it_is_nobody_else),
        cmocka_unit_test(an_interpreter_that_is_not_allowed_runs_nothing),
        cmocka_unit_test(what_is_allowed_is_read_again_by_the_spawner_itself),
        cmocka_unit_test(its_limits_are_the_kernel_s),
        cmocka_unit_test(the_signal_and_what_it_took_are_told),
        cmocka_unit_test(a_keeper_that_is_killed_takes_all_with_it),
        cmocka_unit_test(a_keeper_that_is_stopped_goes_on),
        cmocka_unit_test(what_is_left_is_found_by_any_of_its_threads),
        cmocka_unit_test(no_key_of_who_started_it_is_within_reach),
        cmocka_unit_test(while_the_log_can_t_be_kept_nothing_is_started),
        cmocka_unit_test(
            who_is_suspended_starts_nothing_not_even_after_a_restart),
        cmocka_unit_test(an_entry_that_no_administrator_signed_takes_nothing),
        cmocka_unit_test(a_host_that_was_revoked_starts_nothing),
        cmocka_unit_test(what_was_decided_under_another_log_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
