/*
 * sieve.c: which of many strings of bytes occur in files, or in what comes in.
 *
 * usage: sieve STRINGS [FILE...]; without files, standard input is looked at.
 * STRINGS holds one a line, in hex, of 8 bytes at least. Out: the numbers of
 * the lines (from 0) whose string occurs somewhere, each once. A file that
 * can't be opened is passed over: a server may have removed it meanwhile.
 *
 * For canary.py, which looks for tens of thousands of strings in gigabytes that
 * have no lines: grep -F does 6 MB/s there. Each place of the data is looked up
 * by its next 8 bytes in a table of bits that the processor's cache holds;
 * where one is set, in a larger one; and then among the strings.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/codec.h"

#define HEAD sizeof(uint64_t)
#define STRING_MAX 64
#define BLOCK (1UL << 20)
#define NEAR 21 /* log2 of the tables' bits */
#define FAR 25

struct string {
    uint64_t head; /* its first 8 bytes */
    size_t n;
    size_t line;
    bool found;
    unsigned char bytes[STRING_MAX];
};

struct sieve {
    struct string *strings; /* by head */
    size_t n;
    unsigned char near[(1UL << NEAR) / 8];
    unsigned char far[(1UL << FAR) / 8];
};

static uint64_t head_of(const unsigned char *bytes)
{
    uint64_t head;

    memcpy(&head, bytes, sizeof(head));
    return head;
}

static size_t near_bit(uint64_t head)
{
    return (size_t)((head * 0x9e3779b97f4a7c15U) >> (64 - NEAR));
}

static size_t far_bit(uint64_t head)
{
    return (size_t)((head * 0xd6e8feb86659fd93U) >> (64 - FAR));
}

static void set_bit(unsigned char *table, size_t bit)
{
    table[bit / 8] |= (unsigned char)(1U << bit % 8);
}

static bool has_bit(const unsigned char *table, size_t bit)
{
    return (table[bit / 8] & 1U << bit % 8) != 0;
}

static int by_head(const void *a, const void *b)
{
    uint64_t x = ((const struct string *)a)->head;
    uint64_t y = ((const struct string *)b)->head;

    return (x > y) - (x < y);
}

static void read_strings(struct sieve *sieve, FILE *file)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t len;
    size_t room = 0;

    while ((len = getline(&line, &size, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (sieve->n == room) {
            room = room == 0 ? 1024 : room * 2;
            sieve->strings =
                reallocarray(sieve->strings, room, sizeof(struct string));
        }
        struct string *string = &sieve->strings[sieve->n];
        *string = (struct string){.n = strlen(line) / 2, .line = sieve->n};
        if (string->n < HEAD || string->n > STRING_MAX ||
            hex_decode(line, string->bytes, string->n) != 0) {
            (void)fprintf(stderr, "sieve: line %zu\n", sieve->n);
            exit(64);
        }
        string->head = head_of(string->bytes);
        set_bit(sieve->near, near_bit(string->head));
        set_bit(sieve->far, far_bit(string->head));
        sieve->n++;
    }
    qsort(sieve->strings, sieve->n, sizeof(struct string), by_head);
}

/* The first string with this head, or where it would stand. */
static size_t first_of(const struct sieve *sieve, uint64_t head)
{
    size_t low = 0;
    size_t high = sieve->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sieve->strings[middle].head < head) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What begins in the first `n` bytes, of which `len` are there in all. */
static void look(struct sieve *sieve, const unsigned char *data, size_t n,
                 size_t len)
{
    for (size_t i = 0; i < n && i + HEAD <= len; i++) {
        uint64_t head = head_of(data + i);
        if (!has_bit(sieve->near, near_bit(head)) ||
            !has_bit(sieve->far, far_bit(head))) {
            continue;
        }
        for (size_t at = first_of(sieve, head);
             at < sieve->n && sieve->strings[at].head == head; at++) {
            struct string *string = &sieve->strings[at];
            string->found |= string->n <= len - i &&
                             memcmp(string->bytes, data + i, string->n) == 0;
        }
    }
}

/* Block by block; what may go on in the next one is looked at with it. */
static void sift(struct sieve *sieve, FILE *file)
{
    static unsigned char data[BLOCK + STRING_MAX];
    size_t len = 0;
    size_t got;

    while ((got = fread(data + len, 1, sizeof(data) - len, file)) > 0) {
        len += got;
        if (len > STRING_MAX) {
            look(sieve, data, len - STRING_MAX, len);
            memmove(data, data + len - STRING_MAX, STRING_MAX);
            len = STRING_MAX;
        }
    }
    look(sieve, data, len, len);
}

int main(int argc, char **argv)
{
    static struct sieve sieve;
    FILE *strings = argc < 2 ? NULL : fopen(argv[1], "re");

    if (strings == NULL) {
        (void)fprintf(stderr, "usage: sieve STRINGS [FILE...]\n");
        return 64;
    }
    read_strings(&sieve, strings);
    (void)fclose(strings);
    if (argc == 2) {
        sift(&sieve, stdin);
    }
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "re");
        if (file != NULL) {
            sift(&sieve, file);
            (void)fclose(file);
        }
    }
    for (size_t i = 0; i < sieve.n; i++) {
        if (sieve.strings[i].found) {
            printf("%zu\n", sieve.strings[i].line);
        }
    }
    free(sieve.strings);
    return 0;
}
