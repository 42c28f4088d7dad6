/* key_file.c: key files and root files, see keys.h. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "trust/keys.h"

#define FORMAT "errand key 1"
#define SEEDS 64

const struct lock_cost lock_cost_default = {.ops = 3, .memory = 256LL << 20};

struct key_file {
    char *format;
    struct key32 key; /* public halves, for who only wants to know whose */
    struct key32 box;
    struct buf seeds;  /* in clear; or: */
    struct buf locked; /* nonce and secretbox of the seeds */
    unsigned char salt[crypto_pwhash_SALTBYTES];
    struct lock_cost cost;
};

static const struct field key_file_fields[] = {
    {"format", FIELD_TEXT, .at = offsetof(struct key_file, format)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct key_file, key)},
    {"box", FIELD_FIXED, .max = 32, .at = offsetof(struct key_file, box)},
    {"seeds", FIELD_BYTES, .optional = true, .max = SEEDS,
     .at = offsetof(struct key_file, seeds)},
    {"locked", FIELD_BYTES, .optional = true, .max = 200,
     .at = offsetof(struct key_file, locked)},
    {"argon2id_salt", FIELD_FIXED, .optional = true,
     .max = crypto_pwhash_SALTBYTES, .at = offsetof(struct key_file, salt)},
    {"argon2id_ops", FIELD_INT, .optional = true, .max = 1000,
     .at = offsetof(struct key_file, cost.ops)},
    {"argon2id_memory", FIELD_INT, .optional = true, .max = 1LL << 36,
     .at = offsetof(struct key_file, cost.memory)},
};

static const struct table key_file_table = {.name = "key file",
                                            TABLE(key_file_fields),
                                            .size = sizeof(struct key_file)};

static void key_file_done(struct key_file *file)
{
    if (file->seeds.data != NULL) {
        sodium_memzero(file->seeds.data, file->seeds.cap);
    }
    table_done(&key_file_table, file);
}

static void wiped_buf_done(struct buf *buf)
{
    if (buf->data != NULL) {
        sodium_memzero(buf->data, buf->cap);
    }
    buf_done(buf);
}

struct lock_cost lock_cost_now(void)
{
    const char *test = getenv("ERRAND_TEST_LOCK_COST");

    if (test != NULL && strcmp(test, "low") == 0) {
        return (struct lock_cost){.ops = 1, .memory = 8LL << 20};
    }
    return lock_cost_default;
}

/* The key under which a password locks; 32 bytes. */
static int stretch(const struct key_file *file, const char *password,
                   unsigned char *ret_key, struct err *err)
{
    if (crypto_pwhash(
            ret_key, crypto_secretbox_KEYBYTES, password, strlen(password),
            file->salt, (unsigned long long)file->cost.ops,
            (size_t)file->cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return err_set(err, ERR_RETRY,
                       "not enough memory to try a password: it takes %lld "
                       "MiB",
                       (long long)file->cost.memory >> 20);
    }
    return 0;
}

static int lock(struct key_file *file, const struct key_pair *pair,
                const char *password, struct err *err)
{
    unsigned char key[crypto_secretbox_KEYBYTES];
    unsigned char
        out[crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + SEEDS];

    randombytes_buf(file->salt, sizeof(file->salt));
    file->cost = lock_cost_now();
    if (stretch(file, password, key, err) != 0) {
        return -1;
    }
    randombytes_buf(out, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, pair->secret,
                                SEEDS, out, key);
    sodium_memzero(key, sizeof(key));
    return buf_add(&file->locked, out, sizeof(out));
}

static int unlock(struct key_file *file, const char *password, struct err *err)
{
    struct lock_cost floor = lock_cost_now();
    unsigned char key[crypto_secretbox_KEYBYTES];
    unsigned char seeds[SEEDS];

    if (password == NULL) {
        return err_exit(err, EX_NOPERM, "the key is locked by a password");
    }
    if (file->cost.ops < floor.ops || file->cost.memory < floor.memory ||
        file->locked.len !=
            crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + SEEDS) {
        return err_set(err, ERR_REJECT,
                       "its lock is too cheap to be trusted "
                       "(%lld passes over %lld MiB)",
                       (long long)file->cost.ops,
                       (long long)file->cost.memory >> 20);
    }
    if (stretch(file, password, key, err) != 0) {
        return -1;
    }
    int opened = crypto_secretbox_open_easy(
        seeds, file->locked.data + crypto_secretbox_NONCEBYTES,
        crypto_secretbox_MACBYTES + SEEDS, file->locked.data, key);
    sodium_memzero(key, sizeof(key));
    if (opened != 0) {
        return err_exit(err, EX_NOPERM, "wrong password");
    }
    (void)buf_add(&file->seeds, seeds, sizeof(seeds));
    sodium_memzero(seeds, sizeof(seeds));
    return 0;
}

int key_file_write(const char *path, const struct key_pair *pair,
                   const char *password, bool replace, struct err *err)
{
    _cleanup_(key_file_done) struct key_file file = {
        .format = must_strdup(FORMAT), .key = pair->key, .box = pair->box};
    _cleanup_(wiped_buf_done) struct buf json = {0};

    if (password != NULL ? lock(&file, pair, password, err) != 0
                         : buf_add(&file.seeds, pair->secret, SEEDS) != 0) {
        return err_wrap(err, "%s", path);
    }
    if (table_encode(&key_file_table, &file, &json, err) != 0) {
        return err_wrap(err, "%s", path);
    }
    (void)buf_adds(&json, "\n");
    return file_write(path, json.data, json.len, 0600, replace, err);
}

int key_file_read(const char *path, const char *password,
                  struct key_pair **ret_pair, struct err *err)
{
    _cleanup_(key_file_done) struct key_file file = {0};
    _cleanup_(wiped_buf_done) struct buf json = {0};

    if (file_read_private(path, 4096, &json, err) != 0) {
        return -1;
    }
    if (table_decode(&key_file_table, json.data, json.len, &file, err) != 0) {
        return err_wrap(err, "%s", path);
    }
    if (strcmp(file.format, FORMAT) != 0) {
        return err_set(err, ERR_REJECT, "%s: not an '%s' file", path, FORMAT);
    }
    if (file.seeds.len == 0 && unlock(&file, password, err) != 0) {
        return err_wrap(err, "%s", path);
    }
    if (file.seeds.len != SEEDS) {
        return err_set(err, ERR_REJECT, "%s: damaged", path);
    }
    _cleanup_key_pair_ struct key_pair *pair =
        key_pair_from_seeds(file.seeds.data);
    if (memcmp(pair->key.b, file.key.b, sizeof(file.key.b)) != 0) {
        return err_set(err, ERR_REJECT,
                       "%s: damaged: its two halves are of "
                       "different keys",
                       path);
    }
    *ret_pair = take_ptr(pair);
    return 0;
}

int root_file_write(const char *path, const struct key32 *key, struct err *err)
{
    _cleanup_free_ char *text = base64_encode(key->b, sizeof(key->b));
    _cleanup_free_ char *line = must_printf("%s\n", text);

    return file_write(path, line, strlen(line), 0644, false, err);
}

int roots_read(const struct list *paths, struct roots *ret_roots,
               struct err *err)
{
    struct roots roots = {0};

    for (size_t i = 0; i < paths->n; i++) {
        const char *path = list_at(paths, char *, i);
        _cleanup_buf_ struct buf text = {0};
        if (file_read(path, 200, &text, err) != 0) {
            roots_done(&roots);
            return -1;
        }
        char *line = (char *)text.data;
        line[strcspn(line, "\r\n")] = '\0';
        struct key32 *key = list_grow(&roots.keys, sizeof(*key));
        if (base64_decode_fixed(line, key->b, sizeof(key->b)) != 0) {
            roots_done(&roots);
            return err_exit(err, EX_CONFIG,
                            "%s: not a root key: one line, the "
                            "base64 of 32 bytes",
                            path);
        }
    }
    *ret_roots = roots;
    return 0;
}
