/* signed_ends.c: see signed_ends.h. */
#include "producer/submit/signed_ends.h"

#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "io/kafka.h"
#include "trust/event.h"

#define TOPIC "errand.events"
#define BROKER_MS 10000 /* for an answer of the broker */
#define SILENT_MS 30000 /* without a record that is to come */
#define POLL_MS 100

struct signed_ends {
    struct proof *proof;
    struct kafka_reader *reader;
    int64_t partitions;
    int64_t *next; /* of each partition: the offset to come */
    int64_t *high; /* … and where its end was */
    int64_t doubtful;
    bool all; /* each partition began at its very first record */
};

static int out_of_reach(struct err *err)
{
    err->status = err->kind == ERR_RETRY ? EX_UNAVAILABLE : EX_CONFIG;
    return err_wrap(err, TOPIC);
}

static int open_all(struct signed_ends *ends, struct err *err)
{
    if (kafka_partitions(ends->reader, TOPIC, BROKER_MS, &ends->partitions,
                         err) != 0) {
        return out_of_reach(err);
    }
    ends->all = true;
    ends->next = must_calloc((size_t)ends->partitions, sizeof(*ends->next));
    ends->high = must_calloc((size_t)ends->partitions, sizeof(*ends->high));
    for (int64_t p = 0; p < ends->partitions; p++) {
        if (kafka_bounds(ends->reader, TOPIC, p, BROKER_MS, &ends->next[p],
                         &ends->high[p], err) != 0 ||
            kafka_reader_add(ends->reader, TOPIC, p, ends->next[p], err) != 0) {
            return out_of_reach(err);
        }
        ends->all &= ends->next[p] == 0;
    }
    return 0;
}

struct signed_ends *signed_ends_open(const struct list *kafka,
                                     struct proof *proof, struct err *err)
{
    struct signed_ends *ends = must_calloc(1, sizeof(*ends));

    ends->proof = proof;
    ends->reader = kafka_reader_new(kafka, err);
    if (ends->reader == NULL || open_all(ends, err) != 0) {
        signed_ends_close(ends);
        return NULL;
    }
    return ends;
}

void signed_ends_close(struct signed_ends *ends)
{
    if (ends != NULL) {
        kafka_reader_free(ends->reader);
        free(ends->next);
        free(ends->high);
        free(ends);
    }
}

bool signed_ends_are_all(const struct signed_ends *ends)
{
    return ends->all;
}

int64_t signed_ends_doubtful(const struct signed_ends *ends)
{
    return ends->doubtful;
}

/* Signed by an authorizer whose enrolment was in force then. */
static bool is_believed(struct proof *proof, const struct event *event)
{
    const struct audit_checkpoint *said = event->payload;
    const struct service_enrol *enrol = NULL;
    struct err ignored = {0};

    return proof_service(proof, &said->head.by, SERVICE_AUTHORIZER, NULL,
                         said->head.issued, &enrol, &ignored) == 0 &&
           hash_equal(&enrol->request.head.root, &said->head.root) &&
           envelope_signed_by(&event->envelope, 0, &enrol->key);
}

static int take(struct signed_ends *ends, const struct record *record,
                on_signed_end *on, void *arg, struct err *err)
{
    const char *type = record_header(record, "ce_type", 0);
    struct err bad = {0};

    if (type == NULL ||
        strcmp(type, event_types[EVENT_AUDIT_CHECKPOINT].type) != 0) {
        return 0;
    }
    _cleanup_event_ struct event *event = event_from_record(record, &bad);
    if (event == NULL || !is_believed(ends->proof, event)) {
        ends->doubtful++;
        return 0;
    }
    return on(arg, &((const struct audit_checkpoint *)event->payload)->at, err);
}

static bool all_read(const struct signed_ends *ends)
{
    for (int64_t p = 0; p < ends->partitions; p++) {
        if (ends->next[p] < ends->high[p]) {
            return false;
        }
    }
    return true;
}

static int find_ends(struct signed_ends *ends, struct err *err)
{
    int64_t low;

    for (int64_t p = 0; p < ends->partitions; p++) {
        if (kafka_bounds(ends->reader, TOPIC, p, BROKER_MS, &low,
                         &ends->high[p], err) != 0) {
            return out_of_reach(err);
        }
    }
    return 0;
}

int signed_ends_read(struct signed_ends *ends, on_signed_end *on, void *arg,
                     struct err *err)
{
    if (find_ends(ends, err) != 0) {
        return -1;
    }
    int64_t silent = clock_steady() + SILENT_MS;
    while (!all_read(ends)) {
        _cleanup_record_ struct record record = {0};
        int got = kafka_reader_poll(ends->reader, POLL_MS, &record, err);
        if (got < 0) {
            return out_of_reach(err);
        }
        if (got == 0 && clock_steady() > silent) {
            return err_exit(err, EX_UNAVAILABLE,
                            TOPIC ": nothing came for %d s", SILENT_MS / 1000);
        }
        if (got > 0) {
            silent = clock_steady() + SILENT_MS;
            ends->next[record.partition] = record.offset + 1;
            if (take(ends, &record, on, arg, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}
