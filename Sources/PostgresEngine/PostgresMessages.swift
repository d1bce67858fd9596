/// The messages of a program as they come, line by line.
///
/// Names may hold every character that ends a line for anything but the program.
struct PostgresMessages {
    /// More than that of complaints nobody reads.
    private static let limit = 1 << 24

    private let isProgress: (String) -> Bool
    private var kept: [UInt8] = []
    private var line: [UInt8] = []

    init(isProgress: @escaping (String) -> Bool) { self.isProgress = isProgress }

    /// Everything that was not progress.
    var text: String { String(decoding: kept + line, as: UTF8.self) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            line.append(byte)
            if byte == UInt8(ascii: "\n") { endLine() }
        }
    }

    private mutating func endLine() {
        let isKept = !isProgress(String(decoding: line.dropLast(), as: UTF8.self))
        if isKept, kept.count + line.count <= Self.limit { kept += line }
        line.removeAll(keepingCapacity: true)
    }
}
