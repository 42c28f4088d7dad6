/* field_values.c: see field_values.h. */
#include "base/field_values.h"

#include <jansson.h>
#include <string.h>

#define DIGITS 15 /* that a number in a program keeps */

/* NULL: it is no plain value. */
static char *text_of(const json_t *value)
{
    if (json_is_string(value)) {
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? must_strdup(json_string_value(value))
                   : NULL;
    }
    return json_is_number(value) || json_is_boolean(value)
               ? json_dumps(value,
                            JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS))
               : NULL;
}

static int add_members(json_t *object, struct list *ret_pairs, struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach (object, name, value) {
        _cleanup_free_ char *text = text_of(value);
        if (text == NULL) {
            return err_set(err, ERR_REJECT,
                           "%.63s: neither a text nor a number, true or false",
                           name);
        }
        pairs_add(ret_pairs, name, text);
    }
    return 0;
}

int values_decode(const void *json, size_t n, struct list *ret_pairs,
                  struct err *err)
{
    json_error_t why;
    json_t *object = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);

    if (object == NULL) {
        return err_set(err, ERR_REJECT, "line %d: %.100s", why.line, why.text);
    }
    int done = json_is_object(object)
                   ? add_members(object, ret_pairs, err)
                   : err_set(err, ERR_REJECT, "not an object");
    json_decref(object);
    return done;
}
