/* schedule_lines.c: see schedule_lines.h. */
#include "model/schedule_lines.h"

#include <string.h>

#include "model/command_private.h"
#include "model/once.h"

void schedule_lines_done(struct schedule_lines *when)
{
    for (size_t i = 0; i < when->lines.n; i++) {
        struct schedule_line *line =
            &list_at(&when->lines, struct schedule_line, i);
        free(line->cron);
        free(line->text);
    }
    free(when->lines.items);
    free(when->zone);
    *when = (struct schedule_lines){0};
}

struct schedule_set schedule_of_line(const struct schedule_lines *when,
                                     size_t i, const struct id *command)
{
    const struct schedule_line *line =
        &list_at(&when->lines, struct schedule_line, i);
    struct schedule_set set = {
        .command = *command,
        .cron = line->cron,
        .at = line->at,
        .zone = when->zone == NULL ? (char *)"UTC" : when->zone,
        .catch_up = when->catch_up == 0 ? CATCH_UP_NO : when->catch_up};

    set.schedule = schedule_id(&set);
    return set;
}

/* Its fields with one blank between them: how it is spaced is no difference. */
static char *spaced_once(const char *value)
{
    char *text = must_strdup(value);
    char *to = text;

    for (const char *at = value; *at != '\0'; at++) {
        bool blank = strchr(BLANKS, *at) != NULL;
        if (!blank || strchr(BLANKS, at[1]) == NULL) {
            *to++ = blank ? ' ' : *at;
        }
    }
    *to = '\0';
    return text;
}

static struct schedule_line *add_line(struct reader *reader)
{
    struct list *lines = &reader->when.lines;

    if (lines->n == SCHEDULE_LINES_MAX) {
        (void)complain(reader, reader->line, reader->key,
                       "at most %d of schedule and at can be",
                       SCHEDULE_LINES_MAX);
        return NULL;
    }
    struct schedule_line *line = list_grow(lines, sizeof(*line));
    line->line = reader->line;
    return line;
}

int set_schedule(struct reader *reader, const char *value)
{
    struct cron cron;

    if (cron_parse(value, &cron, reader->err) != 0) {
        return pass_on(reader, reader->line, reader->key);
    }
    struct schedule_line *line = add_line(reader);
    if (line == NULL) {
        return -1;
    }
    line->cron = spaced_once(value);
    return 0;
}

/* Which moment it is, its zone says, which may stand below. */
int set_at(struct reader *reader, const char *value)
{
    struct schedule_line *line = add_line(reader);

    if (line == NULL) {
        return -1;
    }
    line->text = must_strdup(value);
    return 0;
}

int set_zone(struct reader *reader, const char *value)
{
    _cleanup_zone_ struct zone *zone = zone_open(value, reader->err);

    if (zone == NULL) {
        return pass_on(reader, reader->line, reader->key);
    }
    reader->when.zone = must_strdup(value);
    reader->when.line = reader->line;
    return 0;
}

int set_catch_up(struct reader *reader, const char *value)
{
    reader->when.catch_up = word_value(&catch_up_words, value);
    reader->when.line = reader->line;
    return reader->when.catch_up != 0
               ? 0
               : complain(reader, reader->line, reader->key,
                          "neither no nor last: whether the last time that was "
                          "missed is made up for");
}

static int read_moments(struct reader *reader, const struct zone *zone)
{
    struct list *lines = &reader->when.lines;
    struct tick tick;

    for (size_t i = 0; i < lines->n; i++) {
        struct schedule_line *line = &list_at(lines, struct schedule_line, i);
        if (line->text == NULL) {
            continue;
        }
        if (once_parse(line->text, zone, &tick, reader->err) != 0) {
            return pass_on(reader, line->line, "at");
        }
        line->at = tick.moment;
    }
    return 0;
}

static int check_twice(struct reader *reader)
{
    static const struct id any;

    for (size_t i = 0; i < reader->when.lines.n; i++) {
        struct schedule_set set = schedule_of_line(&reader->when, i, &any);
        for (size_t j = 0; j < i; j++) {
            struct schedule_set before =
                schedule_of_line(&reader->when, j, &any);
            if (id_equal(&set.schedule, &before.schedule)) {
                return complain(
                    reader,
                    list_at(&reader->when.lines, struct schedule_line, i).line,
                    NULL, "the same as line %zu: once is enough",
                    list_at(&reader->when.lines, struct schedule_line, j).line);
            }
        }
    }
    return 0;
}

/* Nobody is there to be asked for a value. */
static int check_values(struct reader *reader)
{
    static const struct list none;
    const struct list *lines = &reader->when.lines;

    const struct command_save *command = &reader->command;
    size_t first = list_at(lines, struct schedule_line, 0).line;

    if (command->approve.count > 0) {
        return complain(reader, first, NULL,
                        "what has to be approved does not run by itself");
    }
    if (arguments_check(&command->parameters, &none, NULL, reader->err) == 0 &&
        secrets_check(&command->parameters, &none, reader->err) == 0) {
        return 0;
    }
    struct err why = *reader->err;
    return complain(reader, first, NULL,
                    "nobody is there to be asked when it runs by itself: %s",
                    why.text);
}

int check_when(struct reader *reader)
{
    const struct schedule_lines *when = &reader->when;

    if (when->lines.n == 0) {
        return when->line == 0
                   ? 0
                   : complain(reader, when->line, NULL,
                              "zone and catch_up say nothing without a line "
                              "`schedule = …` or `at = …`");
    }
    _cleanup_zone_ struct zone *zone =
        zone_open(when->zone == NULL ? "UTC" : when->zone, reader->err);
    if (zone == NULL) {
        return pass_on(
            reader, list_at(&when->lines, struct schedule_line, 0).line, NULL);
    }
    return read_moments(reader, zone) != 0 || check_twice(reader) != 0
               ? -1
               : check_values(reader);
}
