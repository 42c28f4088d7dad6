/* unified.c: see unified.h. */
#include "producer/submit/unified.h"

#include <stdint.h>
#include <string.h>

#include "base/fields.h"

#define CONTEXT 3 /* lines around a change */

struct line {
    const unsigned char *at;
    size_t len; /* with its newline, where it has one */
};

struct text {
    struct line *lines;
    size_t n;
    bool *changed; /* gone from the old text, or come into the new one */
};

static void text_done(struct text *text)
{
    free(text->lines);
    free(text->changed);
}

static struct text text_of(const struct buf *bytes)
{
    const unsigned char *at = bytes->data;
    const unsigned char *end = bytes->len == 0 ? at : at + bytes->len;
    size_t n = bytes->len > 0 && end[-1] != '\n';

    for (size_t i = 0; i < bytes->len; i++) {
        n += at[i] == '\n';
    }
    struct text text = {.lines = must_calloc(n + 1, sizeof(struct line)),
                        .changed = must_calloc(n + 1, sizeof(bool)),
                        .n = n};
    for (size_t i = 0; i < n; i++) {
        const unsigned char *newline = memchr(at, '\n', (size_t)(end - at));
        const unsigned char *next = newline == NULL ? end : newline + 1;
        text.lines[i] = (struct line){at, (size_t)(next - at)};
        at = next;
    }
    return text;
}

static bool same(const struct line *one, const struct line *other)
{
    return one->len == other->len && memcmp(one->at, other->at, one->len) == 0;
}

/* What is left of both between their common beginning and end. */
struct middle {
    struct text old, new; /* parts of the whole: nothing of theirs is freed */
};

static struct text part(const struct text *whole, size_t from, size_t n)
{
    return (struct text){whole->lines + from, n, whole->changed + from};
}

static struct middle middle_of(const struct text *old, const struct text *new)
{
    size_t most = old->n < new->n ? old->n : new->n;
    size_t first = 0;
    size_t last = 0;

    while (first < most && same(&old->lines[first], &new->lines[first])) {
        first++;
    }
    while (last < most - first && same(&old->lines[old->n - 1 - last],
                                       &new->lines[new->n - 1 - last])) {
        last++;
    }
    return (struct middle){part(old, first, old->n - first - last),
                           part(new, first, new->n - first - last)};
}

/* How far each diagonal k (-d to d) was reached after d edits: level d begins
 * at d * d, and has 2 * d + 1 places. */
static int *reached(int *trace, long d, long k)
{
    return &trace[d * d + d + k];
}

/* True where the way to diagonal k with d edits comes from k + 1: by a line of
 * the new text; else by one of the old. */
static bool comes_down(int *trace, long d, long k)
{
    return k == -d || (k != d && *reached(trace, d - 1, k - 1) <
                                     *reached(trace, d - 1, k + 1));
}

/* One level further. True: the end of both is reached. */
static bool step_on(const struct middle *middle, int *trace, long d)
{
    const struct text *old = &middle->old;
    const struct text *new = &middle->new;

    for (long k = -d; k <= d; k += 2) {
        long x = d == 0                    ? 0
                 : comes_down(trace, d, k) ? *reached(trace, d - 1, k + 1)
                                           : *reached(trace, d - 1, k - 1) + 1;
        while (x < (long)old->n &&
               x - k <
                   (long)new->n &&same(&old->lines[x], &new->lines[x - k])) {
            x++;
        }
        *reached(trace, d, k) = (int)x;
        if (x >= (long)old->n && x - k >= (long)new->n) {
            return true;
        }
    }
    return false;
}

/* From the end back to the beginning: each edit of the shortest way. */
static void mark_way(const struct middle *middle, int *trace, long d)
{
    long k = (long)middle->old.n - (long)middle->new.n;

    for (; d > 0; d--) {
        bool down = comes_down(trace, d, k);
        k += down ? 1 : -1;
        long x = *reached(trace, d - 1, k);
        if (down) {
            middle->new.changed[x - k] = true;
        } else {
            middle->old.changed[x] = true;
        }
    }
}

static void mark_all(const struct text *text)
{
    for (size_t i = 0; i < text->n; i++) {
        text->changed[i] = true;
    }
}

static void mark_changes(const struct text *old, const struct text *new)
{
    struct middle middle = middle_of(old, new);
    long most = (long)(middle.old.n + middle.new.n);
    long edits = most < UNIFIED_EDITS ? most : UNIFIED_EDITS;
    _cleanup_free_ int *trace =
        must_calloc((size_t)((edits + 1) * (edits + 1)), sizeof(int));

    for (long d = 0; d <= edits; d++) {
        if (step_on(&middle, trace, d)) {
            mark_way(&middle, trace, d);
            return;
        }
    }
    mark_all(&middle.old);
    mark_all(&middle.new);
}

/* Hunks. A place in both texts; what stands there next is told by `changed`. */
struct at {
    size_t old, new;
};

static bool change_at(const struct text *old, const struct text *new,
                      struct at at)
{
    return (at.old < old->n && old->changed[at.old]) ||
           (at.new < new->n &&new->changed[at.new]);
}

static struct at behind_change(const struct text *old, const struct text *new,
                               struct at at)
{
    while (at.old < old->n && old->changed[at.old]) {
        at.old++;
    }
    while (at.new < new->n &&new->changed[at.new]) {
        at.new ++;
    }
    return at;
}

/* Over lines that both have, at most so many. */
static struct at over_same(const struct text *old, const struct text *new,
                           struct at at, size_t most)
{
    for (size_t i = 0; i < most && at.old < old->n && !change_at(old, new, at);
         i++) {
        at.old++;
        at.new ++;
    }
    return at;
}

/* The end of the hunk whose first change is here: changes that are less than
 * two contexts apart are in one. */
static struct at hunk_end(const struct text *old, const struct text *new,
                          struct at at)
{
    for (;;) {
        at = behind_change(old, new, at);
        struct at next = over_same(old, new, at, (size_t)2 * CONTEXT);
        if (!change_at(old, new, next)) {
            return over_same(old, new, at, CONTEXT);
        }
        at = next;
    }
}

static int put_line(char sign, const struct line *line, struct buf *out)
{
    bool whole = line->len > 0 && line->at[line->len - 1] == '\n';

    return buf_add(out, &sign, 1) != 0 ||
                   buf_add(out, line->at, line->len) != 0 ||
                   (!whole &&
                    buf_adds(out, "\n\\ No newline at end of file\n") != 0)
               ? -1
               : 0;
}

static int put_lines(const struct text *old, const struct text *new,
                     struct at at, struct at end, struct buf *out)
{
    int failed = 0;

    while (at.old < end.old || at.new < end.new) {
        if (at.old < end.old && old->changed[at.old]) {
            failed |= put_line('-', &old->lines[at.old++], out);
        } else if (at.new < end.new &&new->changed[at.new]) {
            failed |= put_line('+', &new->lines[at.new ++], out);
        } else {
            failed |= put_line(' ', &old->lines[at.old++], out);
            at.new ++;
        }
    }
    return failed;
}

/* Lines count from 1; where there is none, the one before is named. */
static int put_hunk(const struct text *old, const struct text *new,
                    struct at from, struct at end, struct buf *out)
{
    size_t gone = end.old - from.old;
    size_t come = end.new - from.new;

    return buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", from.old + (gone > 0),
                    gone, from.new + (come > 0), come) != 0
               ? -1
               : put_lines(old, new, from, end, out);
}

static int put_hunks(const struct text *old, const struct text *new,
                     struct buf *out)
{
    struct at at = {0, 0};
    int failed = 0;

    while (failed == 0) {
        struct at change = over_same(old, new, at, SIZE_MAX);
        if (!change_at(old, new, change)) {
            return 0;
        }
        size_t before =
            change.old - at.old < CONTEXT ? change.old - at.old : CONTEXT;
        struct at from = {change.old - before, change.new - before};
        at = hunk_end(old, new, change);
        failed = put_hunk(old, new, from, at, out);
    }
    return -1;
}

int unified_diff(const struct unified_side *old, const struct unified_side *new,
                 struct buf *out)
{
    _cleanup_(text_done) struct text before = text_of(old->text);
    _cleanup_(text_done) struct text after = text_of(new->text);

    if (buf_equal(old->text, new->text)) {
        return 0;
    }
    mark_changes(&before, &after);
    return buf_addf(out, "--- %s\n+++ %s\n", old->label, new->label) != 0
               ? -1
               : put_hunks(&before, &after, out);
}
