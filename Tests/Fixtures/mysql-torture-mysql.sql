-- What only MySQL can hold.
CREATE TABLE only_mysql (id int NOT NULL PRIMARY KEY, a varchar(50), j json, p point NOT NULL SRID 4326, u char(36) DEFAULT (UUID()), v vector(3),
  KEY lowered ((LOWER(a))), KEY many ((CAST(j -> '$.tags' AS char(20) ARRAY))), KEY unseen (a) INVISIBLE, SPATIAL KEY (p),
  CONSTRAINT c CHECK (id > 0) NOT ENFORCED) ENGINE = InnoDB;
INSERT INTO only_mysql VALUES (1, 'A', '{"tags": ["x", "y"]}', ST_GeomFromText('POINT(10 20)', 4326), 'u', STRING_TO_VECTOR('[1,2.5,-3]'));
INSERT INTO only_mysql VALUES (2, 'B', JSON_OBJECT('price', 19.90, 'tags', JSON_ARRAY('x')), ST_GeomFromText('POINT(1 2)', 4326), 'w', NULL);
CREATE TABLE collated (k varchar(20) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO collated VALUES ('a'), ('b');
