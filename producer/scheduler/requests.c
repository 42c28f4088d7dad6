/* requests.c: see requests.h. */
#include "producer/scheduler/requests.h"

int request_say(struct daemon *daemon, enum event_kind kind,
                const void *payload, struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_record_ struct record record = {0};
    _cleanup_free_ char *source = must_printf("scheduler/%s", daemon->name);

    return event_sign(kind, payload, daemon->keys, NULL, &envelope, err) != 0 ||
                   event_to_record(&envelope, source, REQUESTS_TOPIC,
                                   PARTITION_BY_KEY, NULL, &record, err) != 0
               ? -1
               : kafka_writer_send(daemon->writer, &record, 0, err);
}
