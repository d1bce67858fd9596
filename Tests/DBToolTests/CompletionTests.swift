import BackupTesting
import Foundation
import Testing

/// The scripts in real shells.
@Suite struct CompletionTests {
    @Test(arguments: TestServer.all)
    func `bash completes commands, options, values, backups and tables`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.withOddNames()
            let id = try await bench.backUp(source).id
            try await bench.writeScript(for: "bash")
            try bench.write(
                """
                DB_BACKUP_PATH=\(bench.repository)
                DB_HOST=\(server.host)
                DB_PORT=\(server.port)
                DB_USER=\(server.superuser)
                DB_NAME=\(source.name)
                """, to: ".env")
            let tables = [
                "\"Odd.S\".\"T \"\"q\"\"\"", "\"it's.x\"", "$(touch pwned)", "back\\slash",
                "odd name", "people", "pets",
            ]
            let cases: [(line: String, words: [String])] = [
                ("sh", ["show"]), ("full ta", ["tables"]), ("completions f", ["fish"]),
                ("full database -compress ", ["true", "false", "zstd"]),
                ("full database --comp", ["--compress"]), ("list -pa", ["-path", "-password"]),
                ("rows ", ["latest", id]), ("verify full_", [id]), ("restore la", ["latest"]),
                ("rows latest ", tables), ("rows \(id) pe", ["people", "pets"]),
                ("rows -path repository latest peo", ["people"]),
                ("rows latest public.peo", ["public.people"]),
                ("rows latest \\\"Od", ["\"Odd.S\".\"T \"\"q\"\"\""]),
                ("rows latest it", ["\"it's.x\""]), ("rows latest odd\\ n", ["odd name"]),
                ("full tables -tablename pe", ["people", "pets"]),
                ("full tables -tablename people --exclude-tablename ", tables),
                ("rows nothing ", []), ("rows latest nothing", []),
                ("full tables --port 1 -tablename ", []), ("list -path repos", ["repository"]),
                ("rows -path /nowhere ", []),
            ]
            for (line, words) in cases {
                var offered: [String] = []
                // A busy machine may not answer in the time that a person waits: then nothing is offered.
                for _ in 1...20 where offered.isEmpty {
                    let end = try await bench.offers(of: line)
                    #expect(end.errors == "", "\(line): \(end)")
                    offered = end.output.split(separator: "\n").map(String.init)
                    if words.isEmpty { break }
                }
                #expect(offered.sorted() == words.sorted(), "\(line)")
            }
            #expect(!FileManager.default.fileExists(atPath: "\(bench.folder)/pwned"))
        }
    }

    /// As its user sees it: keys into a terminal, without bash-completion.
    @Test(arguments: TestServer.all)
    func `a tab in a terminal writes what bash then runs`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            _ = try await bench.backUp(try await bench.withOddNames())
            try await bench.writeScript(for: "bash")
            let dbtool = try DBToolBinary.path()
            try bench.write(
                "PATH=\(URL(fileURLWithPath: dbtool).deletingLastPathComponent().path):$PATH\n"
                    + "bind 'set enable-bracketed-paste off'\n. ./dbtool.bash\nPS1='ready> '\n",
                to: "rc")
            let prompt = "ready>"
            let end = try await bench.onTerminal(
                ["/bin/bash", "--noprofile", "--rcfile", "rc", "-i"]
            ) { terminal in
                for (table, file) in [("od", "one"), ("'\"it", "two"), ("peo", "three")] {
                    try await terminal.untilEditing(behind: prompt)
                    try await terminal.complete("dbtool rows -path repository la")
                    try await terminal.complete(table)
                    try terminal.press(" >\(file)\n")
                }
                try await terminal.press("exit\n", behind: prompt)
            }
            let firsts = try ["one", "two", "three"].map { file in
                try String(contentsOfFile: "\(bench.folder)/\(file)", encoding: .utf8)
                    .prefix { $0 != "\n" }
            }
            #expect(firsts == ["a", "b", "id,name"], "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `other shells take their scripts, and fish completes`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            for shell in ["bash", "zsh", "fish"] {
                try await bench.writeScript(for: shell)
                let check = try await bench.shell(
                    "! command -v \(shell) >/dev/null || \(shell) -n dbtool.\(shell)")
                #expect(check.code == 0 && check.errors == "", "\(check)")
            }
            // Without a terminal fish completes only what it needs no program for.
            let fish = try await bench.shell(
                """
                command -v fish >/dev/null || exit 77
                fish --no-config -c '
                  source dbtool.fish
                  complete -C "dbtool sh"
                  complete -C "dbtool full database -path x -compress z"'
                """)
            // Not every machine has it.
            guard fish.code != 77 else { return }
            let words = fish.output.split(separator: "\n").map { $0.split(separator: "\t")[0] }
            #expect(words == ["show", "zstd"], "\(fish)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a server that does not answer is not waited for, and nothing is said`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let silent = try SilentServer()
            let start = ContinuousClock.now
            // Nothing else would end the wait within the limit below.
            let end = try await bench.dbtool(
                [
                    "---completion", "full", "tables", "--", "--tablename", "5", "0", "dbtool",
                    "full", "tables", "--port", silent.port, "-tablename", "", "--host",
                    "127.0.0.1",
                ], environment: ["PGCONNECT_TIMEOUT": "3600"])
            #expect(start.duration(to: .now) < .seconds(300))
            #expect(end.output == "" && end.errors == "", "\(end)")
            #expect(
                !FileManager.default.fileExists(atPath: "\(bench.folder)/state/dbtool/dbtool.log"))
        }
    }

    @Test(arguments: TestServer.all)
    func `what is damaged or makes no sense is answered with nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try Data("{".utf8).write(to: URL(fileURLWithPath: "\(backup.folder)/metadata.json"))
            let points = [
                "---completion", "rows", "--", "positional@0", "2", "0", "dbtool", "rows",
            ]
            let path = ["", "-path", bench.repository]
            for words in [
                points + path, points + ["", "--config", "nonsense"], points + ["", "-path"],
                points + ["", "--env-file", "missing"], ["---completion"],
                ["---completion", "nonsense", "--", "x"], ["---completion", "rows", "--", "--no"],
            ] {
                let end = try await bench.dbtool(words)
                #expect(end.output.allSatisfy(\.isNewline) && end.errors == "", "\(end)")
            }
        }
    }
}

/// A server that takes connections and never says a word.
private final class SilentServer {
    private let descriptor: Int32
    let port: String

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, 5) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        port = "\(UInt16(bigEndian: address.sin_port))"
        guard bound else { throw ProgramFailure("no port to listen on") }
    }

    deinit { close(descriptor) }
}

extension Workbench {
    /// Two tables, and some whose names a shell could trip over.
    fileprivate func withOddNames() async throws -> TestDatabase {
        let source = try await small()
        try await source.query(
            #"""
            CREATE TABLE "odd name" (a integer);
            CREATE TABLE "$(touch pwned)" (a integer);
            CREATE TABLE "it's.x" (b integer);
            CREATE TABLE "back\slash" (a integer);
            CREATE SCHEMA "Odd.S";
            CREATE TABLE "Odd.S"."T ""q""" (a integer);
            """#)
        return source
    }

    fileprivate func writeScript(for shell: String) async throws {
        let script = try await dbtool(["completions", shell])
        try script.requireCode(0)
        #expect(script.errors == "")
        try write(script.output, to: "dbtool.\(shell)")
    }

    /// What the script offers for a line that ends at the cursor, each on a line.
    fileprivate func offers(of line: String) async throws -> ProgramEnd {
        try write(
            #"""
            . ./dbtool.bash
            COMP_LINE="$1 $2" COMP_POINT=$((${#1} + ${#2} + 1))
            read -ra COMP_WORDS <<<"${COMP_LINE//\\/\\\\}"
            # A space behind a backslash ends no word.
            case $2 in *'odd\ n') COMP_WORDS=("$1" rows latest 'odd\ n') ;; esac
            [[ $2 != *' ' ]] || COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _dbtool dbtool "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}"
            """#, to: "offers.sh")
        return try await run(
            "/bin/bash", ["--norc", "offers.sh", try DBToolBinary.path(), line])
    }
}
