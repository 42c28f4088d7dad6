/* log.c: see log.h. */
#include "io/log.h"

#include <string.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 4000 /* below PIPE_BUF: lines never mix in a pipe */
#define CUT " cut=true\n"

WORDS(log_level_words, "debug", "info", "warning", "error");

static bool is_plain(const char *value)
{
    return *value != '\0' &&
           value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz"
                               "0123456789.,:;/+@_-[]()")] == '\0';
}

static void add_escaped(struct buf *line, unsigned char byte)
{
    static const struct {
        unsigned char byte;
        const char *text;
    } short_ones[] = {
        {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\t', "\\t"}};

    for (size_t i = 0; i < ARRAY_SIZE(short_ones); i++) {
        if (short_ones[i].byte == byte) {
            (void)buf_adds(line, short_ones[i].text);
            return;
        }
    }
    if (byte < 0x20 || byte > 0x7e) {
        (void)buf_addf(line, "\\x%02x", byte);
    } else {
        (void)buf_add(line, &byte, 1);
    }
}

void log_value(struct buf *line, const char *value)
{
    if (is_plain(value)) {
        (void)buf_adds(line, value);
        return;
    }
    (void)buf_adds(line, "\"");
    for (; *value != '\0' && line->len < 2 * LINE_MAX_BYTES; value++) {
        add_escaped(line, (unsigned char)*value);
    }
    (void)buf_adds(line, "\"");
}

static void add_field(struct buf *line, const struct log_field *field)
{
    char text[HASH_TEXT];

    if (field->kind != LOG_INT && field->at == NULL) {
        return;
    }
    (void)buf_addf(line, " %s=", field->key);
    switch (field->kind) {
    case LOG_TEXT:
        log_value(line, field->at);
        return;
    case LOG_INT:
        (void)buf_addf(line, "%lld", (long long)field->number);
        return;
    case LOG_ID:
        id_format(field->at, text);
        break;
    case LOG_HASH:
        hash_format(field->at, text);
        break;
    }
    (void)buf_adds(line, text);
}

void log_line(const struct log *log, enum log_level level, const char *msg,
              const struct log_field *fields, size_t n)
{
    _cleanup_buf_ struct buf line = {0};
    char now[TIME_TEXT];

    if ((int)level < log->level) {
        return;
    }
    time_format(clock_now(), now);
    (void)buf_addf(&line, "time=%s level=%s service=%s msg=", now,
                   word_text(&log_level_words, (int)level), log->service);
    log_value(&line, msg);
    for (size_t i = 0; i < n; i++) {
        add_field(&line, &fields[i]);
    }
    (void)buf_adds(&line, "\n");
    if (line.len > LINE_MAX_BYTES) {
        memcpy(line.data + LINE_MAX_BYTES - strlen(CUT), CUT, strlen(CUT));
        line.len = LINE_MAX_BYTES;
    }
    (void)!write(log->fd, line.data, line.len);
}
