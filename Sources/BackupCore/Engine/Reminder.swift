/// What to say of things that last: once after 2 seconds, again after 10, then each minute.
package struct Reminder {
    private var said: [String: Int] = [:]

    /// One that has said nothing.
    package init() {}

    /// The texts whose time has come; whatever is not among `things` any more is forgotten.
    package mutating func due(among things: [(key: String, seconds: Double, text: String)])
        -> [String]
    {
        var now: [String: Int] = [:]
        var texts: [String] = []
        for thing in things {
            let mark = Self.mark(thing.seconds)
            now[thing.key] = mark
            if mark > said[thing.key] ?? 0 { texts.append(thing.text) }
        }
        said = now
        return texts
    }

    private static func mark(_ seconds: Double) -> Int {
        switch seconds {
        case ..<2: 0
        case ..<10: 1
        default: 2 + Int(seconds / 60)
        }
    }
}
