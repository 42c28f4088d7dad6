/* attachment.c: see attachment.h. */
#include "model/attachment.h"

#include <string.h>

#include "model/command.h"

static const struct field attachment_fields[] = {
    {"name", FIELD_TEXT, .max = ATTACHMENT_NAME_MAX,
     .at = offsetof(struct attachment, name)},
    {"executable", FIELD_BOOL, .optional = true,
     .at = offsetof(struct attachment, executable)},
    {"data", FIELD_BYTES, .max = SCRIPT_MAX,
     .at = offsetof(struct attachment, data)},
};

static const struct table attachment_table = {.name = "file",
                                              TABLE(attachment_fields),
                                              .size =
                                                  sizeof(struct attachment)};

const struct field attachment_item = {
    .name = "file", .kind = FIELD_TABLE, .table = &attachment_table};

bool attachment_name_is_good(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);

    return len > 0 && len <= ATTACHMENT_NAME_MAX && name[0] != '.' &&
           name[0] != '-' && strspn(name, good) == len;
}

int attachments_check(const struct list *attachments, size_t script,
                      struct err *err)
{
    size_t all = script;

    for (size_t i = 0; i < attachments->n; i++) {
        const struct attachment *one =
            &list_at(attachments, struct attachment, i);
        if (!attachment_name_is_good(one->name)) {
            return err_set(err, ERR_REJECT,
                           "'%.80s' can't be: at most %d letters, digits, '.', "
                           "'_' and '-', and no folder",
                           one->name, ATTACHMENT_NAME_MAX);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list_at(attachments, struct attachment, j).name,
                       one->name) == 0) {
                return err_set(err, ERR_REJECT, "%s is there twice", one->name);
            }
        }
        all += one->data.len;
    }
    return all <= SCRIPT_MAX
               ? 0
               : err_set(err, ERR_REJECT,
                         "%zu bytes with the script, and at most %d can be",
                         all, SCRIPT_MAX);
}

bool attachments_equal(const struct list *a, const struct list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct attachment *x = &list_at(a, struct attachment, i);
        const struct attachment *y = &list_at(b, struct attachment, i);
        if (strcmp(x->name, y->name) != 0 || x->executable != y->executable ||
            !buf_equal(&x->data, &y->data)) {
            return false;
        }
    }
    return a->n == b->n;
}
