/* summary.c: see summary.h. */
#include "producer/submit/summary.h"

#include <unistd.h>

#include "producer/submit/print.h"

static char *row_how(const void *row)
{
    return execution_text(row);
}

static char *row_attempt(const void *row)
{
    return must_printf("%lld",
                       (long long)((const struct execution_row *)row)->attempt);
}

static const struct column columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct execution_row, target)},
    {"outcome", COLUMN_MADE, .make = row_how, .wide = true},
    {"attempt", COLUMN_MADE,
     .make = row_attempt}, /* where there were several */
};

int summary_print(const struct tracks *tracks, struct err *err)
{
    struct noun noun = {.table = row_table(&run_answer_table),
                        .columns = columns,
                        .n = ARRAY_SIZE(columns) - (tracks->attempts < 2)};
    struct print print = {.out = stderr,
                          .format = FORMAT_TABLE,
                          .terminal = isatty(STDERR_FILENO) == 1};
    struct list rows = {0};

    for (size_t i = 0; i < tracks->n; i++) {
        const struct track *track = &tracks->list[i];
        if (!track->followed) {
            *(struct execution_row *)list_grow(&rows, sizeof(track->row)) =
                track->row;
        }
    }
    int done = print_rows(&print, &noun, &rows, err);
    free(rows.items);
    return done;
}
