/* print.c: see print.h. Nothing else sees libsmartcols. */
#include "producer/submit/print.h"

#include <ctype.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "producer/submit/csv.h"
#include "producer/submit/harmless.h"
#include "producer/submit/pager.h"

WORDS(format_words, "table", "json", "jsonl", "csv", "name");

const struct table *row_table(const struct table *answer)
{
    for (size_t i = 0; i < answer->n; i++) {
        if (answer->fields[i].kind == FIELD_LIST) {
            return answer->fields[i].item->table;
        }
    }
    return NULL;
}

/* Writing */

int print_failed(struct err *err)
{
    return errno == EPIPE ? err_exit(err, EX_IOERR, "%s", "")
                          : err_exit(err, EX_IOERR, "writing the output: %s",
                                     strerror(errno));
}

/* Flushed: who reads a pipe gets each line when it is told. */
static int written(const struct print *print, struct err *err)
{
    return fflush(print->out) == 0 && ferror(print->out) == 0
               ? 0
               : print_failed(err);
}

int print_bytes(const struct print *print, const void *bytes, size_t n,
                struct err *err)
{
    (void)fwrite(bytes, 1, n, print->out);
    return written(print, err);
}

int print_shown(const struct print *print, const struct buf *bytes,
                struct err *err)
{
    _cleanup_buf_ struct buf shown = {0};
    struct harmless state = {0};

    if (!print->terminal) {
        return print_bytes(print, bytes->data, bytes->len, err);
    }
    if (harmless_add(&state, bytes->data, bytes->len, &shown) != 0 ||
        harmless_end(&state, &shown) != 0) {
        return err_set(err, ERR_RETRY, "out of memory for the output");
    }
    return print_bytes(print, shown.data, shown.len, err);
}

int print_line(const struct print *print, struct err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    _cleanup_free_ char *whole = must_vprintf(fmt, args);
    va_end(args);
    _cleanup_free_ char *line = harmless_text(whole);
    (void)fprintf(print->out, "%s\n", line);
    return written(print, err);
}

/* Cells */

char *time_text(int64_t moment)
{
    time_t seconds = moment / 1000;
    struct tm tm;
    char text[32];

    if (moment == 0 || localtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0) {
        return must_strdup("-");
    }
    return must_strdup(text);
}

static char *text_cell(const struct column *column, const void *at)
{
    const char *text = *(char *const *)at;

    (void)column;
    return text == NULL ? NULL : must_strdup(text);
}

static char *int_cell(const struct column *column, const void *at)
{
    (void)column;
    return must_printf("%lld", (long long)*(const int64_t *)at);
}

static char *time_cell(const struct column *column, const void *at)
{
    (void)column;
    return time_text(*(const int64_t *)at);
}

static char *seconds_cell(const struct column *column, const void *at)
{
    char text[24];

    (void)column;
    duration_format(*(const int64_t *)at, text, sizeof(text));
    return must_strdup(text);
}

static char *word_cell(const struct column *column, const void *at)
{
    return must_strdup(word_text(column->words, *(const int *)at));
}

static char *id_cell(const struct column *column, const void *at)
{
    char text[ID_TEXT];

    (void)column;
    id_format(at, text);
    return must_strdup(text);
}

static char *hash_cell(const struct column *column, const void *at)
{
    char text[HASH_TEXT];

    (void)column;
    hash_format(at, text);
    return must_printf("%.12s", text);
}

/* "a, b" or "a=1 b=2". */
static char *joined(const struct list *list, bool pairs)
{
    struct buf text = {0};

    if (list->n == 0 || !pairs) {
        return list->n == 0 ? NULL : texts_join(list, ", ");
    }
    for (size_t i = 0; i < list->n; i++) {
        const struct pair *pair = &list_at(list, struct pair, i);
        (void)buf_addf(&text, "%s%s=%s", i == 0 ? "" : " ", pair->name,
                       pair->value);
    }
    return buf_take(&text);
}

static char *texts_cell(const struct column *column, const void *at)
{
    (void)column;
    return joined(at, false);
}

static char *pairs_cell(const struct column *column, const void *at)
{
    (void)column;
    return joined(at, true);
}

static char *(*const cells[])(const struct column *, const void *) = {
    [COLUMN_TEXT] = text_cell,   [COLUMN_INT] = int_cell,
    [COLUMN_TIME] = time_cell,   [COLUMN_SECONDS] = seconds_cell,
    [COLUMN_WORD] = word_cell,   [COLUMN_ID] = id_cell,
    [COLUMN_HASH] = hash_cell,   [COLUMN_TEXTS] = texts_cell,
    [COLUMN_PAIRS] = pairs_cell,
};

/* As it is; NULL: there is nothing. */
static char *raw_cell(const struct column *column, const void *row)
{
    return column->kind == COLUMN_MADE
               ? column->make(row)
               : cells[column->kind](column, (const char *)row + column->at);
}

/* As it may be shown. */
static char *cell(const struct column *column, const void *row)
{
    _cleanup_free_ char *text = raw_cell(column, row);

    return text == NULL ? must_strdup("-") : harmless_text(text);
}

/* Tables */

static void add_columns(struct libscols_table *table, const struct noun *noun)
{
    for (size_t i = 0; i < noun->n; i++) {
        const struct column *column = &noun->columns[i];
        _cleanup_free_ char *title = must_strdup(column->title);
        for (char *c = title; *c != '\0'; c++) {
            *c = (char)toupper((unsigned char)*c);
        }
        int flags = (column->wide ? SCOLS_FL_TRUNC : 0) |
                    (column->kind == COLUMN_INT ? SCOLS_FL_RIGHT : 0);
        if (scols_table_new_column(table, title, 0, flags) == NULL) {
            abort();
        }
    }
}

static const void *row_at(const struct noun *noun, const struct list *rows,
                          size_t i)
{
    return (const char *)rows->items + i * noun->table->size;
}

static void add_lines(struct libscols_table *table, const struct noun *noun,
                      const struct list *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        for (size_t c = 0; c < noun->n; c++) {
            char *text = cell(&noun->columns[c], row_at(noun, rows, i));
            if (line == NULL || scols_line_refer_data(line, c, text) != 0) {
                abort();
            }
        }
    }
}

static int table_rows(const struct print *print, const struct noun *noun,
                      const struct list *rows, struct err *err)
{
    if (rows->n == 0) {
        return 0;
    }
    struct libscols_table *table = scols_new_table();
    if (table == NULL) {
        abort();
    }
    (void)scols_table_set_stream(table, print->out);
    (void)scols_table_set_column_separator(table, "  ");
    (void)scols_table_set_termforce(
        table, print->terminal ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);
    add_columns(table, noun);
    add_lines(table, noun, rows);
    (void)scols_print_table(table);
    scols_unref_table(table);
    return written(print, err);
}

static int table_row(const struct print *print, const struct noun *noun,
                     const void *row, struct err *err)
{
    size_t width = 0;

    for (size_t i = 0; i < noun->n; i++) {
        size_t len = strlen(noun->columns[i].title);
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < noun->n; i++) {
        _cleanup_free_ char *text = cell(&noun->columns[i], row);
        (void)fprintf(print->out, "%-*s  %s\n", (int)width,
                      noun->columns[i].title, text);
    }
    return written(print, err);
}

/* JSON and names */

static int json_row(const struct print *print, const struct noun *noun,
                    const void *row, const char *end, struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    if (table_encode(noun->table, row, &json, err) != 0) {
        err->status = EX_SOFTWARE;
        return -1;
    }
    (void)fprintf(print->out, "%s%s", buf_text(&json), end);
    return written(print, err);
}

static int json_rows(const struct print *print, const struct noun *noun,
                     const struct list *rows, struct err *err)
{
    (void)fputs("[", print->out);
    for (size_t i = 0; i < rows->n; i++) {
        const char *end = i + 1 < rows->n ? ",\n " : "";
        if (json_row(print, noun, row_at(noun, rows, i), end, err) != 0) {
            return -1;
        }
    }
    (void)fputs("]\n", print->out);
    return written(print, err);
}

static int jsonl_rows(const struct print *print, const struct noun *noun,
                      const struct list *rows, struct err *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (json_row(print, noun, row_at(noun, rows, i), "\n", err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* CSV: moments as programs take them, and what is not there is empty. */

static char *csv_cell(const struct column *column, const void *row)
{
    const void *at = (const char *)row + column->at;
    char moment[TIME_TEXT];

    switch (column->kind) {
    case COLUMN_TIME:
        time_format(*(const int64_t *)at, moment);
        return *(const int64_t *)at == 0 ? NULL : must_strdup(moment);
    case COLUMN_SECONDS:
        return int_cell(column, at);
    default:
        return raw_cell(column, row);
    }
}

static int csv_rows(const struct print *print, const struct noun *noun,
                    const struct list *rows, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    for (size_t c = 0; c < noun->n; c++) {
        csv_add(&text, noun->columns[c].title, c + 1 == noun->n);
    }
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t c = 0; c < noun->n; c++) {
            _cleanup_free_ char *value =
                csv_cell(&noun->columns[c], row_at(noun, rows, i));
            csv_add(&text, value, c + 1 == noun->n);
        }
    }
    return print_shown(print, &text, err);
}

static int name_row(const struct print *print, const struct noun *noun,
                    const void *row, struct err *err)
{
    _cleanup_free_ char *text = cell(&noun->columns[noun->name], row);

    (void)fprintf(print->out, "%s\n", text);
    return written(print, err);
}

static int name_rows(const struct print *print, const struct noun *noun,
                     const struct list *rows, struct err *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (name_row(print, noun, row_at(noun, rows, i), err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* True where a pager showed them. Who has seen enough of it reads no further:
 * that the rest can't be written is no fault. */
static bool page_rows(const struct print *print, const struct noun *noun,
                      const struct list *rows)
{
    struct print paged = *print;
    struct pager pager;
    struct err ignored = {0};

    if (!print->pages || print->format != FORMAT_TABLE ||
        !pager_open(&pager, rows->n + 1)) {
        return false;
    }
    paged.out = pager.out;
    (void)table_rows(&paged, noun, rows, &ignored);
    return pager_close(&pager);
}

int print_rows(const struct print *print, const struct noun *noun,
               const struct list *rows, struct err *err)
{
    static int (*const by_format[])(const struct print *, const struct noun *,
                                    const struct list *, struct err *) = {
        [FORMAT_NONE] = table_rows, [FORMAT_TABLE] = table_rows,
        [FORMAT_JSON] = json_rows,  [FORMAT_JSONL] = jsonl_rows,
        [FORMAT_CSV] = csv_rows,    [FORMAT_NAME] = name_rows,
    };

    if (rows->n == 0 && noun->nothing != NULL) {
        (void)fprintf(stderr, "%s\n", noun->nothing);
    }
    return page_rows(print, noun, rows)
               ? 0
               : by_format[print->format](print, noun, rows, err);
}

int print_row(const struct print *print, const struct noun *noun,
              const void *row, struct err *err)
{
    if (print->format == FORMAT_JSON || print->format == FORMAT_JSONL) {
        return json_row(print, noun, row, "\n", err);
    }
    return print->format == FORMAT_NAME ? name_row(print, noun, row, err)
                                        : table_row(print, noun, row, err);
}
