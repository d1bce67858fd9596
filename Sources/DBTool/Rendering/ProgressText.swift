import BackupCore
import Terminal

/// What the progress line says behind the phase: only what is known.
struct ProgressText {
    let details: String

    init(_ reading: OperationProgress.Reading) {
        let seconds = reading.began.duration(to: .now).seconds
        var parts: [String] = []
        if reading.rows > 0 { parts.append("\(NumberText.grouped(reading.rows)) rows") }
        if reading.bytes > 0 {
            parts.append(Self.amount(reading))
            if seconds > 1 {
                parts.append("\(ByteText(Int(Double(reading.bytes) / seconds)))/s")
            }
        }
        if seconds >= 1 { parts.append(NumberText.duration(seconds: seconds)) }
        details = parts.joined(separator: " · ")
    }

    /// The total is an estimate of the server's; what exceeds it is not shown as more than all.
    private static func amount(_ reading: OperationProgress.Reading) -> String {
        guard let total = reading.totalBytes, total > reading.bytes else {
            return "\(ByteText(reading.bytes))"
        }
        return "\(ByteText(reading.bytes)) of about \(ByteText(total))"
    }
}
