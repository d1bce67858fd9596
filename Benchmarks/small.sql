-- A thousand tables of fifty rows: what is done for each table weighs most here.
--
--   psql -X -v ON_ERROR_STOP=1 -f small.sql DATABASE

SELECT format(
    'CREATE TABLE t%1$s (id integer PRIMARY KEY, name text NOT NULL, at timestamptz, amount numeric(10, 2));'
    'INSERT INTO t%1$s SELECT i, ''name '' || i, timestamptz ''2024-01-01'' + i * interval ''1 hour'', i / 7.0'
    ' FROM generate_series(1, 50) AS i', number)
FROM generate_series(1, 1000) AS number
\gexec

VACUUM ANALYZE;
