"""test_card_numbers.py: card numbers as other people see them: python-stdnum says
which are mistyped, Faker makes numbers of each brand. No stack is needed.

build/<variant>/tests/verdict --cards tells what common/model/card.c says.
"""
import os
import random
import re
import subprocess

import faker
import pytest
import stdnum.luhn

from test_schemas import VERDICT

SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
MANY = 500


def said(numbers):
    done = subprocess.run([VERDICT, "--cards"], text=True, check=True,
                          input="".join(f"{n}\n" for n in numbers),
                          stdout=subprocess.PIPE).stdout.splitlines()
    assert len(done) == len(numbers)
    return done


@pytest.fixture(scope="module")
def maker():
    made = faker.Faker()
    made.seed_instance(SEED)
    return made


# Faker's 35 is all of 3500 to 3599; cards of JCB begin with 3528 to 3589. Its 0604
# is no number of a bank at all.
@pytest.mark.parametrize("kind, brand, real", [
    ("visa16", "visa", r"4"), ("mastercard", "mastercard", r"5[1-5]|2[2-7]"),
    ("amex", "amex", r"34|37"), ("discover", "discover", r"6011|65"),
    ("diners", "diners", r"30[0-5]|36|38"),
    ("jcb16", "jcb", r"35(2[89]|[3-8])"), ("maestro", "maestro", r"[56]")])
def test_numbers_of_a_brand_are_of_that_brand(maker, kind, brand, real):
    numbers = [maker.credit_card_number(kind) for _ in range(MANY)]
    kept = [n for n in numbers if re.match(real, n)]
    assert len(kept) > MANY / 2
    assert set(said(kept)) == {brand}
    others = [n for n in numbers if n not in kept]
    assert all(told.startswith("bad") for told in said(others))


def test_what_is_mistyped_is_mistyped_for_both():
    r = random.Random(SEED)
    starts = ["4", "51", "2221", "34", "6011", "36", "3528", "2200"]
    lengths = {"34": 15, "36": 14}
    numbers = [s + "".join(r.choices("0123456789", k=lengths.get(s, 16) - len(s)))
               for s in starts for _ in range(MANY)]
    good = 0
    for number, told in zip(numbers, said(numbers)):
        valid = stdnum.luhn.is_valid(number)
        assert valid == (not told.startswith("bad")), (number, told)
        assert valid or "mistyped" in told or "security code" in told
        good += valid
    assert good > len(numbers) / 20
