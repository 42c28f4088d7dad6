/* forge.c: see forge.h. */
#include "forge.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"

#define GROWN_MAX (1U << 18) /* bytes of one payload */
#define NO_PLACE FORGE_LINES
#define SOON 50000
#define LATER 3600000

const struct key_pair *forge_key(unsigned char letter)
{
    static struct key_pair *all[256];
    unsigned char seed[16] = "a letter's key ";

    if (all[letter] == NULL) {
        seed[15] = letter;
        all[letter] = key_pair_from_invitation(seed);
    }
    return all[letter];
}

void forge_init(struct forge *forge)
{
    *forge = (struct forge){0};
    *(struct key32 *)list_grow(&forge->roots.keys, sizeof(struct key32)) =
        forge_key('R')->key;
}

void forge_done(struct forge *forge)
{
    roots_done(&forge->roots);
    envelopes_done(&forge->lines);
}

/* What stands for something: written where it is known. */

static size_t place(char letter)
{
    static const char letters[] = "123456789abcdefghijklmno";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);

    return found == NULL ? NO_PLACE : (size_t)(found - letters);
}

static struct hash root(void)
{
    return key_id(&forge_key('R')->key);
}

static void put_key(struct buf *out, const struct key32 *key)
{
    _cleanup_free_ char *text = base64_encode(key->b, sizeof(key->b));

    (void)buf_adds(out, text);
}

static void put_hash(struct buf *out, const struct hash *hash)
{
    char text[HASH_TEXT];

    hash_format(hash, text);
    (void)buf_adds(out, text);
}

static void put_id(struct buf *out, const struct id *id)
{
    char text[ID_TEXT];

    id_format(id, text);
    (void)buf_adds(out, text);
}

static void put_time(struct buf *out, int64_t after)
{
    char text[TIME_TEXT];

    time_format(FORGE_NOW + after, text);
    (void)buf_adds(out, text);
}

static void put_own_id(struct forge *forge, struct buf *out)
{
    struct id id = {0};
    int64_t ms = FORGE_NOW;

    for (int i = 5; i >= 0; i--, ms >>= 8) {
        id.b[i] = (unsigned char)ms;
    }
    id.b[6] = 0x70;
    id.b[8] = 0x80;
    id.b[15] = (unsigned char)++forge->ids;
    put_id(out, &id);
}

static void put_user(struct buf *out, char letter)
{
    struct hash of = root();
    struct id id = user_id(&of, &forge_key((unsigned char)letter)->key);

    put_id(out, &id);
}

/* Of a line, as it says it; all zero: it does not, or is not there yet. */
static struct id id_said(const struct forge *forge, size_t n)
{
    static const char member[] = "\"id\":\"";
    const struct buf *payload =
        n < forge->lines.n ? &list_at(&forge->lines, struct envelope, n).payload
                           : NULL;
    const char *at = payload == NULL ? NULL
                                     : memmem(payload->data, payload->len,
                                              member, sizeof(member) - 1);
    char text[ID_TEXT] = "";
    struct id id = {0};

    if (at != NULL) {
        (void)snprintf(text, sizeof(text), "%.36s", at + sizeof(member) - 1);
    }
    return id_parse(text, &id) == 0 ? id : (struct id){0};
}

static void put_execution(const struct forge *forge, struct buf *out, size_t n,
                          int64_t attempt)
{
    struct id run = id_said(forge, n);
    bool ticked =
        n < forge->lines.n &&
        strstr(list_at(&forge->lines, struct envelope, n).type, "tick") != NULL;
    struct hash key = run_key(&run, &forge->hashes[n], ticked);
    struct id id = execution_id(&run, &key, "web-1", attempt);

    put_id(out, &id);
}

static void put_proof(const struct forge *forge, struct buf *out)
{
    struct err ignored = {0};

    (void)buf_adds(out, "[");
    for (size_t i = 0; i < forge->lines.n && out->len < GROWN_MAX; i++) {
        (void)buf_adds(out, i == 0 ? "" : ",");
        (void)envelope_encode(&list_at(&forge->lines, struct envelope, i), out,
                              &ignored);
    }
    (void)buf_adds(out, "]");
}

/* Those that say of which line or letter. */
static bool put_of(const struct forge *forge, struct buf *out, char what,
                   char of)
{
    size_t n = place(of);

    if (what == 'k') {
        put_key(out, &forge_key((unsigned char)of)->key);
    } else if (what == 'b') {
        put_key(out, &forge_key((unsigned char)of)->box);
    } else if (what == 'u') {
        put_user(out, of);
    } else if (what == 'h' && n != NO_PLACE) {
        put_hash(out, &forge->hashes[n]);
    } else if ((what == 'e' || what == 'f') && n != NO_PLACE) {
        put_execution(forge, out, n, what == 'e' ? 1 : 2);
    } else {
        return false;
    }
    return true;
}

static bool put_alone(struct forge *forge, struct buf *out, char what)
{
    struct hash hash = root();

    if (what == 'r') {
        put_hash(out, &hash);
    } else if (what == 'n') {
        put_own_id(forge, out);
    } else if (what == 't' || what == 's' || what == 'l') {
        put_time(out, what == 't' ? 0 : what == 's' ? SOON : LATER);
    } else {
        return false;
    }
    return true;
}

/* How much of the text was written as something else; 0: nothing. */
static size_t put(struct forge *forge, struct buf *out, const char *at)
{
    if (strncmp(at, "\"$P\"", 4) == 0) {
        put_proof(forge, out);
        return 4;
    }
    if (at[0] != '$' || at[1] == '\0') {
        return 0;
    }
    if (at[2] != '\0' && put_of(forge, out, at[1], at[2])) {
        return 3;
    }
    return put_alone(forge, out, at[1]) ? 2 : 0;
}

static void write_payload(struct forge *forge, const char *text,
                          struct buf *out)
{
    while (*text != '\0' && out->len < GROWN_MAX) {
        size_t done = put(forge, out, text);
        if (done == 0) {
            (void)buf_add(out, text, 1);
            done = 1;
        }
        text += done;
    }
}

/* SIGNERS TYPE PAYLOAD */
static void sign_line(struct forge *forge, char *line, const char *kept)
{
    char *type = strchr(line, ' ');
    char *payload = type == NULL ? NULL : strchr(type + 1, ' ');
    _cleanup_envelope_ struct envelope envelope = {0};
    struct err ignored = {0};

    if (payload == NULL || forge->lines.n == FORGE_LINES) {
        return;
    }
    *type = *payload = '\0';
    envelope.type = must_printf("errand.%s.v1", type + 1);
    write_payload(forge, payload + 1, &envelope.payload);
    for (const char *s = line; *s != '\0' && s < line + 3; s++) {
        bool stolen = kept == NULL || strchr(kept, *s) == NULL;
        (void)envelope_sign(
            &envelope, forge_key(stolen ? (unsigned char)*s : 'E'), &ignored);
    }
    forge->hashes[forge->lines.n] = envelope_hash(&envelope);
    envelopes_add(&forge->lines, &envelope);
}

void forge_sign(struct forge *forge, const char *text, const char *kept)
{
    _cleanup_free_ char *copy = must_strdup(text);
    char *rest = NULL;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        sign_line(forge, line, kept);
    }
}
