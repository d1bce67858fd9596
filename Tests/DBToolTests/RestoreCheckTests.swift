import BackupTesting
import Testing

/// Checks that read other tables, whose rows may come later.
@Suite struct RestoreCheckTests {
    @Test(arguments: TestServer.all, [1, 2])
    func `a check that reads another table holds when the rows of that one are there`(
        server: TestServer, jobs: Int
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            // The larger ones are loaded first, and each needs a smaller one; one that lacks something raises an error.
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY);
                CREATE FUNCTION is_in_a(int) RETURNS bool LANGUAGE sql STABLE
                    AS 'SELECT EXISTS (SELECT 1 FROM public.a WHERE id = $1)';
                CREATE TABLE b (id int PRIMARY KEY, a int CHECK (is_in_a(a)), pad text);
                CREATE FUNCTION is_in_b(int) RETURNS bool LANGUAGE plpgsql STABLE AS $$
                    BEGIN
                        PERFORM 1 FROM public.b WHERE id = $1;
                        IF NOT FOUND THEN RAISE EXCEPTION 'there is no b %', $1; END IF;
                        RETURN true;
                    END $$;
                CREATE TABLE c (id int PRIMARY KEY, b int CHECK (is_in_b(b)), pad text);
                INSERT INTO a SELECT generate_series(1, 10);
                INSERT INTO b SELECT i, 1 + i % 10, repeat('b', 100) FROM generate_series(1, 1000) i;
                INSERT INTO c SELECT i, 1 + i % 10, repeat('c', 200) FROM generate_series(1, 2000) i;
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(
                backup.id, into: target, ["--jobs", "\(jobs)", "--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a check that fails for rows which come later holds when they are there, whatever it says`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
                CREATE FUNCTION finds() RETURNS bool LANGUAGE plpgsql STABLE AS $$
                    DECLARE one int;
                    BEGIN SELECT id INTO STRICT one FROM public.a; RETURN true; END $$;
                CREATE FUNCTION refers() RETURNS bool LANGUAGE plpgsql STABLE AS $$
                    BEGIN
                        PERFORM 1 FROM public.a;
                        IF NOT FOUND THEN RAISE foreign_key_violation; END IF;
                        RETURN true;
                    END $$;
                CREATE FUNCTION divides() RETURNS bool LANGUAGE sql STABLE
                    AS 'SELECT 1 / count(*) = 1 FROM public.a';
                CREATE FUNCTION tells() RETURNS bool LANGUAGE plpgsql STABLE AS $$
                    BEGIN
                        PERFORM 1 FROM public.a;
                        IF NOT FOUND THEN RAISE EXCEPTION 'none' USING ERRCODE = 'UE001'; END IF;
                        RETURN true;
                    END $$;
                CREATE TABLE b (id int CHECK (finds()), pad text);
                CREATE TABLE c (id int CHECK (refers()), pad text);
                CREATE TABLE d (id int CHECK (divides()), pad text);
                CREATE TABLE e (id int CHECK (tells()), pad text);
                INSERT INTO b SELECT i, repeat('b', 100) FROM generate_series(1, 1000) i;
                INSERT INTO c TABLE b; INSERT INTO d TABLE b; INSERT INTO e TABLE b;
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(
                backup.id, into: target, ["--jobs", "1", "--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a check that holds for no order of tables ends the restore`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
                CREATE FUNCTION is_in_a(int) RETURNS bool LANGUAGE sql STABLE
                    AS 'SELECT EXISTS (SELECT 1 FROM public.a WHERE id = $1)';
                CREATE TABLE b (id int PRIMARY KEY, a int CHECK (is_in_a(a))); INSERT INTO b VALUES (1, 1);
                DELETE FROM a;
                """)
            let backup = try await bench.backUp(source)
            try await bench.restore(backup.id, into: bench.expectDatabase())
                .expect(code: 1, saying: "cannot load public.b", "23514")
        }
    }
}
