import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresStatementTests {
    @Test(arguments: [
        ("CREATE INDEX by_name ON public.people USING btree (name);", "public.by_name", "building"),
        (
            "CREATE UNIQUE INDEX \"by Name\" ON ONLY \"My.Shop\".people USING btree (name);",
            "\"My.Shop\".\"by Name\"", "building"
        ),
        (
            "ALTER TABLE ONLY public.people\n    ADD CONSTRAINT people_pkey PRIMARY KEY (id);\n\n\n",
            "people_pkey of public.people", "building"
        ),
        (
            "ALTER TABLE ONLY public.pets\n    ADD CONSTRAINT \"the owner\" FOREIGN KEY (owner)",
            "the owner of public.pets", "checking rows"
        ),
        (
            "ALTER TABLE \"public\".\"pets\" ADD CONSTRAINT \"o\" FOREIGN KEY (owner)",
            "o of public.pets", "checking rows"
        ),
        (
            "ALTER TABLE public.pets\n    ADD CONSTRAINT small CHECK ((size < 10)) NOT VALID",
            "small of public.pets", "checking rows"
        ),
        (
            "ALTER INDEX public.whole ATTACH PARTITION public.part;", "public.whole", "attaching"
        ),
        (
            "ALTER TABLE ONLY public.whole ATTACH PARTITION public.part DEFAULT;", "public.part",
            "attaching"
        ),
        (
            "-- CREATE INDEX no ON public.no\nCREATE INDEX yes ON public.people (\(long));",
            "public.yes", "building"
        ),
    ])
    func `what takes time is named as people know it`(
        sql: String, name: String, activity: String
    ) throws {
        let statement = try #require(PostgresStatement(sql))
        #expect(statement.name == name)
        #expect(statement.activity == activity)
    }

    private static let long = String(repeating: "'", count: 5001)

    @Test(arguments: [
        "", ";", "CREATE", "CREATE INDEX", "CREATE INDEX x", "CREATE INDEX x ON", "ALTER TABLE",
        "CREATE INDEX x ON people", "ALTER TABLE ONLY public.people ADD CONSTRAINT",
        "ALTER TABLE public.people ADD COLUMN x integer", "CREATE TRIGGER t BEFORE INSERT ON p",
        "<insufficient privilege>", "SET default_tablespace = ''", "\"", "CREATE INDEX \"x",
    ])
    func `what it does not know it does not name`(sql: String) {
        #expect(PostgresStatement(sql) == nil)
    }

    private struct Look: Sendable {
        var phase: String?
        var numbers: [String?]
        var activity: String
        var share: Double?

        init(_ phase: String?, _ numbers: [String?], _ activity: String, _ share: Double?) {
            (self.phase, self.numbers, self.activity, self.share) = (
                phase, numbers, activity, share
            )
        }
    }

    private static let looks: [Look] = [
        Look("building index: scanning table", ["430", "1000", "0", "0"], "reading rows", 0.43),
        Look("building index: scanning table", ["0", "0", "0", "0"], "reading rows", nil),
        Look("building index: sorting live tuples", ["1000", "1000", "0", "9"], "sorting", nil),
        Look("building index: loading tuples in tree", ["9", "9", "1", "4"], "writing", 0.25),
        Look("building index: loading tuples in tree", ["9", "9", "5", "4"], "writing", 1),
        Look("building index: scanning table", ["60", "60", "0", "0"], "reading rows", nil),
        Look("building index", ["1", "2", "0", "0"], "building", 0.5),
        Look("initializing", ["1", "2", "0", "0"], "building", nil),
        Look("waiting for writers before build", ["0", "0", "0", "0"], "waiting", nil),
        Look("something of a later version", ["1", "2", "3", "4"], "building", nil),
        Look(nil, [nil, nil, nil, nil], "building", nil),
    ]

    @Test(arguments: looks.indices)
    func `a phase of an index has its own words and its own share`(number: Int) throws {
        let look = Self.looks[number]
        let sql = "CREATE INDEX by_name ON public.people (name)"
        var row: [String?] = [sql, "f", "3.5", look.phase]
        row += look.numbers
        row += ["public", "people"]
        let before = ContinuousClock.now
        let step = try #require(PostgresBuildStep(row: row)?.step)
        let after = ContinuousClock.now
        #expect(step.name == "public.by_name")
        #expect(step.activity == look.activity)
        #expect(step.share == look.share)
        let began = try #require(step.began)
        #expect(began.duration(to: before) <= .seconds(3.51))
        #expect(began.duration(to: after) >= .seconds(3.49))
    }

    @Test func `a wait for a lock is not taken for work`() throws {
        let sql = "ALTER TABLE ONLY public.pets ADD CONSTRAINT o FOREIGN KEY (owner)"
        let none: [String?] = [nil, nil, nil, nil, nil, nil, nil]
        let waiting = try #require(PostgresBuildStep(row: [sql, "t", "2"] + none)).step
        #expect(waiting.activity == "waiting for a lock")
        let working = try #require(PostgresBuildStep(row: [sql, nil, "2"] + none)).step
        #expect(working.activity == "checking rows")
    }

    @Test func `an index whose statement is hidden is known by its table`() throws {
        let phase = "building index: sorting live tuples"
        let row: [String?] = [
            "<insufficient privilege>", "f", "2", phase, "1", "2", "0", "0", "a", "b",
        ]
        #expect(PostgresBuildStep(row: row)?.step.name == "an index of a.b")
        let nameless: [String?] = ["SET x = 1", "f", "2"] + row[3...7] + [nil, nil]
        #expect(PostgresBuildStep(row: nameless) == nil)
    }
}
