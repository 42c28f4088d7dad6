/* profile.c: see profile.h. The session is session_file.c's. */
#include "producer/submit/profile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/file.h"
#include "trust/proof.h"

#define FILE_MAX (1 << 20)
#define BROKERS "bootstrap.servers"

static const struct config_key keys[] = {
    {.section = "root", .key = "keys", .kind = CONFIG_FILES},
    {.section = "profile",
     .key = "password_file",
     .kind = CONFIG_TEXT,
     .help = "a private file whose first line unlocks the key"},
    {.section = "profile",
     .key = "answer_within",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .min = 1,
     .max = 600,
     .help = "how long an answer is waited for"},
};

/* Absolute, also where the directory is not there yet. */
static char *absolute(const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL) {
        return must_strdup(path);
    }
    return must_printf("%s/%s", cwd, path);
}

char *profile_directory(struct err *err)
{
    const char *profile = getenv("ERRAND_PROFILE");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (profile != NULL && profile[0] != '\0') {
        return absolute(profile);
    }
    if (config != NULL && config[0] == '/') {
        return must_printf("%s/errand", config);
    }
    if (home != NULL && home[0] == '/') {
        return must_printf("%s/.config/errand", home);
    }
    (void)err_exit(err, EX_CONFIG,
                   "neither ERRAND_PROFILE nor HOME says where the profile is");
    return NULL;
}

char *profile_path(const struct profile *profile, const char *name)
{
    return name[0] == '/' ? must_strdup(name)
                          : must_printf("%s/%s", profile->directory, name);
}

/* Paths in the profile's config are relative to it. */
static int read_roots(struct profile *profile, struct err *err)
{
    struct list names = config_files(&profile->config, "root", "keys");
    struct list paths = {0};

    for (size_t i = 0; i < names.n; i++) {
        _cleanup_free_ char *path =
            profile_path(profile, list_at(&names, char *, i));
        texts_add(&paths, path);
    }
    int done = roots_read(&paths, &profile->roots, err);
    texts_done(&names);
    texts_done(&paths);
    if (done != 0) {
        err->status = EX_CONFIG;
    }
    return done;
}

/* What the file says; where it says nothing, `otherwise` (NULL: none) or the
 * environment. */
static void set_brokers(const struct config *config, const char *otherwise,
                        struct list *ret_kafka)
{
    const char *brokers =
        otherwise == NULL ? getenv("ERRAND_BROKERS") : otherwise;

    pairs_add_all(ret_kafka, &config->kafka);
    if (brokers != NULL && brokers[0] != '\0' &&
        pairs_get(ret_kafka, BROKERS) == NULL) {
        pairs_add(ret_kafka, BROKERS, brokers);
    }
}

int profile_brokers(const char *directory, const char *brokers,
                    struct list *ret_kafka, struct err *err)
{
    _cleanup_free_ char *path = must_printf("%s/config", directory);
    struct config config = {0};

    if (file_exists(path) &&
        config_read(path, keys, ARRAY_SIZE(keys), &config, err) != 0) {
        return -1;
    }
    set_brokers(&config, brokers, ret_kafka);
    config_done(&config);
    return 0;
}

int profile_pins(const char *directory, struct roots *ret_roots,
                 struct err *err)
{
    struct profile profile = {.directory = (char *)directory};
    _cleanup_free_ char *path = profile_path(&profile, "config");

    if (!file_exists(path)) {
        return 0;
    }
    if (config_read(path, keys, ARRAY_SIZE(keys), &profile.config, err) != 0) {
        return -1;
    }
    int done = config_text(&profile.config, "root", "keys") == NULL
                   ? 0
                   : read_roots(&profile, err);
    config_done(&profile.config);
    *ret_roots = profile.roots;
    return done;
}

static int read_config(struct profile *profile, struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "config");

    if (!file_exists(path)) {
        return err_exit(err, EX_CONFIG,
                        "no profile in %s: `submit verify` makes one from an "
                        "invitation, `submit init` a new installation; "
                        "ERRAND_PROFILE names another directory",
                        profile->directory);
    }
    if (config_read(path, keys, ARRAY_SIZE(keys), &profile->config, err) != 0) {
        return -1;
    }
    if (config_text(&profile->config, "root", "keys") == NULL) {
        return err_exit(err, EX_CONFIG,
                        "%s: [root] keys is missing: the root key that this "
                        "profile trusts (keys = root.pub), as `submit init` "
                        "and `submit verify` write it",
                        path);
    }
    if (read_roots(profile, err) != 0) {
        return -1;
    }
    set_brokers(&profile->config, NULL, &profile->kafka);
    return 0;
}

/* Who this is: what names the own key, checked up to a pin. */
static int check_person(struct profile *profile, const char *path,
                        struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&profile->roots, NULL, NULL);
    struct person person;

    if (profile->enrolment.n == 0) {
        return err_exit(err, EX_CONFIG, "%s: holds no envelope", path);
    }
    profile->by =
        envelope_hash(&list_at(&profile->enrolment, struct envelope, 0));
    if (proof_add_all(proof, &profile->enrolment, err) != 0 ||
        proof_person(proof, &profile->by, &person, err) != 0) {
        err->status = EX_CONFIG;
        return err_wrap(err, "%s", path);
    }
    profile->root = person.root;
    profile->user = person.user;
    profile->key = person.key;
    profile->email = must_strdup(person.email);
    profile->role = person.role;
    profile->service = person.service;
    return 0;
}

static int read_enrolment(struct profile *profile, struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "enrolment.json");
    _cleanup_buf_ struct buf json = {0};
    struct envelopes envelopes;

    if (file_read(path, FILE_MAX, &json, err) != 0 ||
        table_decode(&envelopes_table, json.data, json.len, &envelopes, err)) {
        if (err->status == 0) {
            (void)err_wrap(err, "%s", path);
        }
        err->status = EX_CONFIG;
        return -1;
    }
    profile->enrolment = envelopes.list;
    return check_person(profile, path, err);
}

struct profile *profile_open(struct err *err)
{
    struct profile *profile = must_calloc(1, sizeof(*profile));

    profile->directory = profile_directory(err);
    if (profile->directory == NULL || read_config(profile, err) != 0 ||
        read_enrolment(profile, err) != 0) {
        profile_free(profile);
        return NULL;
    }
    return profile;
}

void profile_free(struct profile *profile)
{
    if (profile == NULL) {
        return;
    }
    config_done(&profile->config);
    pairs_done(&profile->kafka);
    roots_done(&profile->roots);
    envelopes_done(&profile->enrolment);
    free(profile->email);
    free(profile->directory);
    free(profile);
}

const char *profile_password_file(const struct profile *profile)
{
    return config_text(&profile->config, "profile", "password_file");
}

int64_t profile_answer_within(const struct profile *profile)
{
    return config_int(&profile->config, "profile", "answer_within") * 1000;
}

/* One name for a profile, the same whatever path led to it. */
static void profile_hash(const struct profile *profile,
                         char text[static HASH_TEXT])
{
    char real[PATH_MAX];
    const char *path =
        realpath(profile->directory, real) != NULL ? real : profile->directory;
    struct hash hash = hash_of(path, strlen(path));

    hash_format(&hash, text);
}

char *profile_keyring_name(const struct profile *profile)
{
    char hash[HASH_TEXT];

    profile_hash(profile, hash);
    return must_printf("errand:%.32s", hash);
}

char *profile_session_path(const struct profile *profile, struct err *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char hash[HASH_TEXT];
    struct stat st;

    if (runtime == NULL || runtime[0] != '/' || stat(runtime, &st) != 0 ||
        !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
        return profile_path(profile, "session.json");
    }
    profile_hash(profile, hash);
    _cleanup_free_ char *directory =
        must_printf("%s/errand/%.32s", runtime, hash);
    if (directory_make(directory, err) != 0) {
        return NULL;
    }
    return must_printf("%s/session.json", directory);
}

/* What was seen */

int profile_checkpoints_read(const struct profile *profile,
                             struct checkpoints *ret_seen, struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "audit.json");
    _cleanup_buf_ struct buf json = {0};

    *ret_seen = (struct checkpoints){0};
    if (file_exists(path) && (file_read(path, FILE_MAX, &json, err) != 0 ||
                              table_decode(&checkpoints_table, json.data,
                                           json.len, ret_seen, err) != 0)) {
        return err_wrap(err, "%s", path);
    }
    return 0;
}

int profile_checkpoints_write(const struct profile *profile,
                              const struct checkpoints *seen, struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "audit.json");
    _cleanup_buf_ struct buf json = {0};

    return table_encode(&checkpoints_table, seen, &json, err) != 0
               ? -1
               : file_put(path, json.data, json.len, 0600, err);
}

/* The cache */

static char *cache_path(const struct profile *profile, const struct hash *hash)
{
    char text[HASH_TEXT];

    hash_format(hash, text);
    return must_printf("%s/cache/%s.json", profile->directory, text);
}

int profile_cache_get(const struct profile *profile, const struct hash *hash,
                      struct envelope *ret_envelope)
{
    _cleanup_free_ char *path = cache_path(profile, hash);
    _cleanup_buf_ struct buf json = {0};
    struct envelope envelope;
    struct err ignored = {0};

    if (!file_exists(path) || file_read(path, FILE_MAX, &json, &ignored) != 0 ||
        envelope_decode(json.data, json.len, &envelope, &ignored) != 0) {
        return 1;
    }
    struct hash found = envelope_hash(&envelope);
    if (!hash_equal(&found, hash)) {
        envelope_done(&envelope);
        return 1;
    }
    *ret_envelope = envelope;
    return 0;
}

void profile_cache_put(const struct profile *profile,
                       const struct envelope *envelope)
{
    struct hash hash = envelope_hash(envelope);
    _cleanup_free_ char *path = cache_path(profile, &hash);
    _cleanup_free_ char *directory = profile_path(profile, "cache");
    _cleanup_buf_ struct buf json = {0};
    struct err ignored = {0};

    if (!file_exists(path) && directory_make(directory, &ignored) == 0 &&
        envelope_encode(envelope, &json, &ignored) == 0) {
        (void)file_write(path, json.data, json.len, 0600, true, &ignored);
    }
}
