/*
 * rpc.c: connecting, sending, waiting; see rpc.h. What comes back is opened and
 * believed in rpc_reply.c.
 *
 * A cold process pays for two connections and, one after the other: metadata
 * and end of errand.replies, metadata of errand.requests, the produce, the
 * fetch. Nothing here waits for a timer: each wait ends with what it waits for.
 */
#include "rpc_private.h"

#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"

#define REQUESTS "errand.requests"
#define REPLIES "errand.replies"
#define SLICE_MS \
    100 /* how long one poll may take where two are to be looked at */

struct rpc *rpc_new(const struct list *kafka, const struct roots *roots,
                    struct err *err)
{
    if (pairs_get(kafka, "bootstrap.servers") == NULL) {
        (void)err_exit(err, EX_CONFIG,
                       "no broker is known: set bootstrap.servers in [kafka] "
                       "of the profile's config, or ERRAND_BROKERS");
        return NULL;
    }
    struct rpc *rpc = must_calloc(1, sizeof(*rpc));
    pairs_add_all(&rpc->kafka, kafka);
    for (size_t i = 0; i < roots->keys.n; i++) {
        struct key32 *key = list_grow(&rpc->roots.keys, sizeof(*key));
        *key = list_at(&roots->keys, struct key32, i);
    }
    rpc->box = key_pair_new();
    rpc->partition = -1;
    rpc->wait = RPC_WAIT;
    return rpc;
}

void rpc_free(struct rpc *rpc)
{
    if (rpc == NULL) {
        return;
    }
    for (size_t i = 0; i < rpc->speakers.n; i++) {
        free(list_at(&rpc->speakers, struct speaker, i).target);
    }
    for (size_t i = 0; i < rpc->results.n; i++) {
        event_free(list_at(&rpc->results, struct event *, i));
    }
    free(rpc->speakers.items);
    free(rpc->checkpoints.list.items);
    free(rpc->results.items);
    call_done(&rpc->call);
    call_done(&rpc->run);
    kafka_writer_free(rpc->writer);
    kafka_reader_free(rpc->reader);
    key_pair_free(rpc->box);
    roots_done(&rpc->roots);
    pairs_done(&rpc->kafka);
    free(rpc);
}

/* Connecting */

static const char *brokers(const struct rpc *rpc)
{
    return pairs_get(&rpc->kafka, "bootstrap.servers");
}

static void say_late(struct rpc *rpc, const char *what)
{
    if (rpc->late != NULL) {
        rpc->late(rpc->arg, what);
    }
}

/* A broker's answer, waited for in two stages; 69 where there is none, 78 where
 * it has no such topic. */
static int ask_partitions(struct rpc *rpc, int64_t *ret_n, struct err *err)
{
    static const int waits[] = {RPC_LATE, RPC_BROKER - RPC_LATE};

    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        if (kafka_partitions(rpc->reader, REPLIES, waits[i], ret_n, err) == 0) {
            return 0;
        }
        if (err->kind != ERR_RETRY) {
            err->status = EX_CONFIG;
            return -1;
        }
        if (i == 0) {
            _cleanup_free_ char *what =
                must_printf("the broker at %s", brokers(rpc));
            say_late(rpc, what);
        }
    }
    static const char topic[] = "topic " REPLIES ": "; /* no matter which */
    char text[sizeof(err->text)];
    memcpy(text, err->text, sizeof(text));
    const char *why = text;
    if (strncmp(why, topic, strlen(topic)) == 0) {
        why += strlen(topic);
    }
    return err_exit(err, EX_UNAVAILABLE,
                    "no broker can be reached at %s: %.300s; nothing was sent",
                    brokers(rpc), why);
}

/* A place of our own in errand.replies, as a number, before anything is sent.
 */
static int fix_place(struct rpc *rpc, struct err *err)
{
    int64_t partitions;
    int64_t low;
    int64_t high;

    if (ask_partitions(rpc, &partitions, err) != 0) {
        return -1;
    }
    int64_t partition = randombytes_uniform((uint32_t)partitions);
    if (kafka_bounds(rpc->reader, REPLIES, partition, RPC_BROKER, &low, &high,
                     err) != 0 ||
        kafka_reader_add(rpc->reader, REPLIES, partition, high, err) != 0) {
        err->status = err->kind == ERR_RETRY ? EX_UNAVAILABLE : EX_CONFIG;
        return -1;
    }
    rpc->partition = partition;
    return 0;
}

static void on_delivered(void *arg, uint64_t tag, const struct err *err)
{
    struct rpc *rpc = arg;

    (void)tag;
    if (err == NULL) {
        rpc->delivered = true;
    } else {
        rpc->undelivered = *err;
    }
}

static int connect_now(struct rpc *rpc, struct err *err)
{
    if (rpc->partition >= 0) {
        return 0;
    }
    if (rpc->reader == NULL) {
        rpc->reader = kafka_reader_new(&rpc->kafka, err);
    }
    if (rpc->reader != NULL && rpc->writer == NULL) {
        rpc->writer = kafka_writer_new(&rpc->kafka, on_delivered, rpc, err);
    }
    if (rpc->writer == NULL || fix_place(rpc, err) != 0) {
        return -1;
    }
    if (kafka_writer_know(rpc->writer, REQUESTS, RPC_BROKER, err) != 0) {
        err->status = err->kind == ERR_RETRY ? EX_UNAVAILABLE : EX_CONFIG;
        rpc->partition = -1;
        return -1;
    }
    return 0;
}

/* Asking */

static void complete(const struct rpc *rpc, struct request *request)
{
    struct head *head = &request->head;

    if (id_is_zero(&head->id)) {
        head->issued = clock_now();
        head->id = id_new(head->issued);
    }
    request->expires = head->issued + REQUEST_LIFE;
    request->reply.partition = rpc->partition;
    request->reply.box = rpc->box->box;
}

/* The list of kinds has the reads beside each other. */
static bool is_read(enum event_kind kind)
{
    return kind == EVENT_INVITATION_SHOW ||
           (kind >= EVENT_SESSION_SHOW && kind <= EVENT_RUN_HISTORY);
}

static void begin_call(struct rpc *rpc, const struct rpc_call *asked,
                       const struct envelope *envelope)
{
    const struct head *head = asked->payload;
    struct call *call = &rpc->call;

    call_done(call);
    call->id = head->id;
    id_format(&head->id, call->key);
    call->root = head->root;
    call->reads = is_read(asked->kind);
    call->hash = envelope_hash(envelope);
    rpc->delivered = false;
    rpc->undelivered = (struct err){0};
    const struct run_start *run = asked->payload;
    if (asked->kind != EVENT_RUN_START || !run->follow) {
        return;
    }
    call_done(&rpc->run);
    rpc->run =
        (struct call){.id = call->id, .hash = call->hash, .root = call->root};
    id_format(&call->id, rpc->run.key);
    for (size_t i = 0; i < run->targets.n; i++) {
        texts_add(&rpc->run.targets, list_at(&run->targets, char *, i));
    }
}

static int make_record(struct rpc *rpc, const struct rpc_call *asked,
                       struct record *ret_record, struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};

    complete(rpc, asked->payload);
    if (event_sign(asked->kind, asked->payload, asked->first, asked->second,
                   &envelope, err) != 0) {
        err->status = EX_DATAERR;
        return err_wrap(err, "%s", event_types[asked->kind].verb);
    }
    if (asked->before != NULL &&
        asked->before(asked->arg, &envelope, err) != 0) {
        return -1;
    }
    begin_call(rpc, asked, &envelope);
    return event_to_record(&envelope, "submit", REQUESTS, PARTITION_BY_KEY,
                           NULL, ret_record, err);
}

static int send_once(struct rpc *rpc, const struct record *record,
                     struct err *err)
{
    if (kafka_writer_send(rpc->writer, record, 0, err) != 0) {
        err->status = err->kind == ERR_REJECT ? EX_DATAERR : EX_UNAVAILABLE;
        return -1;
    }
    return 0;
}

/* One look at what came. */
static int look(struct rpc *rpc, int timeout_ms, struct err *err)
{
    _cleanup_record_ struct record record = {0};
    int got = kafka_reader_poll(rpc->reader, timeout_ms, &record, err);

    if (got > 0) {
        rpc_take_record(rpc, &record);
    }
    if (got < 0 || kafka_writer_poll(rpc->writer, 0, err) != 0) {
        err->status = EX_UNAVAILABLE;
        return -1;
    }
    if (rpc->undelivered.kind != ERR_NONE) {
        *err = rpc->undelivered;
        err->status = err->kind == ERR_REJECT ? EX_DATAERR : EX_UNAVAILABLE;
        return err_wrap(err, "the request was not sent");
    }
    return got;
}

static void tell_late(struct rpc *rpc)
{
    const char *trouble = rpc->delivered ? kafka_reader_trouble(rpc->reader)
                                         : kafka_writer_trouble(rpc->writer);
    _cleanup_free_ char *what = must_printf(
        "%s%s%s%s",
        rpc->delivered ? "the authorizer's answer (the request was sent)"
                       : "the broker to take the request",
        trouble == NULL ? "" : " (", trouble == NULL ? "" : trouble,
        trouble == NULL ? "" : ")");

    say_late(rpc, what);
}

static int no_answer(const struct rpc *rpc, struct err *err)
{
    if (!rpc->delivered) {
        return err_exit(err, EX_UNAVAILABLE,
                        "the broker at %s did not take the request within "
                        "%lld s; if it still does, it may be carried out: look "
                        "before asking again",
                        brokers(rpc), (long long)rpc->wait / 1000);
    }
    if (rpc->call.reads) {
        return err_exit(err, EX_TEMPFAIL,
                        "no answer within %lld s: the authorizer is away, or "
                        "doesn't know this profile; ask again later",
                        (long long)rpc->wait / 1000);
    }
    return err_exit(err, EX_TEMPFAIL,
                    "no answer within %lld s, request %s: it was sent and may "
                    "yet be carried out (the authorizer is away, or doesn't "
                    "know this profile); look before asking again",
                    (long long)rpc->wait / 1000, rpc->call.key);
}

/* Waits for the whole answer; the same bytes once more where it is late: an
 * authorizer answers them the same and does nothing twice. */
static int wait_answer(struct rpc *rpc, const struct record *record,
                       struct err *err)
{
    int64_t start = clock_steady();
    bool late = false;
    bool again = false;

    while (!rpc->call.whole) {
        int64_t waited = clock_steady() - start;
        if (waited >= rpc->wait) {
            return no_answer(rpc, err);
        }
        if (waited >= RPC_LATE && !late) {
            late = true;
            tell_late(rpc);
        }
        if (waited >= RPC_AGAIN && !again) {
            again = true;
            if (rpc->delivered && send_once(rpc, record, err) != 0) {
                return -1;
            }
        }
        if (look(rpc, SLICE_MS, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What a status means for a person's tool; 0: it went well. */
static const struct {
    int status;
    const char *text;
} meanings[] = {
    [REPLY_NONE] = {EX_SOFTWARE, "an answer without a status"},
    [REPLY_ACCEPTED] = {0, NULL},
    [REPLY_OK] = {0, NULL},
    [REPLY_RESULT] = {EX_SOFTWARE, "a result where an answer belongs"},
    [REPLY_INVALID] = {EX_DATAERR, "the request is not good"},
    [REPLY_NOT_FOUND] = {67, NOT_FOUND_TEXT},
    [REPLY_DENIED] = {EX_NOPERM, "not allowed"},
    [REPLY_STALE] = {EX_DATAERR, "the request came too late: ask again"},
    [REPLY_CONFLICT] = {EX_DATAERR, "something came between: look again"},
    [REPLY_BEHIND] = {EX_TEMPFAIL, "something else was changed meanwhile: "
                                   "ask again"},
    [REPLY_ID_IN_USE] = {EX_DATAERR, "this request's id was used before: ask "
                                     "again"},
    [REPLY_CODE] = {EX_NOPERM, "a code of the second factor is needed"},
    [REPLY_SET_UP] = {EX_NOPERM, "a second factor must be set up first"},
};

static int read_answer(struct rpc *rpc, const struct table *answer,
                       void *ret_answer, struct err *err)
{
    const struct call *call = &rpc->call;
    size_t i = (size_t)call->status < ARRAY_SIZE(meanings)
                   ? (size_t)call->status
                   : (size_t)REPLY_NONE;

    if (meanings[i].status != 0) {
        return err_exit(err, meanings[i].status, "%s",
                        call->text == NULL ? meanings[i].text : call->text);
    }
    if (answer == NULL || ret_answer == NULL) {
        return 0;
    }
    if (table_decode(answer, call->body.data, call->body.len, ret_answer,
                     err) != 0) {
        err->status = EX_SOFTWARE;
        return err_wrap(err, "the answer can't be read");
    }
    return 0;
}

int rpc_ask(struct rpc *rpc, const struct rpc_call *call,
            const struct table *answer, void *ret_answer, struct err *err)
{
    _cleanup_record_ struct record record = {0};

    if (connect_now(rpc, err) != 0 ||
        make_record(rpc, call, &record, err) != 0) {
        return -1;
    }
    if (send_once(rpc, &record, err) != 0 ||
        wait_answer(rpc, &record, err) != 0 ||
        read_answer(rpc, answer, ret_answer, err) != 0) {
        return -1;
    }
    if (call->ret_hash != NULL) {
        *call->ret_hash = rpc->call.hash;
    }
    return 0;
}

/* Following */

static bool take_next(struct rpc *rpc, struct event **ret_event)
{
    if (rpc->results.n == 0) {
        return false;
    }
    struct event **items = rpc->results.items;
    *ret_event = items[0];
    rpc->results.n--;
    memmove(items, items + 1, rpc->results.n * sizeof(*items));
    return true;
}

/* Waits for a record or the wake-up. 1: it was the wake-up. */
static int wait_either(struct rpc *rpc, int timeout_ms, int wake_fd)
{
    struct pollfd fds[] = {
        {.fd = kafka_reader_fd(rpc->reader), .events = POLLIN},
        {.fd = wake_fd, .events = POLLIN},
    };

    return poll(fds, ARRAY_SIZE(fds), timeout_ms) > 0 &&
           (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

int rpc_next(struct rpc *rpc, int timeout_ms, int wake_fd,
             struct event **ret_event, struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;

    while (!take_next(rpc, ret_event)) {
        int got = look(rpc, 0, err);
        if (got != 0) {
            if (got < 0) {
                return -1;
            }
            continue;
        }
        int64_t left = end - clock_steady();
        if (left <= 0 ||
            wait_either(rpc, (int)(left < 1000 ? left : 1000), wake_fd)) {
            return 1;
        }
    }
    return 0;
}
