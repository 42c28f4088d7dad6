/* concerned.c: see concerned.h. */
#include "consumer/authorizer/concerned.h"

#include <string.h>

/* A member of that name and kind; NULL: there is none. */
static const void *member(const struct event *event, const char *name,
                          enum field_kind kind)
{
    const struct table *table = event_types[event->kind].table;

    for (; table != NULL; table = table->base) {
        for (size_t i = 0; i < table->n; i++) {
            const struct field *field = &table->fields[i];
            if (field->kind == kind && strcmp(field->name, name) == 0) {
                return (const char *)event->payload + field->at;
            }
        }
    }
    return NULL;
}

static int find_user(struct asking *asking, const struct id *user,
                     char **ret_email, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres, "SELECT email FROM users WHERE id = $1",
           &rows, err, P_ID(user)) != 0) {
        return -1;
    }
    *ret_email =
        rows_n(rows) == 0 ? NULL : must_strdup(row_text(rows, 0, "email"));
    return 0;
}

int concerned_email(struct asking *asking, const struct buf *document,
                    const struct id *asker, char **ret_email, struct err *err)
{
    struct err ignored = {0}; /* what can't be read names nobody */
    _cleanup_event_ struct event *event =
        document->len == 0 ? NULL : event_from_json(document, &ignored);

    *ret_email = NULL;
    if (event == NULL) {
        return 0;
    }
    char *const *email = member(event, "email", FIELD_TEXT);
    const struct id *user = member(event, "user", FIELD_ID);
    if (email != NULL && *email != NULL) {
        *ret_email = must_strdup(*email);
        return 0;
    }
    return user == NULL || id_is_zero(user) || id_equal(user, asker) ||
                   !asking_by_administrator(asking)
               ? 0
               : find_user(asking, user, ret_email, err);
}
