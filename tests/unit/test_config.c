/* test_config.c: what a configuration file may say, and how it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "io/config.h"

static const struct config_key keys[] = {
    {"service", "name", CONFIG_NAME, .required = true, .help = "who it is"},
    {"service", "ready-file", CONFIG_TEXT, .help = "a file"},
    {"pool", "slots", CONFIG_INT, .fallback = "4", .min = 1, .max = 64},
    {"pool", "tick", CONFIG_DURATION, .fallback = "1s", .max = 60},
    {"root", "keys", CONFIG_FILES, .help = "pins"},
};

static char path[] = "/tmp/config-XXXXXX";

static int write_file(const char *bytes, size_t n)
{
    struct err err = {0};

    return file_write(path, bytes, n, 0600, true, &err);
}

static int read_text(const char *text, struct config *ret_config,
                     struct err *err)
{
    assert_int_equal(write_file(text, strlen(text)), 0);
    return config_read(path, keys, ARRAY_SIZE(keys), ret_config, err);
}

/* The value of one key in a file that is good. */
static void assert_value(const char *text, const char *section, const char *key,
                         const char *expected)
{
    struct config config;
    struct err err = {0};

    assert_int_equal(read_text(text, &config, &err), 0);
    const char *got = config_text(&config, section, key);
    if (expected == NULL) {
        assert_null(got);
    } else {
        assert_non_null(got);
        assert_string_equal(got, expected);
    }
    config_done(&config);
}

static void assert_refused(const char *bytes, size_t n, const char *expected)
{
    struct config config;
    struct err err = {0};

    assert_int_equal(write_file(bytes, n), 0);
    assert_int_equal(config_read(path, keys, ARRAY_SIZE(keys), &config, &err),
                     -1);
    assert_int_equal(err.status, EX_CONFIG);
    assert_non_null(strstr(err.text, path));
    if (strstr(err.text, expected) == NULL) {
        fail_msg("'%s' does not say '%s'", err.text, expected);
    }
}

#define NAMED "[service]\nname = a\n"

static void a_value_is_all_that_follows_the_equals_sign(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } cases[] = {
        {NAMED "ready-file = x", "x"},
        {NAMED "ready-file=x\n", "x"},
        {NAMED "ready-file \t=\t x \t\n", "x"},
        {NAMED "ready-file = a ; b # c", "a ; b # c"},
        {NAMED "ready-file = a=b", "a=b"},
        {NAMED "ready-file = \"quoted\"", "\"quoted\""},
        {NAMED "ready-file = Grüße", "Grüße"},
        {NAMED "# ready-file = x\n; ready-file = x\n\n", NULL},
        {"[pool]\nslots=1\n" NAMED "ready-file = x", "x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_value(cases[i].text, "service", "ready-file", cases[i].value);
    }
}

static void what_is_wrong_is_refused_with_its_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "[service] name is missing: who it is"},
        {"[service]\nnmae = a", ":2: unknown key 'nmae' in [service]; there "
                                "are: name, ready-file"},
        {NAMED "[pol]\n", ":3: unknown section [pol]; there are: [kafka], "
                          "[service], [pool], [root]"},
        {NAMED "name = b", ":3: 'name' in [service] is here for the second"},
        {NAMED "[kafka]\na = 1\na = 2", ":5: 'a' in [kafka] is here for the"},
        {"name = a", ":1: stands before the first [section]"},
        {NAMED "ready-file", ":3: neither [section] nor key = value"},
        {NAMED "= x", ":3: neither"},
        {NAMED "ready-file =", ":3: 'ready-file' has no value"},
        {NAMED " ready-file = x", ":3: begins with a blank"},
        {NAMED "ready-file = x\n  and more\n", ":4: begins with a blank"},
        {NAMED "[pool\n", ":3: a section is a line like [service]"},
        {NAMED "[]\n", ":3: a section is"},
        {"[service]\r\nname = a\r\n", ":1: holds a carriage return"},
        {"\xef\xbb\xbf[service]\nname = a\n", ":1: begins with a byte order"},
        {"[service]\nname = A_b", ":2: 'name': not a name"},
        {NAMED "[pool]\nslots = 0", ":4: 'slots': not within 1 to 64"},
        {NAMED "[pool]\nslots = 65", ":4: 'slots': not within 1 to 64"},
        {NAMED "[pool]\nslots = 4x", ":4: 'slots': not a whole number"},
        {NAMED "[pool]\nslots = 99999999999999999999", "not a whole number"},
        {NAMED "[pool]\ntick = 5", ":4: 'tick': not a duration like 30s"},
        {NAMED "[pool]\ntick = 2m", ":4: 'tick': not within 0 to 60"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_refused(cases[i].text, strlen(cases[i].text), cases[i].expected);
    }
}

static void a_nul_and_a_line_that_is_too_long_are_refused(void **state)
{
    static const char nul[] = NAMED "ready-file = a\0b\n";
    char text[5000];

    (void)state;
    assert_refused(nul, sizeof(nul) - 1, ":3: holds a NUL byte");
    memset(text, '#', sizeof(text));
    assert_refused(text, sizeof(text), ":1: longer than 4,096 bytes");
}

static void a_file_that_is_not_there_is_refused_by_name(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        config_read("/nowhere/x", keys, ARRAY_SIZE(keys), &config, &err), -1);
    assert_int_equal(err.status, EX_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/x: No such file"));
}

static void what_is_absent_has_its_fallback_or_is_null(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(NAMED, &config, &err), 0);
    assert_int_equal(config_int(&config, "pool", "slots"), 4);
    assert_int_equal(config_int(&config, "pool", "tick"), 1);
    assert_null(config_text(&config, "root", "keys"));
    assert_int_equal(config_files(&config, "root", "keys").n, 0);
    config_done(&config);
}

static void numbers_are_numbers_and_durations_are_seconds(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        read_text(NAMED "[pool]\nslots = 64\ntick = 1m\n", &config, &err), 0);
    assert_int_equal(config_int(&config, "pool", "slots"), 64);
    assert_int_equal(config_int(&config, "pool", "tick"), 60);
    config_done(&config);
}

static void files_are_parted_by_commas_and_trimmed(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        read_text(NAMED "[root]\nkeys = /a b, /c ,,/d\n", &config, &err), 0);
    struct list files = config_files(&config, "root", "keys");
    assert_int_equal(files.n, 3);
    assert_string_equal(list_at(&files, char *, 0), "/a b");
    assert_string_equal(list_at(&files, char *, 1), "/c");
    assert_string_equal(list_at(&files, char *, 2), "/d");
    texts_done(&files);
    config_done(&config);
}

static void the_section_kafka_takes_any_key_as_it_is(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(NAMED
                               "[kafka]\nbootstrap.servers = h:1,i:2\nx = y\n",
                               &config, &err),
                     0);
    assert_int_equal(config.kafka.n, 2);
    assert_string_equal(pairs_get(&config.kafka, "bootstrap.servers"),
                        "h:1,i:2");
    config_done(&config);
}

static void assert_environment(const char *name, const char *value,
                               const char *section, const char *key,
                               const char *expected)
{
    assert_int_equal(setenv(name, value, 1), 0);
    assert_value(NAMED "ready-file = x\n[pool]\nslots = 2\n", section, key,
                 expected);
    assert_int_equal(unsetenv(name), 0);
}

static void the_environment_overrides_the_file(void **state)
{
    (void)state;
    assert_environment("ERRAND_CONF_SERVICE_NAME", "b", "service", "name", "b");
    assert_environment("ERRAND_CONF_SERVICE_READY_FILE", "y", "service",
                       "ready-file", "y");
    assert_environment("ERRAND_CONF_POOL_SLOTS", "9", "pool", "slots", "9");
    assert_environment("ERRAND_CONF_ROOT_KEYS", "/r", "root", "keys", "/r");
    assert_environment("ERRAND_CONF_OTHER_KEY", "1", "pool", "slots", "2");
}

static void in_the_environment_kafka_has_underscores_for_dots(void **state)
{
    struct config config;
    struct err err = {0};

    (void)state;
    assert_int_equal(setenv("ERRAND_CONF_KAFKA_BOOTSTRAP_SERVERS", "j:3", 1),
                     0);
    assert_int_equal(
        read_text(NAMED "[kafka]\nbootstrap.servers = h:1\n", &config, &err),
        0);
    assert_int_equal(unsetenv("ERRAND_CONF_KAFKA_BOOTSTRAP_SERVERS"), 0);
    assert_int_equal(config.kafka.n, 1);
    assert_string_equal(pairs_get(&config.kafka, "bootstrap.servers"), "j:3");
    config_done(&config);
}

static void a_bad_variable_is_refused_by_its_name(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        {"ERRAND_CONF_SERVICE_NMAE", "b"},
        {"ERRAND_CONF_SERVICE_NAME", "B"},
        {"ERRAND_CONF_SERVICE_NAME", ""},
        {"ERRAND_CONF_POOL_SLOTS", "none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config config;
        struct err err = {0};
        assert_int_equal(setenv(cases[i].name, cases[i].value, 1), 0);
        assert_int_equal(read_text(NAMED, &config, &err), -1);
        assert_int_equal(unsetenv(cases[i].name), 0);
        assert_int_equal(err.status, EX_CONFIG);
        assert_non_null(strstr(err.text, cases[i].name));
    }
}

static void one_value_is_taken_from_another_and_the_rest_stays(void **state)
{
    struct config config;
    struct config later;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        read_text(NAMED "ready-file = x\n[pool]\nslots = 2\n", &config, &err),
        0);
    const char *name = config_text(&config, "service", "name");
    assert_int_equal(
        read_text("[service]\nname = b\n[pool]\nslots = 9\ntick = 5s\n", &later,
                  &err),
        0);
    config_take(&config, &later, "pool", "slots");
    config_take(&config, &later, "service", "ready-file");
    config_take(&config, &later, "root", "keys"); /* in neither */
    config_done(&later);
    assert_int_equal(config_int(&config, "pool", "slots"), 9);
    assert_int_equal(config_int(&config, "pool", "tick"), 1);
    assert_null(config_text(&config, "service", "ready-file"));
    assert_ptr_equal(config_text(&config, "service", "name"), name);
    config_done(&config);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_all_that_follows_the_equals_sign),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line_and_key),
        cmocka_unit_test(a_nul_and_a_line_that_is_too_long_are_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_refused_by_name),
        cmocka_unit_test(what_is_absent_has_its_fallback_or_is_null),
        cmocka_unit_test(numbers_are_numbers_and_durations_are_seconds),
        cmocka_unit_test(files_are_parted_by_commas_and_trimmed),
        cmocka_unit_test(the_section_kafka_takes_any_key_as_it_is),
        cmocka_unit_test(the_environment_overrides_the_file),
        cmocka_unit_test(in_the_environment_kafka_has_underscores_for_dots),
        cmocka_unit_test(a_bad_variable_is_refused_by_its_name),
        cmocka_unit_test(one_value_is_taken_from_another_and_the_rest_stays),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
