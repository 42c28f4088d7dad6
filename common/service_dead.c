/*
 * service_dead.c: what can't be processed, on its way to errand.dead; see
 * service.h.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "service_private.h"

#define DEAD_VALUE_MAX 65536 /* bytes; and of all its headers */

static void copy_own_headers(const struct record *record, struct record *dead)
{
    size_t size = 0;

    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        size += strlen(header->name) + strlen(header->value);
        if (size <= DEAD_VALUE_MAX) {
            record_header_add(dead, header->name, header->value);
        }
    }
}

static int add_cut(struct buf *to, const struct buf *from)
{
    return buf_add(to, from->data,
                   from->len < DEAD_VALUE_MAX ? from->len : DEAD_VALUE_MAX);
}

static int dead_record(const struct record *record, const struct err *reason,
                       struct record *ret_dead, struct err *err)
{
    /* A stranger's bytes may be in it, and a person reads it. */
    _cleanup_free_ char *why = utf8_shown(reason->text);
    char number[24];

    *ret_dead = (struct record){.topic = must_strdup("errand.dead"),
                                .partition = PARTITION_BY_KEY};
    record_header_add(ret_dead, "errand-topic", record->topic);
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)record->partition);
    record_header_add(ret_dead, "errand-partition", number);
    (void)snprintf(number, sizeof(number), "%lld", (long long)record->offset);
    record_header_add(ret_dead, "errand-offset", number);
    record_header_add(ret_dead, "errand-reason", why);
    copy_own_headers(record, ret_dead);
    if (add_cut(&ret_dead->key, &record->key) != 0 ||
        add_cut(&ret_dead->value, &record->value) != 0) {
        record_done(ret_dead);
        return err_set(err, ERR_RETRY, "errand.dead: out of memory");
    }
    return 0;
}

char *record_place(const struct record *record)
{
    return must_printf("%s [%lld] at %lld", record->topic,
                       (long long)record->partition, (long long)record->offset);
}

int daemon_dead_send(struct daemon *daemon, const struct record *record,
                     const struct err *reason, uint64_t tag, struct err *err)
{
    _cleanup_free_ char *where = record_place(record);
    _cleanup_record_ struct record dead = {0};

    if (dead_record(record, reason, &dead, err) != 0 ||
        kafka_writer_send(daemon->writer, &dead, tag, err) != 0) {
        return err_wrap(err, "errand.dead");
    }
    log_warning(&daemon->log, "can't be processed: to errand.dead",
                L_TEXT("record", where), L_ERR(reason));
    return 0;
}
