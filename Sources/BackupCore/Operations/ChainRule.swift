import Foundation

/// When a chain ends: the next backup is a full then, so that no restore rests on too much.
public struct ChainRule: Sendable {
    /// How many points may rest on a full.
    public var points = 30
    /// How old a full may be, in days.
    public var days = 35
    /// How large the changes may be, as a share of the full.
    public var share = 0.5
    /// Every so many points everything is read, to prove what was derived; 0 for never.
    public var measuresEvery = 7

    /// Changes as small as this never end a chain, whatever their share is.
    static let smallBytes = 16 << 20

    /// The usual rule.
    public init() {}

    /// Why nothing more should rest on a full; nil when it may.
    ///
    /// `layers`: All points that rest on it.
    /// `links`: What a restore of the next point would read.
    func end(of base: Point, layers: [Point], links: [Point], now: Timestamp) -> String? {
        if layers.count >= points {
            return "\(layers.count) points rest on \(base.id) (--max-points)"
        }
        let age = now.date.timeIntervalSince(base.metadata.snapshotAt.date) / 86400
        if age > Double(days) { return "\(base.id) is \(Int(age)) days old (--max-days)" }
        let changed = links.dropLast().reduce(0) { $0 + $1.metadata.statistics.totalSizeBytes }
        let whole = base.metadata.statistics.totalSizeBytes
        guard changed > Self.smallBytes, Double(changed) > share * Double(whole) else { return nil }
        return "\(ByteText(changed)) have changed of \(ByteText(whole)) (--max-share)"
    }
}
