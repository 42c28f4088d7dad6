/* secret.c: see secret.h. */
#include "model/secret.h"

#include <string.h>

#include "model/parameter.h"

static const struct field secret_box_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct secret_box, name)},
    {"to", FIELD_HASH, .at = offsetof(struct secret_box, to)},
    {"box", FIELD_BYTES, .max = SECRET_BOX_MAX,
     .at = offsetof(struct secret_box, box)},
};

static const struct table secret_box_table = {
    .name = "box", TABLE(secret_box_fields), .size = sizeof(struct secret_box)};

const struct field secret_box_item = {
    .name = "box", .kind = FIELD_TABLE, .table = &secret_box_table};

static const struct secret_box *box_at(const struct list *boxes, size_t i)
{
    return &list_at(boxes, struct secret_box, i);
}

static bool has_box(const struct list *boxes, const char *name,
                    const struct hash *to)
{
    for (size_t i = 0; i < boxes->n; i++) {
        if (strcmp(box_at(boxes, i)->name, name) == 0 &&
            hash_equal(&box_at(boxes, i)->to, to)) {
            return true;
        }
    }
    return false;
}

bool secrets_hold(const struct list *boxes, const char *name)
{
    for (size_t i = 0; i < boxes->n; i++) {
        if (strcmp(box_at(boxes, i)->name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool secrets_reach(const struct list *boxes, const struct hash *recipient)
{
    for (size_t i = 0; i < boxes->n; i++) {
        if (hash_equal(&box_at(boxes, i)->to, recipient)) {
            return true;
        }
    }
    return boxes->n == 0;
}

static int check_box(const struct list *parameters, const struct list *boxes,
                     size_t i, struct err *err)
{
    const struct secret_box *box = box_at(boxes, i);
    const struct parameter *parameter = parameter_find(parameters, box->name);
    struct list before = {boxes->items, i};

    if (parameter == NULL || parameter->type != PARAMETER_SECRET) {
        return err_set(err, ERR_REJECT,
                       "a box for '%.63s', which is no secret of this command",
                       box->name);
    }
    return has_box(&before, box->name, &box->to)
               ? err_set(err, ERR_REJECT, "%s: sealed twice to one executor",
                         box->name)
               : 0;
}

/* Every box's recipient has a box of this name. */
static int check_everybody(const struct list *boxes, const char *name,
                           struct err *err)
{
    for (size_t i = 0; i < boxes->n; i++) {
        if (!has_box(boxes, name, &box_at(boxes, i)->to)) {
            return err_set(err, ERR_REJECT,
                           "%s: not sealed to each executor that has others",
                           name);
        }
    }
    return 0;
}

int secrets_check(const struct list *parameters, const struct list *boxes,
                  struct err *err)
{
    for (size_t i = 0; i < boxes->n; i++) {
        if (check_box(parameters, boxes, i, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        bool given = secrets_hold(boxes, one->name);
        if (one->type == PARAMETER_SECRET && one->required && !given) {
            return err_set(err, ERR_REJECT, "%s: missing, and required",
                           one->name);
        }
        if (given && check_everybody(boxes, one->name, err) != 0) {
            return -1;
        }
    }
    return 0;
}
