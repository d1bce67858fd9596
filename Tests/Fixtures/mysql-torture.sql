-- One of everything that both MySQL and MariaDB can hold; run with --default-character-set=utf8mb4.
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';

CREATE TABLE numbers (
  id int NOT NULL PRIMARY KEY, a tinyint, b smallint, c mediumint, d int, e bigint,
  ua tinyint unsigned, ub smallint unsigned, uc mediumint unsigned, ud int unsigned, ue bigint unsigned,
  z int(8) zerofill, n decimal(65,30), m decimal(10,0), f float, g double, h float unsigned, b1 bit(1), b9 bit(9), b64 bit(64)
) ENGINE = InnoDB;
INSERT INTO numbers VALUES
  (-1, -128, -32768, -8388608, -2147483648, -9223372036854775808, 0, 0, 0, 0, 0, 0,
   -99999999999999999999999999999999999.999999999999999999999999999999, -9999999999, -3.402823466e38, -1.7976931348623157e308, 0,
   b'0', b'0', b'0'),
  (0, 127, 32767, 8388607, 2147483647, 9223372036854775807, 255, 65535, 16777215, 4294967295, 18446744073709551615, 99999999,
   0.000000000000000000000000000001, 9999999999, 3.402823466e38, 1.7976931348623157e308, 1.5, b'1', b'111111111', 0xffffffffffffffff),
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1.23456789, 0.1, 16777217, b'1', 256, 9223372036854775808),
  (3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 1.17549435e-38, 2.2250738585072014e-308, 0.1, b'0', 1, 1),
  (4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 1e-40, 4.9406564584124654e-324, 1e-40, b'0', 1, 1),
  (5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, -0.0, -0.0, 0, b'0', 1, 1),
  (6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 0.30000001192092896, 0.30000000000000004, 3.4e38, b'0', 1, 1);

CREATE TABLE texts (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, c char(10), v varchar(200), ti tinytext, t text, mt mediumtext, lt longtext,
  l1 varchar(100) CHARACTER SET latin1, asc_ varchar(20) CHARACTER SET ascii, u2 varchar(50) CHARACTER SET ucs2,
  u16 varchar(50) CHARACTER SET utf16, u32 varchar(50) CHARACTER SET utf32, u3 varchar(50) CHARACTER SET utf8mb3,
  cy varchar(50) CHARACTER SET cp1251, kr varchar(50) CHARACTER SET euckr, bi varchar(50) COLLATE utf8mb4_bin
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO texts VALUES
  (0, '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, 'trail  ', ' lead and trail ', 'a,b', 'say "hello"', 'two\nlines', 'carriage\r\nreturn', 'Grüße €', 'plain', 'ω', '😀', '😀日本',
   'ünï', 'Привет', '안녕', 'a'),
  (3, '\\', '\\N', 'NULL', '\\.', '\t', CONCAT('nul', CHAR(0), 'nul'), 'ÿ', '~', 'Ω', 'x', 'y', 'z', 'я', '가', 'A'),
  (4, '''', '''; DROP TABLE texts; --', '%', '`', '#', '-- ', 'ß', '/*', 'a', 'b', 'c', 'd', 'e', 'f', 'ä'),
  (5, '😀', REPEAT('é', 200), REPEAT('x', 255), REPEAT('"', 1000), REPEAT(',', 70000), REPEAT('\n', 70000), 'a\tb', 'c\\d', '\\',
   '"', '\n', '\r', '"', ',', 'ä '),
  (6, 'x', CONCAT(CHAR(1), CHAR(26), CHAR(27), CHAR(127)), '\Z', '\b', 'a\\', '\\"', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0');

CREATE TABLE odd_sets (
  id varchar(20) CHARACTER SET cp932 NOT NULL PRIMARY KEY, sj varchar(50) CHARACTER SET sjis, gb varchar(50) CHARACTER SET gbk,
  b5 varchar(50) CHARACTER SET big5, l2 varchar(50) CHARACTER SET latin2, k8 varchar(50) CHARACTER SET koi8r, mac varchar(50) CHARACTER SET macroman,
  u varchar(50) CHARACTER SET ujis
) ENGINE = InnoDB;
-- Two numero signs and two minus signs of cp932 that are one character each in Unicode.
INSERT INTO odd_sets VALUES (x'8754', x'8341', x'b0a1', x'a4a4', 'łódź', 'Привет', 'é', x'a4a2'), (x'fa4a', x'5c78', x'5c78', x'5c78', x'5c78', '\\x41', '', NULL),
  (x'81ca', x'815c', NULL, NULL, x'ff', x'80', x'ff', ''), (x'eef9', 'a"b,c', 'two\nlines', '\\', '\\N', 'NULL', ' ', 'x');
CREATE TABLE looks_like_hex (t varchar(20) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, u text) ENGINE = InnoDB;
INSERT INTO looks_like_hex VALUES ('\\x41', '\\x'), ('\\X41', '\\xzz'), ('\\x', '\\x00"');

CREATE TABLE bytes (
  id varbinary(8) NOT NULL PRIMARY KEY, b binary(5), v varbinary(300), tb tinyblob, bl blob, mb mediumblob, lb longblob
) ENGINE = InnoDB;
INSERT INTO bytes VALUES
  (x'00', x'', x'', x'', x'', x'', x''), (x'0000', NULL, NULL, NULL, NULL, NULL, NULL),
  (x'ff', x'ff', UNHEX(CONCAT('000102030405060708090a0b0c0d0e0f', '22275c2c2d2f', 'ff80c3a9')), x'5c4e', x'0a', x'0d0a', x'22'),
  (x'5c78', 'ab', '\\x41', '\\N', '"', ',', REPEAT(x'00ff5c0a', 50000));

CREATE TABLE moments (
  id int NOT NULL PRIMARY KEY, d date, dt datetime, dt6 datetime(6), t time, t6 time(6), ts timestamp NULL, ts6 timestamp(6) NULL,
  nn timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, y year
) ENGINE = InnoDB;
INSERT INTO moments VALUES
  (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00.000000', '-838:59:59', '-838:59:59.000000', '0000-00-00 00:00:00',
   '0000-00-00 00:00:00', '0000-00-00 00:00:00', 0),
  (2, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999', '838:59:59', '838:59:59.000000', '2038-01-19 03:14:07',
   '2038-01-19 03:14:07.999999', '1970-01-01 00:00:01', 2155),
  (3, '1000-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001', '00:00:00', '-00:00:00.000001', '1970-01-01 00:00:01',
   '2024-03-31 01:30:00.5', '2024-10-27 01:30:00', 1901),
  (4, '2024-00-00', '2024-02-00 00:00:00', '2024-02-31 12:00:00', '24:00:00', '24:00:00.5', NULL, NULL, '2000-01-01', NULL),
  (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2000-01-01', 1999);

CREATE TABLE since (id int NOT NULL PRIMARY KEY, ts timestamp NOT NULL DEFAULT '2000-01-01 00:00:00') ENGINE = InnoDB;
INSERT INTO since (id) VALUES (1);
-- Equal in their collation, though neither in case nor in accents; and what is escaped where types are printed.
CREATE TABLE kana (id int NOT NULL PRIMARY KEY, e enum('あ','ア','x'), s set('ア','あ'), l enum('a\nb','anb','a\\nb','c0','c\0'))
  ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
INSERT INTO kana VALUES (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3), (4, 0, 0, 4), (5, NULL, NULL, 5);

CREATE TABLE choices (
  id int NOT NULL PRIMARY KEY, e enum('a', 'b,c', 'd''e', 'f"g', 'é', 'x\\y', ' sp') NOT NULL, e2 enum('', 'one'), s set('a', 'b c', 'd''e', 'é'),
  l1 enum('ä', 'ö') CHARACTER SET latin1
) ENGINE = InnoDB;
INSERT INTO choices VALUES (1, 'a', '', '', 'ä'), (2, 'b,c', 'one', 'a,b c', 'ö'), (3, 'd''e', NULL, 'd''e,é', NULL), (4, 'f"g', '', NULL, 'ä'),
  (5, 'é', '', 'a', NULL), (6, 'x\\y', '', 'a', NULL), (7, ' sp', '', 'a', NULL);
INSERT IGNORE INTO choices VALUES (8, 'never allowed', 'neither', 'a', 'ä');

CREATE TABLE documents (id int NOT NULL PRIMARY KEY, j json, g geometry, p point, ls linestring, gc geometrycollection) ENGINE = InnoDB;
INSERT INTO documents VALUES (1, '{"b": [1, 2.5, null, true, "x\\"y"], "a": {"é": "😀"}}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(-1.5 1e300)'),
  ST_GeomFromText('LINESTRING(0 0, 1 1, 2 2)'), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))')),
  (2, 'null', ST_GeomFromText('POINT(10 20)', 4326), NULL, NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL), (4, '"text"', NULL, NULL, NULL, NULL),
  (5, '[]', ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))'), NULL, NULL, NULL);

CREATE TABLE computed (
  a int NOT NULL, v int GENERATED ALWAYS AS (a * 2) VIRTUAL, s varchar(20) GENERATED ALWAYS AS (CONCAT('n', a)) STORED, b int DEFAULT 7,
  hidden int INVISIBLE DEFAULT 9, PRIMARY KEY (a), KEY by_v (v), CONSTRAINT positive CHECK (a > -100)
) ENGINE = InnoDB;
INSERT INTO computed (a, b, hidden) VALUES (1, 2, 3), (-5, NULL, NULL);

CREATE TABLE counting (id bigint unsigned NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id)) ENGINE = InnoDB AUTO_INCREMENT = 5000
  COMMENT = 'AUTO_INCREMENT=1 and '' and ;';
INSERT INTO counting VALUES (0, 'zero'), (18446744073709551000, 'large');
CREATE TABLE counting_second (a int NOT NULL, n int NOT NULL AUTO_INCREMENT, PRIMARY KEY (a, n), KEY by_n (n)) ENGINE = InnoDB;
INSERT INTO counting_second VALUES (1, 1), (1, 2), (2, 3);
CREATE TABLE unused (id int NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB AUTO_INCREMENT = 42;

CREATE TABLE no_key (a int, b varchar(20)) ENGINE = InnoDB;
INSERT INTO no_key VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, ''), (2, NULL);
CREATE TABLE one_text (t text) ENGINE = InnoDB;
INSERT INTO one_text VALUES (NULL), (''), ('\\.'), ('\n'), ('"'), (NULL), ('NULL');
CREATE TABLE unique_only (a int NOT NULL, b varchar(10) COLLATE utf8mb4_bin NOT NULL, UNIQUE KEY one (b, a), UNIQUE KEY two (a, b(3))) ENGINE = InnoDB;
INSERT INTO unique_only VALUES (1, 'a'), (1, 'A'), (3, 'a '), (2, '');
CREATE TABLE prefix_key (t text NOT NULL, n int, PRIMARY KEY (t(5))) ENGINE = InnoDB;
INSERT INTO prefix_key VALUES ('abcdef', 1), ('abcdgh', 2);
CREATE TABLE text_key (k varchar(50) NOT NULL PRIMARY KEY, n int) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO text_key VALUES ('a', 1), ('b', 2), ('ä ö', 3), ('', 4), ('x,y', 5), ('q"q', 6), ('l\nl', 7);
CREATE TABLE enum_key (e enum('z', 'm', 'a') NOT NULL, n int NOT NULL, PRIMARY KEY (e, n)) ENGINE = InnoDB;
INSERT INTO enum_key VALUES ('z', 1), ('m', 1), ('a', 1), ('a', 2);
CREATE TABLE float_key (f float NOT NULL, PRIMARY KEY (f)) ENGINE = InnoDB;
INSERT INTO float_key VALUES (1.23456789), (1.2345678), (1.2345671);
CREATE TABLE time_key (t datetime(6) NOT NULL, d decimal(20,10) NOT NULL, PRIMARY KEY (t, d)) ENGINE = InnoDB;
INSERT INTO time_key VALUES ('2024-01-01 00:00:00.000001', 1.5), ('2024-01-01 00:00:00.000001', 1.25);
CREATE TABLE `empty` (id int NOT NULL PRIMARY KEY) ENGINE = InnoDB;

CREATE TABLE ranges (id int NOT NULL, d date NOT NULL, PRIMARY KEY (id, d)) ENGINE = InnoDB
  PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO ranges VALUES (1, '1999-01-01'), (2, '2024-01-01');
CREATE TABLE hashes (id int NOT NULL PRIMARY KEY, v int, KEY by_v (v)) ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 4;
INSERT INTO hashes VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);

CREATE TABLE chicken (id int NOT NULL PRIMARY KEY, egg int, CONSTRAINT hatched UNIQUE KEY (egg)) ENGINE = InnoDB;
CREATE TABLE egg (id int NOT NULL PRIMARY KEY, chicken int NOT NULL,
  CONSTRAINT laid FOREIGN KEY (chicken) REFERENCES chicken (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE = InnoDB;
INSERT INTO chicken VALUES (1, NULL), (2, NULL); INSERT INTO egg VALUES (10, 1), (20, 2); UPDATE chicken SET egg = id * 10;
ALTER TABLE chicken ADD CONSTRAINT came_from FOREIGN KEY (egg) REFERENCES egg (id);
CREATE TABLE tree (id int NOT NULL PRIMARY KEY, parent int, CONSTRAINT up FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE SET NULL) ENGINE = InnoDB;
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);

CREATE TABLE words (id int NOT NULL PRIMARY KEY, title varchar(100), body text, FULLTEXT KEY t (title), FULLTEXT KEY tb (title, body),
  KEY long_prefix (body(20)), KEY down (id DESC)) ENGINE = InnoDB;
INSERT INTO words VALUES (1, 'full text', 'search words'), (2, 'other', NULL);
CREATE TABLE places (id int NOT NULL PRIMARY KEY, p point NOT NULL, SPATIAL KEY s (p)) ENGINE = InnoDB;
INSERT INTO places VALUES (1, ST_GeomFromText('POINT(1 2)'));
CREATE TABLE old_engine (id int NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id), KEY (v)) ENGINE = MyISAM;
INSERT INTO old_engine VALUES (1, 'a'), (2, NULL);

CREATE TABLE `od``d "na'me` (`a``b` int NOT NULL, `c"d` varchar(10), `e'f` int, `g,h` int, `ü ñ` int, `(p)` int, `select` int, `#` int, `--` int,
  PRIMARY KEY (`a``b`), KEY `k``k` (`c"d`), KEY `(p),` (`(p)`)) ENGINE = InnoDB COMMENT = 'it''s; a "comment" \\ -- # /*';
INSERT INTO `od``d "na'me` VALUES (1, 'x', 1, 2, 3, 4, 5, 6, 7);
CREATE TABLE `Case` (id int NOT NULL PRIMARY KEY) ENGINE = InnoDB; INSERT INTO `Case` VALUES (1);
CREATE TABLE `case` (id int NOT NULL PRIMARY KEY) ENGINE = InnoDB; INSERT INTO `case` VALUES (2);
CREATE TABLE `a.b/c%d` (id int NOT NULL PRIMARY KEY) ENGINE = InnoDB; INSERT INTO `a.b/c%d` VALUES (3);
CREATE TABLE `日本語テーブル` (`列` int NOT NULL PRIMARY KEY) ENGINE = InnoDB; INSERT INTO `日本語テーブル` VALUES (4);
CREATE TABLE `a234567890123456789012345678901234567890123456789012345678901234` (id int NOT NULL PRIMARY KEY) ENGINE = InnoDB;

CREATE VIEW first_view AS SELECT 1 AS n;
CREATE VIEW z_base AS SELECT id, title FROM words;
CREATE VIEW a_top AS SELECT z.id, n.n FROM z_base z JOIN first_view n;
CREATE SQL SECURITY INVOKER VIEW `odd view` AS SELECT `a``b` AS `x``y`, 'it''s; \\' AS t FROM `od``d "na'me` WITH CASCADED CHECK OPTION;
CREATE TABLE audit (n int NOT NULL AUTO_INCREMENT PRIMARY KEY, what varchar(50)) ENGINE = InnoDB;
DELIMITER //
CREATE TRIGGER before_one BEFORE INSERT ON tree FOR EACH ROW SET NEW.parent = NEW.parent//
CREATE TRIGGER after_one AFTER INSERT ON tree FOR EACH ROW BEGIN INSERT INTO audit (what) VALUES ('one;;'); END//
CREATE TRIGGER after_two AFTER INSERT ON tree FOR EACH ROW BEGIN
  -- a comment; with a semicolon
  INSERT INTO audit (what) VALUES ('two');
END//
CREATE PROCEDURE `do it`(IN a int, OUT b varchar(10)) COMMENT 'it''s' BEGIN
  DECLARE done int DEFAULT 0;
  /* DELIMITER ;; */
  IF a > 0 THEN SET b = 'x;;y'; ELSE SET b = "q"; END IF;
END//
CREATE FUNCTION twice(a int) RETURNS int DETERMINISTIC SQL SECURITY INVOKER RETURN a * 2//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'n' DO BEGIN DELETE FROM audit; END//
DELIMITER ;
CREATE VIEW uses_function AS SELECT twice(id) AS t FROM tree;
