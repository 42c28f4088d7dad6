/* record.c: see record.h. */
#include "model/record.h"

#include <string.h>

void record_done(struct record *record)
{
    free(record->topic);
    buf_done(&record->key);
    buf_done(&record->value);
    for (size_t i = 0; i < record->headers.n; i++) {
        free(list_at(&record->headers, struct header, i).name);
        free(list_at(&record->headers, struct header, i).value);
    }
    free(record->headers.items);
    *record = (struct record){0};
}

void record_header_add(struct record *record, const char *name,
                       const char *value)
{
    struct header *header = list_grow(&record->headers, sizeof(*header));

    header->name = must_strdup(name);
    header->value = must_strdup(value);
}

const char *record_header(const struct record *record, const char *name,
                          size_t n)
{
    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        if (strcmp(header->name, name) == 0 && n-- == 0) {
            return header->value;
        }
    }
    return NULL;
}
