-- 0004_billing.sql: billing keys and people's cards.
--
-- The authorizer alone writes here. A card's number is in none of these rows:
-- it is in the box inside the card.add's envelope, sealed to a billing key whose
-- secret half no server of ours has.

CREATE TABLE billing_keys (
    generation positive PRIMARY KEY,
    hash       sha256 NOT NULL UNIQUE REFERENCES envelopes,
    key_id     sha256 NOT NULL UNIQUE,
    made_by    uuid NOT NULL REFERENCES users,
    made_at    timestamptz NOT NULL
);
COMMENT ON TABLE billing_keys IS
    'Written by the authorizer, insert only. hash is that of billing.init, which holds the public half; key_id that half''s id. The newest generation counts.';

CREATE TABLE card_steps (
    user_id uuid NOT NULL REFERENCES users,
    number  positive NOT NULL,
    hash    sha256 NOT NULL UNIQUE REFERENCES envelopes,
    PRIMARY KEY (user_id, number)
);
COMMENT ON TABLE card_steps IS
    'Written by the authorizer, insert only. What each person did with their cards, in their own order; hash is that of card.add, card.default or card.remove.';

CREATE TABLE cards (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users,
    hash       sha256 NOT NULL UNIQUE REFERENCES envelopes,
    generation positive NOT NULL REFERENCES billing_keys,
    box        bytea NOT NULL CHECK (octet_length(box) BETWEEN 48 AND 4096),
    brand      text NOT NULL CHECK (brand ~ '^[a-z]+$'),
    last4      text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
    expiry     text NOT NULL CHECK (expiry ~ '^2[0-9]{3}-(0[1-9]|1[0-2])$'),
    is_default boolean NOT NULL DEFAULT false,
    added_at   timestamptz NOT NULL,
    removed_at timestamptz,
    CHECK (removed_at IS NULL OR NOT is_default)
);
CREATE UNIQUE INDEX cards_default ON cards (user_id) WHERE is_default;
CREATE INDEX cards_user ON cards (user_id) WHERE removed_at IS NULL;
COMMENT ON TABLE cards IS
    'Written by the authorizer. Cards with what of them may be seen; box is sealed to the billing key of that generation, hash is that of card.add, id the request''s.';

GRANT SELECT, INSERT ON billing_keys, card_steps, cards TO errand_authorizer;
GRANT UPDATE (is_default, removed_at) ON cards TO errand_authorizer;

GRANT SELECT ON billing_keys, card_steps, cards TO errand_reader;
