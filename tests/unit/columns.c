/* columns.c: see columns.h. */
#include "tests/unit/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void columns_open(struct columns *columns, const char *path)
{
    *columns = (struct columns){.path = path, .file = fopen(path, "re")};
    if (columns->file == NULL) {
        fail_msg("%s: run the tests from the top of the repository", path);
    }
}

/* In place: what comes out is never longer. */
static void unescape(char *cell)
{
    static const char letters[] = "ntrs|\\";
    static const char bytes[] = "\n\t\r |\\";
    char *to = cell;

    for (const char *at = cell; *at != '\0'; at++) {
        const char *letter = at[1] == '\0' ? NULL : strchr(letters, at[1]);
        if (*at == '\\' && at[1] == 'x') {
            char hex[3] = {at[2], at[3], '\0'};
            *to++ = (char)strtoul(hex, NULL, 16);
            at += 3;
        } else if (*at == '\\' && letter != NULL) {
            *to++ = bytes[letter - letters];
            at++;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static char *trim(char *cell)
{
    cell += strspn(cell, " ");
    size_t len = strlen(cell);

    while (len > 0 && cell[len - 1] == ' ') {
        len--;
    }
    cell[len] = '\0';
    return cell;
}

static void split(struct columns *columns)
{
    char *rest = columns->text;

    memset(columns->cells, 0, sizeof(columns->cells));
    columns->n = 0;
    while (rest != NULL) {
        char *bar = strstr(rest, " |");
        char *cell = rest;
        assert_true(columns->n < COLUMNS_MAX);
        if (bar != NULL) {
            *bar = '\0';
        }
        rest = bar == NULL ? NULL : bar + 2;
        cell = trim(cell);
        if (strcmp(cell, "-") == 0) {
            cell[0] = '\0';
        }
        unescape(cell);
        columns->cells[columns->n++] = cell;
    }
}

bool columns_next(struct columns *columns)
{
    while (fgets(columns->text, sizeof(columns->text), columns->file)) {
        columns->line++;
        columns->text[strcspn(columns->text, "\n")] = '\0';
        if (columns->text[0] != '\0' && strcmp(columns->text, "#") != 0 &&
            strncmp(columns->text, "# ", 2) != 0) {
            split(columns);
            return true;
        }
    }
    (void)fclose(columns->file);
    return false;
}

bool columns_next_of(struct columns *columns, const char *word)
{
    while (columns_next(columns)) {
        if (strcmp(columns->cells[0], word) == 0) {
            return true;
        }
    }
    return false;
}

size_t unhex(const char *cell, unsigned char *out, size_t size)
{
    size_t n = strlen(cell) / 2;

    assert_true(n <= size && strlen(cell) % 2 == 0);
    for (size_t i = 0; i < n; i++) {
        char hex[3] = {cell[2 * i], cell[2 * i + 1], '\0'};
        out[i] = (unsigned char)strtoul(hex, NULL, 16);
    }
    return n;
}
