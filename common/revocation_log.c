/* revocation_log.c: see revocation_log.h. */
#include "revocation_log.h"

#define TOPIC "errand.revocations"
#define BOUNDS_WAIT 1000 /* ms */
#define WAITING_MAX 64   /* entries that came too early */

struct revocation_log {
    struct revocation_watch watch;
    struct kafka_reader *reader;
    struct list waiting; /* struct revocation */
    int64_t high;        /* when it began */
    int64_t next;
    bool begun;
};

struct revocation_log *revocation_log_new(const struct list *kafka,
                                          const struct revocation_watch *watch,
                                          struct err *err)
{
    struct revocation_log *log = must_calloc(1, sizeof(*log));

    log->watch = *watch;
    log->reader = kafka_reader_new(kafka, err);
    if (log->reader == NULL) {
        revocation_log_free(log);
        return NULL;
    }
    return log;
}

void revocation_log_free(struct revocation_log *log)
{
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < log->waiting.n; i++) {
        revocation_done(&list_at(&log->waiting, struct revocation, i));
    }
    free(log->waiting.items);
    kafka_reader_free(log->reader);
    free(log);
}

int revocation_log_begin(struct revocation_log *log, struct err *err)
{
    int64_t low = 0;

    if (kafka_bounds(log->reader, TOPIC, 0, BOUNDS_WAIT, &low, &log->high,
                     err) != 0 ||
        kafka_reader_add(log->reader, TOPIC, 0, low, err) != 0) {
        return -1;
    }
    log->next = low;
    log->begun = true;
    return 0;
}

/* 0: dealt with; 1: too early; -1: REJECT with the reason, or worse. */
static int admit(struct revocation_log *log, const struct revocation *entry,
                 struct err *err)
{
    const struct revocation_watch *watch = &log->watch;
    int known = revocation_admit(watch->standing, watch->roots, entry, err);

    if (known > 0) {
        return 0;
    }
    if (known == 0) {
        return watch->seen(watch->arg, entry, err);
    }
    if (err->kind == ERR_RETRY) {
        err_clear(err);
        return 1;
    }
    return -1;
}

/* Those whose time has come; the rest waits on. */
static int admit_waiting(struct revocation_log *log, struct err *err)
{
    for (size_t i = 0; i < log->waiting.n;) {
        struct revocation *entry =
            &list_at(&log->waiting, struct revocation, i);
        int early = admit(log, entry, err);
        if (early < 0 && err->kind != ERR_REJECT) {
            return -1;
        }
        if (early > 0) {
            i++;
            continue;
        }
        err_clear(err);
        revocation_done(entry);
        *entry = list_at(&log->waiting, struct revocation, --log->waiting.n);
        i = 0;
    }
    return 0;
}

static int take(struct revocation_log *log, const struct record *record,
                struct err *err)
{
    _cleanup_revocation_ struct revocation entry = {0};

    if (revocation_from_record(record, &entry, err) != 0) {
        return -1;
    }
    int early = admit(log, &entry, err);
    if (early > 0 && log->waiting.n < WAITING_MAX) {
        *(struct revocation *)list_grow(&log->waiting, sizeof(entry)) = entry;
        entry = (struct revocation){0};
        return 0;
    }
    if (early > 0) {
        return err_set(err, ERR_REJECT, "too many entries before it miss");
    }
    return early < 0 ? -1 : admit_waiting(log, err);
}

int revocation_log_read(struct revocation_log *log, struct err *err)
{
    for (;;) {
        _cleanup_record_ struct record record = {0};
        struct err why = {0};
        int got = kafka_reader_poll(log->reader, 0, &record, err);
        if (got <= 0) {
            return got;
        }
        if (take(log, &record, &why) != 0) {
            if (why.kind != ERR_REJECT) {
                *err = why;
                return -1;
            }
            if (log->watch.refused(log->watch.arg, &record, &why, err) != 0) {
                return -1;
            }
        }
        log->next = record.offset + 1;
    }
}

bool revocation_log_current(const struct revocation_log *log)
{
    return log->begun && (log->next >= log->high ||
                          kafka_reader_at_end(log->reader, TOPIC, 0));
}

int revocation_log_fd(struct revocation_log *log)
{
    return kafka_reader_fd(log->reader);
}

struct kafka_reader *revocation_log_reader(struct revocation_log *log)
{
    return log->reader;
}
