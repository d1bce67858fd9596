import ArgumentParser

/// How long a backup waits for a table that is locked.
enum LockTimeout {
    /// - Throws: `ValidationError` for what servers do not take: PostgreSQL counts milliseconds in 32 bits.
    static func check(_ seconds: Int) throws {
        let most = Int(Int32.max) / 1000
        guard (1...most).contains(seconds) else {
            throw ValidationError("--lock-timeout must be between 1 and \(most) seconds.")
        }
    }
}
