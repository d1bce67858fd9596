import BackupTesting
import Testing

@testable import BackupCore

/// What the mark of a restore says of its options, and what a person reads of that.
@Suite struct RestoreWordsTests {
    private static let before = "dbtool restore full_1 --into shop"

    private static func request() -> TargetRequest {
        TargetRequest(
            database: "shop", definition: SchemaDefinition(sql: [], dump: nil), sourceVersion: "",
            encoding: "UTF8", databaseProperties: [:])
    }

    private static func command(_ words: String) -> String {
        RestoreWords(words).command(of: "full_1", into: "shop")
    }

    /// Words as engines have written them since there are marks.
    private static let written: [(String, String)] = [
        (
            "everything create=true tables= as= existing= clean=false no-owner=false no-privileges=false",
            "--create"
        ),
        (
            "everything create=false tables=a* as= existing=truncate clean=false no-owner=true no-privileges=false",
            "-tablename 'a*' --existing truncate --no-owner"
        ),
        (
            "rows create=false tables=a b.c as= existing=fail clean=false no-owner=false no-privileges=true",
            "-tablename a -tablename 'b.c' --existing fail --data-only --no-privileges"
        ),
        (
            "structure create=true tables=t as=s.u existing= clean=true no-owner=true no-privileges=true no-tablespaces",
            "--create -tablename t --as 's.u' --clean --schema-only --no-owner --no-privileges --no-tablespaces"
        ),
        (
            "everything create=false tables= as= existing=append clean=false no-owner=false definer=app user@%",
            "--existing append --definer 'app user@%'"
        ),
        (
            "everything create=false tables= as= existing= clean=true no-owner=true definer=",
            "--clean --no-owner"
        ),
        // Blanks in quotes, without them where the order tells, and keys in names.
        (
            #"rows create=false tables="a as=b" "it's" as= existing= clean=false no-owner=false definer="#,
            #"-tablename '"a as=b"' -tablename '"it'\''s"' --data-only"#
        ),
        (
            "rows create=false tables=order lines as=new lines existing= clean=false no-owner=false definer=",
            "-tablename 'order lines' --as 'new lines' --data-only"
        ),
    ]

    @Test(arguments: written)
    func `words are shown as the options that were typed`(words: String, options: String) {
        #expect(Self.command(words) == "\(Self.before) \(options)")
    }

    @Test(arguments: [
        "", "r", "everything", "everything create=maybe tables= as=",
        // Of a version that knows more.
        "everything create=true tables= as= existing= clean=false no-owner=false no-privileges=false twice",
        "everything create=true tables= as= existing=never clean=false no-owner=false definer=",
        // Where the name of the copy begins nobody knows.
        "rows create=false tables=a as=b as=c existing= clean=false no-owner=false definer=",
        "rows create=false tables=a..b as= existing= clean=false no-owner=false definer=",
    ])
    func `what is not understood is shown as it is`(words: String) {
        #expect(Self.command(words) == "\(Self.before) (\(words))")
    }

    /// The request that options ask for, and the engine's own words of it.
    private static func request(
        asking arguments: [String], isPostgres: Bool
    ) throws -> (TargetRequest, own: [String]) {
        var request = request()
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--create": request.creates = true
            case "-tablename": request.patterns.append(try TablePattern(rest.removeFirst()))
            case "--as": request.newName = try TablePattern(rest.removeFirst())
            case "--existing": request.existing = ExistingTables(rawValue: rest.removeFirst())
            case "--clean": request.drops = true
            case "--schema-only": request.content = .structure
            case "--data-only": request.content = .rows
            case "--no-owner": request.omitsOwners = true
            case "--definer": request.definer = rest.removeFirst()
            case "--no-privileges": request.omitsPrivileges = true
            case "--no-tablespaces": request.omitsTablespaces = true
            default: Issue.record("unknown option \(option)")
            }
        }
        return (request, own(request, isPostgres: isPostgres))
    }

    private static func own(_ request: TargetRequest, isPostgres: Bool) -> [String] {
        guard isPostgres else { return ["definer=\(request.definer ?? "")"] }
        return ["no-privileges=\(request.omitsPrivileges)"]
            + (request.omitsTablespaces ? ["no-tablespaces"] : [])
    }

    private static func random(
        _ random: inout SeededGenerator, isPostgres: Bool
    ) throws -> TargetRequest {
        var request = request()
        func maybe() -> Bool { Bool.random(using: &random) }
        func name() -> String { random.text(maximumLength: 8) + (maybe() ? " as=" : "") + "t" }
        func pattern() throws -> TablePattern {
            try TablePattern("\(TableName(schema: name(), name: name()))")
        }
        request.creates = maybe()
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            request.patterns.append(try pattern())
        }
        request.newName = try maybe() ? pattern() : nil
        request.existing = maybe() ? ExistingTables.allCases.randomElement(using: &random) : nil
        request.drops = maybe()
        request.content = maybe() ? .everything : maybe() ? .structure : .rows
        request.omitsOwners = maybe()
        request.omitsPrivileges = isPostgres && maybe()
        request.omitsTablespaces = isPostgres && maybe()
        request.definer = isPostgres || maybe() ? nil : name() + "@%"
        return request
    }

    /// Names are written as they are printed: with quotes where they hold blanks.
    @Test(arguments: [true, false])
    func `options that are read from words have the same words`(isPostgres: Bool) throws {
        for seed in SeededGenerator.seeds(count: 500) {
            var random = SeededGenerator(seed: seed)
            let asked = try Self.random(&random, isPostgres: isPostgres)
            let words = RestoreWords(of: asked, Self.own(asked, isPostgres: isPostgres))
            let arguments = try #require(words.arguments, "seed \(seed): \(words.text)")
            let (read, own) = try Self.request(asking: arguments, isPostgres: isPostgres)
            #expect(
                ExactText(RestoreWords(of: read, own).text) == ExactText(words.text), "seed \(seed)"
            )
            #expect(
                read.patterns.map { ExactText($0.text) }
                    == asked.patterns.map(\.text).sorted().map(ExactText.init), "seed \(seed)")
            #expect(read.newName?.text == asked.newName?.text, "seed \(seed)")
            #expect(read.definer == asked.definer, "seed \(seed)")
        }
    }
}
