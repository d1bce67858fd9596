import Synchronization

/// A value that is not safe to share, lent to one task at a time.
///
/// `@unchecked Sendable`: the mutex is what makes it so.
package final class Exclusive<Value>: @unchecked Sendable {
    private let lock = Mutex(())
    private var value: Value

    /// Lends a value.
    package init(_ value: sending Value) {
        self.value = value
    }

    /// Runs `body` with the value, alone.
    package func withValue<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { _ in try body(&value) }
    }
}
