import BackupTesting

/// What happens to a database between the points of a chain: everything that is likely to be missed.
///
/// The same seed gives the same statements; the writers beside them are another matter.
struct ChainWorkload {
    private var random: SeededGenerator
    private var next = 10_000_000
    private let prepared: String
    private var names = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        prepared = "chain \(seed)"
    }

    /// Ends what may be prepared still: nothing is dropped before.
    var end: String { "ROLLBACK PREPARED '\(prepared)'" }

    /// Tables with keys of all kinds, without key, partitioned, inherited, and with lying stamps.
    static let schema = """
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
        CREATE TYPE pair AS (x integer, y text);
        CREATE TABLE plain (id integer PRIMARY KEY, v text, n numeric, updated_at timestamptz
            DEFAULT '2001-01-01');
        INSERT INTO plain SELECT i, md5(i::text), i / 7.0 FROM generate_series(1, 6000) i;
        CREATE TABLE busy (id integer PRIMARY KEY, v integer NOT NULL, filler text DEFAULT repeat('x', 80));
        INSERT INTO busy SELECT i, 0 FROM generate_series(1, 3000) i;
        CREATE TABLE "odd ""keys" (a text, b timestamptz, "c,d" double precision, v jsonb, PRIMARY KEY ("c,d", b, a));
        INSERT INTO "odd ""keys" SELECT CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN E'\\n"' || i WHEN 2 THEN '\\.' ELSE 'a,' || i END,
            '2020-01-01Z'::timestamptz + i * '1 hour'::interval, i / 3.0::float8, '{"a": null}' FROM generate_series(1, 900) i;
        CREATE TABLE only_key (t text PRIMARY KEY);
        INSERT INTO only_key VALUES ('\\.'), (''), ('a'), (E'\\n');
        CREATE TABLE keyless (a integer, b text);
        INSERT INTO keyless SELECT i, NULLIF(i % 5, 0)::text FROM generate_series(1, 400) i;
        CREATE TABLE second_key (m mood NOT NULL, i integer NOT NULL, v pair, big text, UNIQUE (i, m));
        INSERT INTO second_key SELECT (enum_range(NULL::mood))[1 + i % 3], i, (i, 'y')::pair, repeat(md5(i::text), 200) FROM generate_series(1, 300) i;
        CREATE TABLE parted (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (1000);
        CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (1000) TO (100000000);
        CREATE TABLE hashed (id integer PRIMARY KEY, v text) PARTITION BY HASH (id);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO parted SELECT i, 'p' || i FROM generate_series(1, 2000) i;
        INSERT INTO hashed SELECT i, 'h' || i FROM generate_series(1, 1000) i;
        CREATE TABLE heir (extra text, PRIMARY KEY (id)) INHERITS (plain);
        INSERT INTO heir (id, v, extra) SELECT i, 'h', 'e' FROM generate_series(100000, 100200) i;
        CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY, v integer);
        INSERT INTO unlogged SELECT i, i FROM generate_series(1, 500) i;
        CREATE TABLE generated (id integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
        INSERT INTO generated SELECT i, i FROM generate_series(1, 500) i;
        CREATE TABLE stamped (id integer PRIMARY KEY, v text, stamped_at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE stamped_local (id integer PRIMARY KEY, v text, stamped_at timestamp);
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamped_at := now(); RETURN NEW; END $$;
        CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
        CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON stamped_local FOR EACH ROW EXECUTE FUNCTION stamp();
        INSERT INTO stamped SELECT i, 'v' FROM generate_series(1, 2000) i;
        INSERT INTO stamped_local SELECT i, 'v' FROM generate_series(1, 2000) i;
        SELECT lo_from_bytea(700, 'large'); SELECT lo_from_bytea(701, repeat('z', 5000)::bytea);
        """

    /// What pgbench runs all the time.
    static let writer = """
        \\set a random(1, 3000)
        \\set b random(3001, 9000)
        BEGIN;
        UPDATE busy SET v = v + 1 WHERE id = :a;
        SAVEPOINT s;
        INSERT INTO busy VALUES (:b, 1) ON CONFLICT (id) DO UPDATE SET v = busy.v + 1;
        ROLLBACK TO s;
        INSERT INTO busy VALUES (:b, 1) ON CONFLICT (id) DO UPDATE SET v = busy.v + 1;
        UPDATE stamped SET v = v || :b WHERE id % 700 = :a % 700;
        COMMIT;
        DELETE FROM busy WHERE id = :b AND v % 3 = 0;
        """

    /// The next statements, each to be run by itself; one that fails is no mistake.
    mutating func statements() -> [String] {
        (0..<Int.random(in: 2...6, using: &random)).map { _ in statement() }
    }

    private mutating func statement() -> String {
        let number = Int.random(in: 0..<3000, using: &random)
        names += 1
        next += 1000
        let all: [String] = [
            "UPDATE plain SET v = v || 'u' WHERE id % 97 = \(number % 97)",
            "UPDATE plain SET v = v WHERE id % 13 = \(number % 13)",
            "UPDATE ONLY plain SET id = id + \(next) WHERE id % 211 = \(number % 211)",
            "DELETE FROM plain WHERE id % 53 = \(number % 53)",
            "INSERT INTO plain SELECT i, 'new' FROM generate_series(\(next), \(next + number % 900)) i",
            "UPDATE plain SET updated_at = '9999-01-01' WHERE id % 301 = 1",
            "BEGIN; SAVEPOINT a; UPDATE plain SET n = n + 1 WHERE id < \(number); RELEASE a; SAVEPOINT b; DELETE FROM keyless; ROLLBACK TO b; COMMIT",
            "BEGIN; UPDATE plain SET n = -n WHERE id % 500 = \(number % 500); INSERT INTO plain VALUES (\(next + 999), 'prepared'); PREPARE TRANSACTION '\(prepared)'",
            "COMMIT PREPARED '\(prepared)'", "ROLLBACK PREPARED '\(prepared)'",
            "TRUNCATE ONLY plain", "VACUUM FULL plain", "VACUUM (FREEZE) plain",
            "CLUSTER plain USING plain_pkey",
            "UPDATE stamped SET v = 'u' || \(number) WHERE id % 43 = \(number % 43)",
            "DELETE FROM stamped WHERE id % 71 = \(number % 71); INSERT INTO stamped VALUES (\(next), 'new')",
            "SET timezone = 'America/Los_Angeles'; UPDATE stamped_local SET v = 'la' || \(number) WHERE id % 43 = \(number % 43)",
            "SET timezone = 'Asia/Tokyo'; UPDATE stamped_local SET v = 'tokyo', id = -id WHERE id % 91 = \(number % 91)",
            "BEGIN; UPDATE stamped SET v = 'slow' WHERE id % 29 = 7; SELECT pg_sleep(0.4); UPDATE stamped SET v = 'slower' WHERE id % 31 = 7; COMMIT",
            "BEGIN; TRUNCATE keyless; COMMIT", "INSERT INTO keyless VALUES (1, NULL), (1, NULL)",
            "UPDATE \"odd \"\"keys\" SET v = '{\"b\": \(number)}' WHERE \"c,d\" < \(number % 30)",
            "UPDATE \"odd \"\"keys\" SET a = a || '\"' WHERE \"c,d\" > \(number % 300)",
            "DELETE FROM only_key WHERE t = '\\.'; INSERT INTO only_key VALUES ('\(number)')",
            "INSERT INTO only_key VALUES ('\\.')",
            "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
            "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'",
            "ALTER TYPE mood ADD VALUE 'm\(names)'",
            "UPDATE second_key SET m = 'happy' WHERE i % 7 = 0",
            "ALTER TYPE pair ADD ATTRIBUTE z\(names) integer",
            "UPDATE second_key SET big = big || 'x' WHERE i < 20",
            "ALTER TABLE second_key RENAME TO second_key_old; CREATE TABLE second_key (LIKE second_key_old INCLUDING ALL); INSERT INTO second_key SELECT * FROM second_key_old WHERE i > 10; DROP TABLE second_key_old",
            "ALTER TABLE generated ADD COLUMN c\(names) text DEFAULT 'd'",
            "ALTER TABLE generated DROP COLUMN a CASCADE; ALTER TABLE generated ADD COLUMN a integer",
            "ALTER TABLE generated ALTER COLUMN a TYPE bigint",
            "ALTER TABLE generated RENAME COLUMN a TO a_x",
            "ALTER TABLE generated RENAME COLUMN a_x TO a",
            "ALTER TABLE generated DROP CONSTRAINT generated_pkey; ALTER TABLE generated ADD UNIQUE (id)",
            "ALTER TABLE parted DETACH PARTITION parted_low",
            "ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (1000)",
            "UPDATE parted SET id = id + 900 WHERE id BETWEEN 100 AND 130",
            "UPDATE hashed SET id = id + 5000 WHERE id % 41 = \(number % 41)",
            "DELETE FROM hashed WHERE id % 17 = 3",
            "CREATE TABLE new_\(names) (id integer PRIMARY KEY, v text); INSERT INTO new_\(names) VALUES (1, 'x')",
            "DROP TABLE heir", "UPDATE heir SET extra = 'changed' WHERE id % 10 = \(number % 10)",
            "UPDATE unlogged SET v = v + 1 WHERE id % 3 = 0",
            "ALTER TABLE plain RENAME COLUMN v TO swap; ALTER TABLE plain RENAME COLUMN n TO v; ALTER TABLE plain RENAME COLUMN swap TO n",
            "SELECT lo_put(701, \(number), 'changed'::bytea)", "SELECT lo_unlink(700)",
            "SELECT lo_create(\(next))",
            "DO $$ BEGIN FOR i IN 1..200 LOOP BEGIN UPDATE plain SET v = 's' || i WHERE id = i * 3; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$",
        ]
        return all[Int.random(in: 0..<all.count, using: &random)]
    }
}
