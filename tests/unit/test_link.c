/* test_link.c: the messages between an executor's two halves. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumer/executor/link.h"

static int ends[2];

static int make_pair(void **state)
{
    struct err err = {0};

    (void)state;
    return link_pair(ends, &err);
}

static int close_pair(void **state)
{
    (void)state;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

static void a_start_brings_its_body_and_both_descriptors(void **state)
{
    struct link_message sent = {
        .head = {.kind = LINK_START, .execution = id_random()}};
    _cleanup_message_ struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};
    int out[2];
    int error[2];

    (void)state;
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(error), 0);
    sent.out = out[1];
    sent.err = error[1];
    assert_int_equal(buf_adds(&sent.body, "a dispatch"), 0);
    sent.head.length = (uint32_t)sent.body.len;
    assert_int_equal(link_send(ends[0], &sent, &err), 0);
    assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), 1);
    assert_string_equal(buf_text(&got.body), "a dispatch");
    assert_true(id_equal(&got.head.execution, &sent.head.execution));
    assert_true(fcntl(got.out, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(got.out, "o", 1), 1);
    assert_int_equal(write(got.err, "e", 1), 1);
    char byte = 0;
    assert_int_equal(read(out[0], &byte, 1), 1);
    assert_int_equal(byte, 'o');
    assert_int_equal(read(error[0], &byte, 1), 1);
    assert_int_equal(byte, 'e');
    (void)close(out[0]);
    (void)close(error[0]);
    link_message_done(&sent);
}

static void the_other_halfs_end_is_told_from_damage(void **state)
{
    struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};

    (void)state;
    assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
    assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), 0);
}

static void refuse_head(const struct link_head *head)
{
    struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};

    assert_int_equal(send(ends[0], head, sizeof(*head), 0), sizeof(*head));
    assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void a_start_without_descriptors_is_refused(void **state)
{
    (void)state;
    refuse_head(&(struct link_head){.kind = LINK_START});
}

static void an_unknown_kind_is_refused(void **state)
{
    (void)state;
    refuse_head(&(struct link_head){.kind = 77});
}

static void a_length_beyond_the_bound_is_refused(void **state)
{
    (void)state;
    refuse_head(
        &(struct link_head){.kind = LINK_ENTRY, .length = LINK_BODY_MAX + 1});
}

static void an_end_brings_nothing(void **state)
{
    (void)state;
    refuse_head(&(struct link_head){.kind = LINK_END, .length = 1});
}

static void what_the_reader_itself_would_send_is_refused(void **state)
{
    (void)state;
    refuse_head(&(struct link_head){.kind = LINK_EXITED});
}

/* The lowest descriptor that is free. */
static int lowest(void)
{
    int fd = dup(ends[0]);

    (void)close(fd);
    return fd;
}

static void a_single_descriptor_is_refused_and_closed(void **state)
{
    struct link_head head = {.kind = LINK_END};
    struct link_message got = {.out = -1, .err = -1};
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.space = {0}};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof(control.space)};
    struct err err = {0};

    (void)state;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(c), &ends[0], sizeof(int));
    assert_int_equal(sendmsg(ends[0], &msg, 0), sizeof(head));
    int before = lowest();
    assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), -1);
    assert_int_equal(lowest(), before);
}

/* Such as a terminal, whose other end could be anywhere. */
static void descriptors_that_are_no_output_are_refused(void **state)
{
    struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};
    int out[2];

    (void)state;
    assert_int_equal(pipe(out), 0);
    const int others[] = {out[0], ends[0], open("/dev/null", O_WRONLY)};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct link_message sent = {
            .head = {.kind = LINK_START}, .out = out[1], .err = others[i]};
        assert_int_equal(link_send(ends[0], &sent, &err), 0);
        assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), -1);
        assert_int_equal(got.out, -1);
    }
    (void)close(out[0]);
    (void)close(out[1]);
    (void)close(others[2]);
}

/* What comes over well, and is checked there, is test_spawner.c's. */
static void what_is_no_dispatch_is_not_handed_over(void **state)
{
    _cleanup_envelope_ struct envelope envelope = {.type = must_strdup("")};
    _cleanup_buf_ struct buf body = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(buf_adds(&envelope.payload, "{}"), 0);
    assert_int_equal(link_put_dispatch(&envelope, &body, &err), -1);
    (void)list_grow(&envelope.signatures, sizeof(struct signature));
    assert_int_equal(link_put_dispatch(&envelope, &body, &err), 0);
    assert_int_equal(body.len, sizeof(struct signature) + strlen("{}"));
    assert_null(link_take_dispatch(&body, &err)); /* its fields */
    body.len = sizeof(struct signature) - 1;
    assert_null(link_take_dispatch(&body, &err));
    assert_string_equal(err.text, "not a dispatch: no signature");
    (void)list_grow(&envelope.signatures, sizeof(struct signature));
    assert_int_equal(link_put_dispatch(&envelope, &body, &err), -1);
}

static void a_message_that_is_cut_is_refused(void **state)
{
    struct link_head head = {.kind = LINK_ENTRY, .length = 10};
    struct link_message got = {.out = -1, .err = -1};
    struct err err = {0};

    (void)state;
    assert_int_equal(send(ends[0], &head, sizeof(head), 0), sizeof(head));
    assert_int_equal(send(ends[0], "1234", 4, 0), 4);
    assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
    assert_int_equal(link_receive(ends[1], LINK_SPAWNER, &got, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_pair, close_pair)
        T(a_start_brings_its_body_and_both_descriptors),
        T(the_other_halfs_end_is_told_from_damage),
        T(a_start_without_descriptors_is_refused),
        T(an_unknown_kind_is_refused),
        T(a_length_beyond_the_bound_is_refused),
        T(an_end_brings_nothing),
        T(what_the_reader_itself_would_send_is_refused),
        T(a_single_descriptor_is_refused_and_closed),
        T(descriptors_that_are_no_output_are_refused),
        T(what_is_no_dispatch_is_not_handed_over),
        T(a_message_that_is_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
