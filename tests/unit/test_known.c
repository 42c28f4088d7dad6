/*
 * test_known.c: the file that keeps the revocation log: whole lines stay, and
 * what several processes write into it at once stays, too.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "chain.h"
#include "trust/known.h"

#define ENTRIES 3

struct stage {
    struct chain chain;
    struct standing *log;
    struct revocation entries[ENTRIES];
    char directory[32];
    char *path;
};

/* Somebody is suspended, back, and suspended again. */
static void make_entry(struct stage *s, size_t i)
{
    struct user_standing said = {.user = s->chain.invite.user};
    struct err err = {0};
    struct list proof = {0};
    struct event *event =
        chain_entry(&s->chain, s->log,
                    i % 2 == 0 ? EVENT_USER_SUSPEND : EVENT_USER_RESUME, &said);
    _cleanup_buf_ struct buf line = {0};

    *(struct envelope *)list_grow(&proof, sizeof(struct envelope)) =
        envelope_dup(chain_find(&s->chain.envelopes, EVENT_ROOT_INIT));
    assert_int_equal(standing_add(s->log, event, &err), 0);
    assert_int_equal(revocation_encode(&event->envelope, &proof, &line, &err),
                     0);
    assert_int_equal(
        revocation_decode(line.data, line.len, &s->entries[i], &err), 0);
    envelopes_done(&proof);
    event_free(event);
}

static int open_stage(void **state)
{
    struct stage *s = must_calloc(1, sizeof(*s));

    chain_init(&s->chain);
    chain_sign(&s->chain);
    s->log = standing_new(&s->chain.init_hash);
    for (size_t i = 0; i < ENTRIES; i++) {
        make_entry(s, i);
    }
    (void)snprintf(s->directory, sizeof(s->directory), "/tmp/known-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    s->path = must_printf("%s/revocations", s->directory);
    *state = s;
    return 0;
}

static int close_stage(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < ENTRIES; i++) {
        revocation_done(&s->entries[i]);
    }
    (void)unlink(s->path);
    (void)rmdir(s->directory);
    free(s->path);
    standing_free(s->log);
    chain_done(&s->chain);
    free(s);
    return 0;
}

static struct known *reopen(const struct stage *s)
{
    struct err err = {0};
    struct known *known =
        known_open(&s->chain.roots, &s->chain.init_hash, s->path, &err);

    if (known == NULL) {
        fail_msg("%s", err.text);
    }
    return known;
}

static void add(struct known *known, const struct revocation *entry)
{
    struct err err = {0};

    if (known_add(known, entry, &err) != 0 || known_write(known, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static int64_t seq_of(const struct stage *s)
{
    struct known *known = reopen(s);
    int64_t seq = standing_seq(known_standing(known));

    known_free(known);
    return seq;
}

static void what_was_added_is_there_again(void **state)
{
    struct stage *s = *state;
    struct known *known = reopen(s);

    for (size_t i = 0; i < ENTRIES; i++) {
        add(known, &s->entries[i]);
        assert_int_equal(seq_of(s), i + 1);
    }
    known_free(known);
}

static void two_that_add_the_same_are_one(void **state)
{
    struct stage *s = *state;
    struct known *one = reopen(s);
    struct known *other = reopen(s);

    for (size_t i = 0; i < ENTRIES; i++) {
        add(one, &s->entries[i]);
        add(other, &s->entries[i]);
    }
    known_free(one);
    known_free(other);
    assert_int_equal(seq_of(s), ENTRIES);
}

/* A line without its end, as a power cut leaves it. */
static void a_line_that_was_cut_off_is_taken_away(void **state)
{
    struct stage *s = *state;
    struct known *known = reopen(s);

    add(known, &s->entries[0]);
    known_free(known);
    int fd = open(s->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "{\"half", 6), 6);
    (void)close(fd);
    known = reopen(s);
    add(known, &s->entries[1]);
    known_free(known);
    assert_int_equal(seq_of(s), 2);
}

/* Nor is anything glued to it, where the disk did not let go of it. */
static void a_half_line_is_no_damage_to_the_next(void **state)
{
    struct stage *s = *state;
    struct known *known = reopen(s);

    add(known, &s->entries[0]);
    int fd = open(s->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "{\"half", 6), 6);
    (void)close(fd);
    add(known, &s->entries[1]);
    known_free(known);
    assert_int_equal(seq_of(s), 2);
}

/* Another process is in the middle of a line: this one must not take the half
 * for what a power cut left. The child says on the pipe that it has read. */
static void a_line_that_another_writes_now_is_waited_for(void **state)
{
    struct stage *s = *state;
    struct known *known = reopen(s);
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};
    int done[2];

    add(known, &s->entries[0]);
    known_free(known);
    assert_int_equal(file_read(s->path, 1 << 20, &text, &err), 0);
    int fd = open(s->path, O_RDWR | O_APPEND | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(ftruncate(fd, 10), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        char seq = (char)('0' + seq_of(s));
        _exit(write(done[1], &seq, 1) == 1 ? 0 : 1);
    }
    struct pollfd read_by = {.fd = done[0], .events = POLLIN};
    assert_int_equal(poll(&read_by, 1, 200), 0);
    assert_int_equal(write(fd, text.data + 10, text.len - 10),
                     (ssize_t)text.len - 10);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    char seq = '-';
    assert_int_equal(read(done[0], &seq, 1), 1);
    assert_int_equal(seq, '1');
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(fd);
    (void)close(done[0]);
    (void)close(done[1]);
    assert_int_equal(seq_of(s), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_added_is_there_again),
        T(two_that_add_the_same_are_one),
        T(a_line_that_was_cut_off_is_taken_away),
        T(a_half_line_is_no_damage_to_the_next),
        T(a_line_that_another_writes_now_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
