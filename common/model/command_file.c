/*
 * command_file.c: a command's file: a script whose comment header describes it.
 *
 *     #!/bin/sh
 *     #: name = disk-report
 *     #: targets = web-1, web-2
 *     #: [param dir]
 *     #: type = path
 *
 * The header is the block of lines directly below the first one that begin,
 * unindented, with `#:`, `//:` or `--:` (one of them per file). Each is `KEY =
 * VALUE`, `[param NAME]`, which opens a parameter, or empty. A value is the
 * rest of its line, whole: nothing in it is a comment, a quote or an escape.
 * What could be lost or misread refuses, with file, line and key: unknown keys,
 * keys given twice, indented lines, blanks at the end, CRLF, a BOM, control
 * bytes, what is not UTF-8, and a header line that stands further down.
 */
#include "model/command_private.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"

#define SEEN_MAX 200 /* bytes of a line that tell what it is */

static const char *const prefixes[] = {"#:", "//:", "--:"};

static int unknown_key(const struct reader *reader, const char *name)
{
    bool inside = reader->opened > 0;
    const struct key *keys = inside ? parameter_keys : command_keys;
    const struct key *others = inside ? command_keys : parameter_keys;
    const char *known[KEYS_MAX];
    _cleanup_buf_ struct buf all = {0};
    size_t n = 0;

    if (key_index(others, name) < KEYS_MAX) {
        return complain(reader, reader->line, name,
                        inside ? "stands above the first [param NAME]"
                               : "stands below a [param NAME]");
    }
    for (; keys[n].name != NULL; n++) {
        known[n] = keys[n].name;
        (void)buf_addf(&all, "%s%s", n == 0 ? "" : ", ", known[n]);
    }
    const char *close = suggest(name, known, n);
    return close != NULL
               ? complain(reader, reader->line, NULL,
                          "unknown key '%.64s': did you mean '%s'?", name,
                          close)
               : complain(reader, reader->line, NULL,
                          "unknown key '%.64s'; %s: %s", name,
                          inside ? "a parameter has" : "a command has",
                          buf_text(&all));
}

/* What a parameter must be is known when its last line is read. */
static int close_section(struct reader *reader)
{
    const char *member;

    if (reader->opened == 0) {
        return 0;
    }
    if (parameter_of(reader)->type == PARAMETER_NONE) {
        _cleanup_free_ char *words = words_join(&parameter_type_words);
        return complain(reader, reader->opened, "type",
                        "missing: say which, one of %s", words);
    }
    if (parameter_sound(parameter_of(reader), &member, reader->err) != 0) {
        size_t line = reader->given[key_index(parameter_keys, member)];
        return pass_on(reader, line == 0 ? reader->opened : line, member);
    }
    return 0;
}

static int open_section(struct reader *reader, const char *text)
{
    struct list *all = &reader->command.parameters;
    char name[64] = "";
    int end = 0;

    if (sscanf(text, "[param %63[a-z0-9-]]%n", name, &end) != 1 || end == 0 ||
        text[end] != '\0' || text[7] == ' ' || !name_is_good(name)) {
        return complain(reader, reader->line, NULL,
                        "not [param NAME], NAME being at most 63 of a-z, 0-9 "
                        "and '-', a letter or digit first");
    }
    if (close_section(reader) != 0) {
        return -1;
    }
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(list_at(all, struct parameter, i).name, name) == 0) {
            return complain(reader, reader->line, NULL,
                            "[param %s] is there twice", name);
        }
    }
    if (all->n == PARAMETERS_MAX) {
        return complain(reader, reader->line, NULL,
                        "at most %d parameters can be", PARAMETERS_MAX);
    }
    struct parameter *parameter = list_grow(all, sizeof(*parameter));
    parameter->name = must_strdup(name);
    reader->opened = reader->line;
    memset(reader->given, 0, sizeof(reader->given));
    return 0;
}

static int read_value(struct reader *reader, const struct key *key,
                      size_t *given, const char *value)
{
    size_t len = strlen(value);

    if (*given != 0 && !key_repeats(key->name)) {
        return complain(reader, reader->line, key->name,
                        "given twice, first in line %zu", *given);
    }
    if (len > VALUE_MAX) {
        return complain(reader, reader->line, key->name,
                        "%zu bytes, and at most %d can be", len, VALUE_MAX);
    }
    if (len > 0 && strchr(BLANKS, value[len - 1]) != NULL) {
        return complain(reader, reader->line, key->name,
                        "the value ends in a blank: take it away");
    }
    *given = reader->line;
    reader->key = key->name;
    return key->set(reader, value);
}

/* KEY = VALUE; the text is cut in two. */
static int read_pair(struct reader *reader, char *text)
{
    const struct key *keys = reader->opened ? parameter_keys : command_keys;
    size_t len = strcspn(text, BLANKS "=");
    char *value = text + len + strspn(text + len, BLANKS);

    if (len == 0 || *value != '=') {
        return complain(reader, reader->line, NULL,
                        "neither KEY = VALUE nor [param NAME]; a value stands "
                        "whole on one line");
    }
    value += 1 + strspn(value + 1, BLANKS);
    text[len] = '\0';
    size_t i = key_index(keys, text);
    return i == KEYS_MAX
               ? unknown_key(reader, text)
               : read_value(reader, &keys[i], &reader->given[i], value);
}

/* A header line behind its prefix. */
static int read_line(struct reader *reader, char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\r') {
        return complain(reader, reader->line, NULL,
                        "ends in CRLF: save the file with LF alone");
    }
    if (strlen(text) != len || has_control(text, "\t")) {
        return complain(reader, reader->line, NULL, "holds control bytes");
    }
    if (!utf8_is_good(text, len)) {
        return complain(reader, reader->line, NULL, "not UTF-8");
    }
    if (text[strspn(text, BLANKS)] == '\0') {
        return 0;
    }
    text += text[0] == ' ';
    if (strchr(BLANKS, text[0]) != NULL) {
        return complain(reader, reader->line, NULL,
                        "indented: a key stands one blank behind '%s', and its "
                        "value whole on the same line",
                        reader->prefix);
    }
    return text[0] == '[' ? open_section(reader, text)
                          : read_pair(reader, text);
}

/* The prefix that these bytes begin with; NULL: none. */
static const char *prefix_of(const char *line, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (len >= n && memcmp(line, prefixes[i], n) == 0) {
            return prefixes[i];
        }
    }
    return NULL;
}

/* True for what would have been read in the header. "#: a remark", which some
 * tools give a meaning of their own, is not. */
static bool looks_like_header(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && strchr(BLANKS, line[i]) != NULL && line[i] != '\0') {
        i++;
    }
    const char *prefix = prefix_of(line + i, len - i);
    if (prefix == NULL) {
        return false;
    }
    i += strlen(prefix);
    size_t seen = len - i < SEEN_MAX ? len - i : SEEN_MAX;
    _cleanup_free_ char *text = strndup(line + i, seen);
    const char *at = text + strspn(text, BLANKS);
    size_t word = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return strncmp(at, "[param", 6) == 0 ||
           (word > 0 && at[word + strspn(at + word, BLANKS)] == '=');
}

static int misplaced(const struct reader *reader)
{
    return complain(reader, reader->line, NULL,
                    "a header line out of its place: header lines stand "
                    "together, directly below the first line, unindented and "
                    "all with the same prefix");
}

/* Reads the line if it is one of the header's, in which `inside` says that
 * reading still is. */
static int take_line(struct reader *reader, const char *line, size_t len,
                     bool *inside)
{
    const char *prefix = prefix_of(line, len);

    *inside = *inside && prefix != NULL &&
              (reader->prefix == NULL || reader->prefix == prefix);
    if (!*inside) {
        return looks_like_header(line, len) ? misplaced(reader) : 0;
    }
    reader->prefix = prefix;
    size_t skip = strlen(prefix);
    _cleanup_buf_ struct buf text = {0};
    if (buf_add(&text, line + skip, len - skip) != 0) {
        return err_set(reader->err, ERR_RETRY, "out of memory");
    }
    return read_line(reader, (char *)text.data, text.len);
}

static int read_first_line(struct reader *reader, const char *text, size_t n)
{
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return complain(reader, 1, NULL,
                        "begins with a byte order mark: save the file as UTF-8 "
                        "without one");
    }
    return script_check(text, n, reader->err) == 0 ? 0
                                                   : pass_on(reader, 1, NULL);
}

static int read_lines(struct reader *reader, const char *text, size_t n)
{
    bool inside = true;

    if (read_first_line(reader, text, n) != 0) {
        return -1;
    }
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop == NULL ? end : stop) - at);
        if (++reader->line > 1 && take_line(reader, at, len, &inside) != 0) {
            return -1;
        }
        at += len + (stop != NULL);
    }
    return close_section(reader);
}

static int check_whole(struct reader *reader)
{
    const struct command_save *command = &reader->command;
    const char *prefix = reader->prefix == NULL ? "#:" : reader->prefix;

    if (command->name == NULL) {
        return complain(reader, 1, "name",
                        "missing: below the first line say %s name = NAME",
                        prefix);
    }
    if (command->targets.n == 0) {
        return complain(reader, 1, "targets",
                        "missing: say where it may run, %s targets = TARGET, …",
                        prefix);
    }
    return command_check(command, reader->err) == 0 ? check_when(reader)
                                                    : pass_on(reader, 1, NULL);
}

static int read_whole(struct reader *reader, const void *bytes, size_t n)
{
    if (read_lines(reader, bytes, n) != 0) {
        return -1;
    }
    return buf_add(&reader->command.script, bytes, n) == 0
               ? check_whole(reader)
               : err_set(reader->err, ERR_RETRY, "%s: out of memory",
                         reader->path);
}

int command_read_when(const char *path, const void *bytes, size_t n,
                      struct command_save *ret_command,
                      struct schedule_lines *ret_when, struct err *err)
{
    struct reader reader = {
        .path = path,
        .command = {.timeout = TIMEOUT_DEFAULT, .wait = WAIT_DEFAULT},
        .err = err,
    };

    if (read_whole(&reader, bytes, n) != 0) {
        table_done(&command_save_table, &reader.command);
        schedule_lines_done(&reader.when);
        return -1;
    }
    *ret_command = reader.command;
    *ret_when = reader.when;
    return 0;
}

int command_read(const char *path, const void *bytes, size_t n,
                 struct command_save *ret_command, struct err *err)
{
    struct schedule_lines when = {0};
    int done = command_read_when(path, bytes, n, ret_command, &when, err);

    schedule_lines_done(&when);
    return done;
}
