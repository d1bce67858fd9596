import Synchronization

/// Says once that others on a network can read what goes over a connection.
///
/// A server is logged in to many times, and once more with a password that was missing: copies share whether it has been
/// said. Without a listener nothing is, and whoever listens later hears it.
public struct ExposureNotice: Sendable {
    private final class Occasion: Sendable {
        private let isOver = Mutex(false)

        /// True once.
        func take() -> Bool {
            isOver.withLock { isOver in
                defer { isOver = true }
                return !isOver
            }
        }
    }

    private let occasion = Occasion()
    private var listener: (@Sendable (String) -> Void)?

    /// One that nobody has heard yet.
    public init() {}

    /// The same, heard by `listener`.
    public func heard(by listener: @escaping @Sendable (String) -> Void) -> ExposureNotice {
        var heard = self
        heard.listener = listener
        return heard
    }

    /// Says it, unless it has been said.
    public func say(_ text: String) {
        guard let listener, occasion.take() else { return }
        listener(text)
    }
}
