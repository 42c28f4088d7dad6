/*
 * fuzz_dispatch.c: any record on a dispatch topic: headers, a line each
 * ("name: value"), an empty line, the value.
 *
 * What is taken is signed as it came: written as a record again it is the same
 * envelope. What is refused says why, and nothing that nobody signed is
 * allowed.
 */
#include <assert.h>
#include <string.h>

#include "trust/proof.h"

#define NOW INT64_C(1795521600123)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_record(char *text, size_t size, struct record *ret_record)
{
    char *end = text + size;
    char *line = text;

    for (char *next; line < end && *line != '\n'; line = next) {
        next = memchr(line, '\n', (size_t)(end - line));
        next = next == NULL ? end : next + 1;
        next[-1] = '\0';
        char *value = strstr(line, ": ");
        if (value != NULL) {
            *value = '\0';
            record_header_add(ret_record, line, value + 2);
        }
    }
    if (line < end) {
        (void)buf_add(&ret_record->value, line + 1, (size_t)(end - line - 1));
    }
}

static void check_again(const struct event *event)
{
    _cleanup_record_ struct record record = {0};
    struct err err = {0};

    int done = event_to_record(&event->envelope, "authorizer/z", "topic", 0,
                               "key", &record, &err);
    assert(done == 0);
    (void)done;
    _cleanup_event_ struct event *again = event_from_record(&record, &err);
    assert(again != NULL && hash_equal(&again->hash, &event->hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = must_calloc(size + 1, 1);
    _cleanup_record_ struct record record = {0};
    struct roots roots = {0};
    struct err err = {0};
    struct order order;

    memcpy(text, data, size);
    read_record(text, size, &record);
    _cleanup_event_ struct event *event = event_from_record(&record, &err);
    if (event == NULL) {
        assert(err.kind == ERR_REJECT && err.text[0] != '\0');
        return 0;
    }
    check_again(event);
    _cleanup_proof_ struct proof *proof = proof_new(&roots, NULL, NULL);
    int allowed = proof_dispatch(proof, event, "web-1", NOW, &order, &err);
    assert(allowed != 0 && err.text[0] != '\0');
    (void)allowed;
    return 0;
}
