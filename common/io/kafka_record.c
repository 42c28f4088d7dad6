/*
 * kafka_record.c: records as librdkafka holds them, and as we do.
 */
#include <string.h>

#include "io/kafka_private.h"

#define RECORD_OVERHEAD 200 /* of a batch of one record */

static void copy_headers(const rd_kafka_message_t *message,
                         struct record *record)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(message, &headers) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
         RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        /* librdkafka puts a NUL behind every value. */
        if (value != NULL && strlen(value) == size) {
            record_header_add(record, name, value);
        }
    }
}

int record_read(const rd_kafka_message_t *message, struct record *record,
                struct err *err)
{
    rd_kafka_timestamp_type_t type;

    *record = (struct record){
        .topic = must_strdup(rd_kafka_topic_name(message->rkt)),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp = rd_kafka_message_timestamp(message, &type),
    };
    copy_headers(message, record);
    if (buf_add(&record->key, message->key, message->key_len) != 0 ||
        buf_add(&record->value, message->payload, message->len) != 0) {
        record_done(record);
        return err_set(err, ERR_FATAL,
                       "out of memory for a record of %zu "
                       "bytes",
                       message->len);
    }
    return 0;
}

rd_kafka_headers_t *record_headers(const struct record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->headers.n);

    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        (void)rd_kafka_header_add(headers, header->name, -1, header->value, -1);
    }
    return headers;
}

size_t record_size(const struct record *record)
{
    size_t size = RECORD_OVERHEAD + record->key.len + record->value.len;

    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        size += strlen(header->name) + strlen(header->value) + 10;
    }
    return size;
}

int record_copy(const struct record *record, struct record *ret_copy,
                struct err *err)
{
    *ret_copy = (struct record){.topic = must_strdup(record->topic),
                                .partition = record->partition};
    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        record_header_add(ret_copy, header->name, header->value);
    }
    if (buf_add(&ret_copy->key, record->key.data, record->key.len) != 0 ||
        buf_add(&ret_copy->value, record->value.data, record->value.len) != 0) {
        record_done(ret_copy);
        return err_set(err, ERR_RETRY, "out of memory for a record");
    }
    return 0;
}
