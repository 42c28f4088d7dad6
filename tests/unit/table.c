/* table.c: see table.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#include "tests/unit/table.h"

static char *strip(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\n", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

static void read_cells(char *text, struct cells *cells, int number)
{
    char *rest = NULL;

    *cells = (struct cells){.first = ""};
    for (char *word = strtok_r(text, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        char *equals = strchr(word, '=');
        if (equals == NULL) {
            cells->first = word;
            continue;
        }
        if (cells->n == CELLS_MAX) {
            fail_msg("line %d: too many words", number);
        }
        *equals = '\0';
        cells->keys[cells->n] = word;
        cells->values[cells->n++] = equals + 1;
    }
}

static void read_line(char *text, int number, struct line *line)
{
    char *columns[4];

    for (size_t i = 0; i < 4; i++) {
        columns[i] = strsep(&text, "|");
        if (columns[i] == NULL) {
            fail_msg("line %d: %zu columns", number, i);
        }
        columns[i] = strip(columns[i]);
    }
    *line = (struct line){.number = number, .name = columns[0]};
    read_cells(columns[1], &line->given, number);
    read_cells(columns[2], &line->event, number);
    line->expected = strsep(&columns[3], " ");
    line->reason = columns[3] == NULL ? "" : strip(columns[3]);
}

int table_each(const char *path, void (*on_line)(const struct line *line))
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    int cases = 0;

    if (file == NULL) {
        fail_msg("%s: run the tests where the Makefile is", path);
    }
    for (int number = 1; getline(&text, &size, file) > 0; number++) {
        struct line line;
        char *stripped = strip(text);
        if (stripped[0] == '\0' || stripped[0] == '#') {
            continue;
        }
        read_line(stripped, number, &line);
        on_line(&line);
        cases++;
    }
    free(text);
    (void)fclose(file);
    return cases;
}

const char *cell_text(const struct cells *cells, const char *key,
                      const char *otherwise)
{
    for (size_t i = 0; i < cells->n; i++) {
        if (strcmp(cells->keys[i], key) == 0) {
            return cells->values[i];
        }
    }
    return otherwise;
}

int64_t cell_number(const struct cells *cells, const char *key,
                    int64_t otherwise)
{
    const char *text = cell_text(cells, key, NULL);

    return text == NULL ? otherwise : strtoll(text, NULL, 10);
}
