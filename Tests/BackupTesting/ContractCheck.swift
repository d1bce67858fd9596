/// One sentence that must hold for every implementation of a protocol, and the check that it does.
///
/// A test runs all checks of a contract, each on a fresh subject:
///
///     @Test(arguments: StorageContract.checks)
///     func `memory keeps the contract`(_ check: ContractCheck<any Storage>) async throws {
///         try await check.run(on: MemoryStorage())
///     }
public struct ContractCheck<Subject: Sendable>: Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String
    private let body: @Sendable (Subject) async throws -> Void

    /// Says what must hold, and how to find out.
    public init(_ sentence: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        description = sentence
        self.body = body
    }

    /// Throws `ContractViolation`, or whatever the subject throws, when the sentence does not hold.
    public func run(on subject: Subject) async throws {
        try await body(subject)
    }
}

/// An implementation does not do what its protocol promises.
public struct ContractViolation: Error, CustomStringConvertible {
    /// What was expected, what was there, and which line of the contract says so.
    public let description: String
}

/// Demands a condition.
func demand(
    _ isMet: Bool, _ words: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws {
    guard !isMet else { return }
    throw ContractViolation(description: "\(words()) (\(file):\(line))")
}

/// Demands that two values are equal.
func demand<Value: Equatable>(
    _ value: Value, equals expected: Value, _ what: String, file: String = #fileID,
    line: Int = #line
) throws {
    let words = "\(what): expected \(expected), found \(value)"
    try demand(value == expected, String(words.prefix(1000)), file: file, line: line)
}

/// Demands that `body` throws, and gives the error.
func demandError<Result>(
    _ what: String, file: String = #fileID, line: Int = #line, _ body: () async throws -> Result
) async throws -> any Error {
    do {
        _ = try await body()
    } catch {
        return error
    }
    throw ContractViolation(description: "\(what): expected an error (\(file):\(line))")
}
