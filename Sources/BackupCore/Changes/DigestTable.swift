import Packing

/// A number for each of many keys, the keys as digests: 24 bytes a slot.
///
/// Open addressing with linear probing; digests are spread evenly already, so they need no hashing.
struct DigestTable: Sendable {
    private struct Slot {
        var digest = KeyDigest(high: 0, low: 0)
        var value: UInt64 = 0
    }

    /// How many bytes an entry needs when the table is as full as it gets before it grows.
    static let bytesPerEntry = 36

    private(set) var count = 0
    private var slots: [Slot] = []
    /// The one digest that would look like an empty slot.
    private var valueOfZero: UInt64?

    private static let smallest = 1024

    init() {}

    /// The value of a key; nil when the table does not have it.
    subscript(digest: KeyDigest) -> UInt64? {
        guard !Self.isZero(digest) else { return valueOfZero }
        guard !slots.isEmpty else { return nil }
        let index = place(of: digest)
        return slots[index].digest == digest ? slots[index].value : nil
    }

    /// Adds a key; false, and nothing changed, when it was there.
    @discardableResult
    mutating func insert(_ digest: KeyDigest, _ value: UInt64) -> Bool {
        guard !Self.isZero(digest) else {
            guard valueOfZero == nil else { return false }
            valueOfZero = value
            count += 1
            return true
        }
        if (count + 1) * 3 > slots.count * 2 { grow() }
        let index = place(of: digest)
        guard slots[index].digest != digest else { return false }
        slots[index] = Slot(digest: digest, value: value)
        count += 1
        return true
    }

    /// Takes a key out; its value, nil when the table did not have it.
    mutating func remove(_ digest: KeyDigest) -> UInt64? {
        guard !Self.isZero(digest) else {
            defer { valueOfZero = nil }
            count -= valueOfZero == nil ? 0 : 1
            return valueOfZero
        }
        guard !slots.isEmpty else { return nil }
        let index = place(of: digest)
        guard slots[index].digest == digest else { return nil }
        let value = slots[index].value
        closeGap(at: index)
        count -= 1
        return value
    }

    /// Every key and its value, in no order.
    func forEach(_ body: (KeyDigest, UInt64) throws -> Void) rethrows {
        if let valueOfZero { try body(KeyDigest(high: 0, low: 0), valueOfZero) }
        for slot in slots where !Self.isZero(slot.digest) { try body(slot.digest, slot.value) }
    }

    private static func isZero(_ digest: KeyDigest) -> Bool { digest.high | digest.low == 0 }

    /// Where a digest is, or would be put.
    @inline(__always)
    private func place(of digest: KeyDigest) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: digest.low) & mask
        while !Self.isZero(slots[index].digest), slots[index].digest != digest {
            index = (index + 1) & mask
        }
        return index
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: max(Self.smallest, old.count * 2))
        for slot in old where !Self.isZero(slot.digest) { slots[place(of: slot.digest)] = slot }
    }

    /// Moves what had to go past the removed slot back, so that it is found again.
    private mutating func closeGap(at removed: Int) {
        let mask = slots.count - 1
        var gap = removed
        var index = (gap + 1) & mask
        while !Self.isZero(slots[index].digest) {
            let home = Int(truncatingIfNeeded: slots[index].digest.low) & mask
            // Whether `home` lies outside the stretch from behind the gap to here.
            if (index - home) & mask >= (index - gap) & mask {
                slots[gap] = slots[index]
                gap = index
            }
            index = (index + 1) & mask
        }
        slots[gap] = Slot()
    }
}

/// Tells of most keys at once that they are in none of some tables: a bit for each of sixteen places
/// for each key.
///
/// A table of many changes does not fit into the processor's cache, this does.
struct DigestFilter: Sendable {
    private var bits: [UInt64]
    private let mask: UInt64

    /// A filter of the keys of some tables.
    init(_ tables: DigestTable...) {
        let count = tables.reduce(0) { $0 + $1.count }
        var words = 1
        while words * 4 < count { words *= 2 }
        bits = Array(repeating: 0, count: words)
        mask = UInt64(words * 64 - 1)
        for table in tables {
            table.forEach { digest, _ in
                let place = digest.high & mask
                bits[Int(place / 64)] |= 1 << (place % 64)
            }
        }
    }

    /// False when no table has the key.
    @inline(__always)
    func mayContain(_ digest: KeyDigest) -> Bool {
        let place = digest.high & mask
        return bits[Int(place / 64)] >> (place % 64) & 1 == 1
    }
}
