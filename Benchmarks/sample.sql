-- A database like many: one table of mixed types that is most of it, narrow ones, small ones.
-- Every value is computed from its row's number, so that each run has the same rows.
--
--   psql -X -v ON_ERROR_STOP=1 -v size=1200 -f sample.sql DATABASE      size: about how many MB

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    session uuid NOT NULL,
    kind text NOT NULL,
    account integer NOT NULL,
    amount numeric(12, 2),
    ratio double precision,
    is_test boolean NOT NULL,
    day date,
    note text,
    payload jsonb,
    tags text[],
    source inet,
    updated_at timestamptz NOT NULL
);
INSERT INTO events OVERRIDING SYSTEM VALUE
SELECT
    i,
    timestamptz '2024-01-01 00:00+00' + i * interval '1.234567 seconds',
    md5('s' || i / 7)::uuid,
    (ARRAY['view', 'click', 'buy', 'send back'])[1 + i % 4],
    i % 100000,
    CASE WHEN i % 3 > 0 THEN (i * 7919 % 1000000) / 100.0 END,
    i / 7.0,
    i % 50 = 0,
    date '2024-01-01' + (i / 70000)::integer,
    CASE i % 10
        WHEN 0 THEN NULL
        WHEN 1 THEN ''
        WHEN 2 THEN 'said "yes", then left'
        ELSE 'note ' || md5(i::text)
    END,
    jsonb_build_object('page', '/item/' || i % 5000, 'ms', i % 900, 'ok', i % 2 = 0),
    CASE WHEN i % 4 = 0 THEN ARRAY['new', 'sale ' || i % 9] END,
    inet '10.0.0.0' + i % 65536,
    timestamptz '2024-01-01 00:00+00' + i * interval '1.234567 seconds'
FROM generate_series(1, 2150 * :size::bigint) AS i;
CREATE INDEX ON events (happened_at);
CREATE INDEX ON events (account);
CREATE INDEX ON events (updated_at);

-- As pgbench makes them.
CREATE TABLE accounts (
    aid integer PRIMARY KEY,
    bid integer NOT NULL,
    abalance integer NOT NULL,
    filler character(84)
);
INSERT INTO accounts SELECT i, 1 + i % 100, i * 31 % 10000 - 5000, '' FROM generate_series(1, 1250 * :size::bigint) AS i;

CREATE TABLE order_lines (
    order_id integer,
    line smallint,
    product integer NOT NULL,
    quantity integer NOT NULL,
    price numeric(10, 2) NOT NULL,
    PRIMARY KEY (order_id, line)
);
INSERT INTO order_lines
SELECT 1 + i / 4, i % 4, i * 13 % 5000, 1 + i % 9, (i * 37 % 90000) / 100.0
FROM generate_series(0, 1050 * :size::bigint) AS i;

CREATE TABLE products (id integer PRIMARY KEY, title text NOT NULL, price numeric(10, 2));
INSERT INTO products SELECT i, 'Product ' || i, i / 3.0 FROM generate_series(0, 4999) AS i;

CREATE TABLE countries (code character(2) PRIMARY KEY, name text);
INSERT INTO countries SELECT chr(65 + i / 26) || chr(65 + i % 26), 'Country ' || i FROM generate_series(0, 199) AS i;

CREATE TABLE settings (name text PRIMARY KEY, value jsonb);
INSERT INTO settings SELECT 'setting ' || i, to_jsonb(i) FROM generate_series(1, 40) AS i;

VACUUM ANALYZE;
