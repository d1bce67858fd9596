-- One table of nothing but keys: what is done for each row, and not for each byte, weighs most here.
--
--   psql -X -v ON_ERROR_STOP=1 -v rows=50000000 -f narrow.sql DATABASE

CREATE TABLE keys (id bigint, CONSTRAINT keys_pkey PRIMARY KEY (id));
INSERT INTO keys SELECT i FROM generate_series(1, :rows::bigint) AS i;

VACUUM ANALYZE;
