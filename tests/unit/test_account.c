/* test_account.c: users of this host, and a name service that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/account.h"

/* One that can't be asked has not said that there is nobody. Before all others:
 * what was looked up once may need no file any more. */
static void a_name_service_that_fails_may_be_asked_again(void **state)
{
    struct account account;
    struct err err = {0};
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {3, limit.rlim_max}; /* no file can be opened */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int found = account_find("daemon", &account, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(found, -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(err.status, EX_TEMPFAIL);
    assert_null(strstr(err.text, "there is none"));
    assert_int_equal(account_find("daemon", &account, &err), 0);
    assert_string_equal(account.name, "daemon");
    account_done(&account);
}

static void who_is_not_there_is_a_fault_of_the_configuration(void **state)
{
    struct account account;
    struct err err = {0};

    (void)state;
    assert_int_equal(account_find("no-such-user", &account, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_int_equal(err.status, EX_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_service_that_fails_may_be_asked_again),
        cmocka_unit_test(who_is_not_there_is_a_fault_of_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
