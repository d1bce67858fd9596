-- The database of sample.sql, for MySQL and MariaDB: one table of mixed types that is most of it, narrow ones, small ones.
-- Every value is computed from its row's number, so that each run has the same rows.
--
--   mysql DATABASE -e "SET @size = 1200; SOURCE sample-mysql.sql"      size: about how many MB

SET SESSION sql_mode = '', unique_checks = 0, foreign_key_checks = 0;

-- The numbers from 0 to 999,999.
CREATE TABLE digits (d int PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE million (n int PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO million SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d
FROM digits a, digits b, digits c, digits d, digits e, digits f ORDER BY 1;

CREATE TABLE events (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    happened_at datetime(6) NOT NULL,
    session char(36) CHARACTER SET ascii NOT NULL,
    kind enum('view', 'click', 'buy', 'send back') NOT NULL,
    account int NOT NULL,
    amount decimal(12, 2),
    ratio double,
    is_test bool NOT NULL,
    day date,
    note text,
    payload json,
    source varbinary(16),
    updated_at timestamp(6) NOT NULL DEFAULT '2024-01-01',
    KEY happened_at (happened_at), KEY account (account), KEY updated_at (updated_at)
) ENGINE = InnoDB;
INSERT INTO events
SELECT
    i,
    '2024-01-01' + INTERVAL i * 1234567 MICROSECOND,
    INSERT(INSERT(INSERT(INSERT(LEFT(SHA2(CONCAT('s', i DIV 7), 256), 32), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'),
    1 + i % 4,
    i % 100000,
    IF(i % 3 > 0, (i * 7919 % 1000000) / 100, NULL),
    i / 7e0,
    i % 50 = 0,
    '2024-01-01' + INTERVAL i DIV 70000 DAY,
    CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'said "yes", then left' ELSE CONCAT('note ', LEFT(SHA2(i, 256), 32)) END,
    CONCAT('{"page": "/item/', i % 5000, '", "ms": ', i % 900, ', "ok": ', IF(i % 2 = 0, 'true', 'false'), '}'),
    UNHEX(LPAD(HEX(167772160 + i % 65536), 8, '0')),
    '2024-01-01' + INTERVAL i * 1234567 MICROSECOND
FROM (SELECT 1 + m.n + 1000000 * (a.d + 10 * b.d) AS i FROM digits b, digits a, million m) AS numbers
WHERE i <= 2150 * @size ORDER BY i;

CREATE TABLE accounts (aid int NOT NULL PRIMARY KEY, bid int NOT NULL, abalance int NOT NULL, filler char(84)) ENGINE = InnoDB;
INSERT INTO accounts SELECT 1 + n, 1 + n % 100, n * 31 % 10000 - 5000, REPEAT('x', n % 60) FROM million WHERE n < 1250 * @size ORDER BY n;

CREATE TABLE order_lines (
    order_id int NOT NULL, line smallint NOT NULL, product int NOT NULL, price decimal(8, 2) NOT NULL, PRIMARY KEY (order_id, line)
) ENGINE = InnoDB;
INSERT INTO order_lines SELECT n DIV 5, n % 5, n * 13 % 20000, n % 100000 / 100 FROM million WHERE n < 2500 * @size ORDER BY n;
DROP TABLE digits, million;
ANALYZE TABLE events, accounts, order_lines;
