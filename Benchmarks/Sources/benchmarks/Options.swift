/// What `Benchmarks/run` tells this program; all of it is required.
struct Options {
    let rounds: Int
    /// The private server.
    let url: String
    /// The number of its first process.
    let postmaster: Int32
    /// Those to run; all where none is named.
    let contests: [String]
    let dbtool: String
    /// The folder of the server's programs.
    let bin: String
    /// Where backups and logs go.
    let scratch: String
    let commit: String
    /// A program that not everybody has.
    let rivet: String?

    init(_ arguments: ArraySlice<String>) throws {
        var values: [String: String] = [:]
        var rest = arguments
        while let name = rest.popFirst(), let value = rest.popFirst() { values[name] = value }
        func value(_ name: String) throws -> String {
            guard let value = values["--\(name)"] else {
                throw Failure(description: "--\(name) is missing: start me with Benchmarks/run")
            }
            return value
        }
        rounds = max(1, Int(try value("rounds")) ?? 1)
        url = try value("url")
        postmaster = Int32(try value("postmaster")) ?? 0
        contests = (values["--contests"] ?? "").split(separator: ";").map(String.init)
        dbtool = try value("dbtool")
        bin = try value("bin")
        scratch = try value("scratch")
        commit = try value("commit")
        rivet = values["--rivet"]
    }
}
