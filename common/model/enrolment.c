/* enrolment.c: see enrolment.h. */
#include "model/enrolment.h"

#include <string.h>

#include "base/codec.h"

WORDS(service_kind_words, "authorizer", "executor", "scheduler", "notifier",
      "recorder");
WORDS(service_state_words, "active", "ended", "void");

static const struct field service_enrol_fields[] = {
    {"kind", FIELD_WORD, .words = &service_kind_words,
     .at = offsetof(struct service_enrol, kind)},
    {"name", FIELD_NAME, .at = offsetof(struct service_enrol, name)},
    {"target", FIELD_NAME, .optional = true,
     .at = offsetof(struct service_enrol, target)},
    {"generation", FIELD_INT, .optional = true, .min = 0, .max = 1000000,
     .at = offsetof(struct service_enrol, generation)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct service_enrol, key)},
    {"box", FIELD_FIXED, .max = 32, .at = offsetof(struct service_enrol, box)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct service_enrol, until)},
};

const struct table service_enrol_table = {.name = "service.enrol",
                                          .base = &request_table,
                                          TABLE(service_enrol_fields),
                                          .size = sizeof(struct service_enrol)};

int64_t enrolled_generation(const struct service_enrol *enrol)
{
    return enrol->generation == 0 ? 1 : enrol->generation;
}

char *key_line_make(const struct key32 *key, const struct key32 *box)
{
    unsigned char both[sizeof(key->b) + sizeof(box->b)];

    memcpy(both, key->b, sizeof(key->b));
    memcpy(both + sizeof(key->b), box->b, sizeof(box->b));
    return code_encode(both, sizeof(both));
}

int key_line_read(const char *line, struct key32 *ret_key,
                  struct key32 *ret_box, struct err *err)
{
    unsigned char both[sizeof(ret_key->b) + sizeof(ret_box->b)];

    if (code_decode(line, both, sizeof(both), err) != 0) {
        return err_wrap(err, "key line");
    }
    memcpy(ret_key->b, both, sizeof(ret_key->b));
    memcpy(ret_box->b, both + sizeof(ret_key->b), sizeof(ret_box->b));
    return 0;
}
