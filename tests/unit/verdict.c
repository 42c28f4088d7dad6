/*
 * verdict.c: what the C field tables say to a payload, for tests that compare
 * it with what JSON Schema says (tests/e2e/test_schemas.py).
 *
 * In: lines `TYPE TAB JSON`; TYPE as in the headers (errand.run.start.v1), or
 * `envelope` or `sealed_reply`, which are signed by nobody. Out: a line for
 * each, `ok` or `bad TAB reason`. With --types it prints `TYPE TAB TABLE
 * TAB VERB` (`-`: not a request) for all that it knows. With --cards the lines
 * are card numbers, and a good one's is its brand
 * (tests/e2e/test_card_numbers.py). No signature is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/card.h"
#include "model/reply.h"
#include "trust/event.h"

struct shape {
    const char *type;
    const struct table *table;
};

static const struct shape unsigned_shapes[] = {
    {"envelope", &envelope_table},
    {"sealed_reply", &sealed_reply_table},
};

static const struct table *table_of(const char *type)
{
    int kind = event_kind(type);

    for (size_t i = 0; kind < 0 && i < ARRAY_SIZE(unsigned_shapes); i++) {
        if (strcmp(unsigned_shapes[i].type, type) == 0) {
            return unsigned_shapes[i].table;
        }
    }
    return kind < 0 ? NULL : event_types[kind].table;
}

static void print_types(void)
{
    for (size_t i = 0; i < EVENT_KINDS; i++) {
        const char *verb = event_types[i].verb;
        printf("%s\t%s\t%s\n", event_types[i].type, event_types[i].table->name,
               verb == NULL ? "-" : verb);
    }
    for (size_t i = 0; i < ARRAY_SIZE(unsigned_shapes); i++) {
        printf("%s\t%s\t-\n", unsigned_shapes[i].type, unsigned_shapes[i].type);
    }
}

static void print_bad(char *reason)
{
    for (char *c = reason; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 ? '?' : *c;
    }
    printf("bad\t%s\n", reason);
}

static void judge(const struct table *table, const char *json, size_t n)
{
    _cleanup_free_ void *payload = must_calloc(1, table->size);
    struct err err = {0};

    if (table_decode(table, json, n, payload, &err) != 0) {
        print_bad(err.text);
        return;
    }
    table_done(table, payload);
    puts("ok");
}

static int judge_cards(void)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t n;

    while ((n = getline(&line, &size, stdin)) > 0) {
        struct err err = {0};
        enum brand brand;
        line[n - (line[n - 1] == '\n')] = '\0';
        if (card_digits(line, &err) != 0 ||
            card_number_check(line, (int64_t)strlen(line), &brand, &err) != 0) {
            print_bad(err.text);
        } else {
            puts(word_text(&brand_words, (int)brand));
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t n;

    if (argc > 1 && strcmp(argv[1], "--types") == 0) {
        print_types();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--cards") == 0) {
        return judge_cards();
    }
    while ((n = getline(&line, &size, stdin)) > 0) {
        char *json = strchr(line, '\t');
        const struct table *table = NULL;
        n -= line[n - 1] == '\n';
        if (json != NULL) {
            *json++ = '\0';
            table = table_of(line);
        }
        if (table == NULL) {
            (void)fprintf(stderr, "verdict: no type: %.80s\n", line);
            return 64;
        }
        judge(table, json, (size_t)(line + n - json));
    }
    return 0;
}
