/*
 * ticks.c: when schedules fire, for tests that ask other people's clocks too
 * (tests/e2e/test_ticks.py).
 *
 * In: lines `FROM TAB UNTIL TAB MOST TAB ZONE TAB SCHEDULE`, both moments in
 * minutes of UTC since 1970. Out: a line for each, at most MOST of its ticks in
 * (FROM, UNTIL], as `MOMENT,LOCAL,FOLD` with blanks between, in minutes; or
 * `bad TAB reason`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/tick.h"

#define MINUTE_MS 60000
#define NAME_SIZE 100 /* longer than any that is good */

/* The zone that was asked for last stays open: callers go zone by zone. */
struct opened {
    char name[NAME_SIZE];
    struct zone *zone;
};

static int open_zone(struct opened *opened, const char *name, struct err *err)
{
    if (opened->zone != NULL && strcmp(opened->name, name) == 0) {
        return 0;
    }
    struct zone *zone = zone_open(name, err);
    if (zone == NULL) {
        return -1;
    }
    zone_free(opened->zone);
    opened->zone = zone;
    (void)snprintf(opened->name, sizeof(opened->name), "%s", name);
    return 0;
}

struct question {
    int64_t from; /* minutes */
    int64_t until;
    int64_t most;
};

static void print_ticks(const struct cron *cron, const struct zone *zone,
                        const struct question *asked)
{
    struct tick tick = tick_start(asked->from * MINUTE_MS);
    const char *blank = "";

    for (int64_t n = 0;
         n < asked->most && tick_next(cron, zone, &tick, &tick) &&
         tick.moment <= asked->until * MINUTE_MS;
         n++) {
        printf("%s%" PRId64 ",%" PRId64 ",%d", blank, tick.moment / MINUTE_MS,
               tick.local / MINUTE_MS, tick.fold);
        blank = " ";
    }
    putchar('\n');
}

static int answer(struct opened *opened, const char *line)
{
    struct question asked;
    char name[NAME_SIZE];
    int at = 0;
    struct cron cron;
    struct err err = {0};

    if (sscanf(line, "%" SCNd64 "\t%" SCNd64 "\t%" SCNd64 "\t%99[^\t]\t%n",
               &asked.from, &asked.until, &asked.most, name, &at) != 4 ||
        at == 0) {
        (void)fprintf(stderr, "ticks: not a question: %.80s\n", line);
        return -1;
    }
    if (open_zone(opened, name, &err) != 0 ||
        cron_parse(line + at, &cron, &err) != 0) {
        printf("bad\t%s\n", err.text);
        return 0;
    }
    print_ticks(&cron, opened->zone, &asked);
    return 0;
}

int main(void)
{
    _cleanup_free_ char *line = NULL;
    struct opened opened = {0};
    size_t size = 0;
    ssize_t n;
    int status = 0;

    while (status == 0 && (n = getline(&line, &size, stdin)) > 0) {
        line[n - (line[n - 1] == '\n')] = '\0';
        status = answer(&opened, line) == 0 ? 0 : 64;
    }
    zone_free(opened.zone);
    return status;
}
