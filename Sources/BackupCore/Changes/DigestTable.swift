import Packing

/// A value for each of many keys, the keys as digests: 16 bytes a slot and those of the value.
///
/// In several segments, so that growing does not need the room of two tables at once.
struct DigestTable<Value: BitwiseCopyable & Sendable>: Sendable {
    /// About how many bytes an entry needs.
    static var bytesPerEntry: Int { DigestSegment<Value>.bytesPerSlot * 3 / 2 }

    private(set) var count = 0
    private var segments = Array(repeating: DigestSegment<Value>(), count: 16)
    /// The one digest that would look like an empty slot.
    private var valueOfZero: Value?

    init() {}

    /// The value of a key; nil when the table does not have it.
    @inline(__always)
    subscript(digest: KeyDigest) -> Value? {
        digest.isZero ? valueOfZero : segments[Self.segment(of: digest)][digest]
    }

    /// Adds a key; false, and nothing changed, when it was there.
    @discardableResult
    mutating func insert(_ digest: KeyDigest, _ value: Value) -> Bool {
        if digest.isZero {
            guard valueOfZero == nil else { return false }
            valueOfZero = value
        } else {
            let isNew = segments[Self.segment(of: digest)].insert(digest, value)
            guard isNew else { return false }
        }
        count += 1
        return true
    }

    /// Takes a key out; its value, nil when the table did not have it.
    mutating func remove(_ digest: KeyDigest) -> Value? {
        let value: Value?
        if digest.isZero {
            (value, valueOfZero) = (valueOfZero, nil)
        } else {
            value = segments[Self.segment(of: digest)].remove(digest)
        }
        if value != nil { count -= 1 }
        return value
    }

    /// Every key and its value, in no order.
    func forEach(_ body: (KeyDigest, Value) throws -> Void) rethrows {
        if let valueOfZero { try body(KeyDigest(high: 0, low: 0), valueOfZero) }
        for segment in segments { try segment.forEach(body) }
    }

    @inline(__always)
    private static func segment(of digest: KeyDigest) -> Int { Int(digest.high >> 60) }
}

extension KeyDigest {
    fileprivate var isZero: Bool { high | low == 0 }
}

/// Some of a table's keys: all but the one whose digest is zero, which is how an empty slot looks.
///
/// Open addressing with linear probing. Digests are spread evenly already; they are only mixed with the
/// number of slots, so that what comes in the order of another table's slots spreads too.
private struct DigestSegment<Value: BitwiseCopyable & Sendable>: Sendable {
    private struct Slot {
        var digest = KeyDigest(high: 0, low: 0)
        var value: Value
    }

    static var bytesPerSlot: Int { MemoryLayout<Slot>.stride }
    private static var smallest: Int { 64 }

    private var count = 0
    private var slots: [Slot] = []
    private var mixer = UInt64(1)

    subscript(digest: KeyDigest) -> Value? {
        guard !slots.isEmpty else { return nil }
        let index = place(of: digest)
        return slots[index].digest == digest ? slots[index].value : nil
    }

    mutating func insert(_ digest: KeyDigest, _ value: Value) -> Bool {
        if (count + 1) * 4 > slots.count * 3 { grow(value) }
        let index = place(of: digest)
        guard slots[index].digest != digest else { return false }
        slots[index] = Slot(digest: digest, value: value)
        count += 1
        return true
    }

    mutating func remove(_ digest: KeyDigest) -> Value? {
        guard !slots.isEmpty else { return nil }
        let index = place(of: digest)
        guard slots[index].digest == digest else { return nil }
        let value = slots[index].value
        closeGap(at: index)
        count -= 1
        return value
    }

    func forEach(_ body: (KeyDigest, Value) throws -> Void) rethrows {
        for slot in slots where !slot.digest.isZero { try body(slot.digest, slot.value) }
    }

    /// Where a digest is, or would be put.
    @inline(__always)
    private func place(of digest: KeyDigest) -> Int {
        var index = home(of: digest)
        while !slots[index].digest.isZero, slots[index].digest != digest {
            index += 1
            if index == slots.count { index = 0 }
        }
        return index
    }

    /// Where a digest is put when the place is free.
    @inline(__always)
    private func home(of digest: KeyDigest) -> Int {
        let mixed = digest.low &* mixer
        return Int(truncatingIfNeeded: mixed.multipliedFullWidth(by: UInt64(slots.count)).high)
    }

    /// `filler`: Any value, for slots that are empty.
    private mutating func grow(_ filler: Value) {
        let old = slots
        slots = Array(
            repeating: Slot(value: filler), count: max(Self.smallest, old.count * 5 / 4))
        mixer = UInt64(slots.count) &* 0x9E37_79B9_7F4A_7C15 | 1
        for slot in old where !slot.digest.isZero { slots[place(of: slot.digest)] = slot }
    }

    /// Moves what had to go past the removed slot back, so that it is found again.
    private mutating func closeGap(at removed: Int) {
        var gap = removed
        var index = gap
        while true {
            index = index + 1 == slots.count ? 0 : index + 1
            let slot = slots[index]
            guard !slot.digest.isZero else { break }
            // Whether its own place lies outside the stretch from behind the gap to here.
            if distance(from: home(of: slot.digest), to: index) >= distance(from: gap, to: index) {
                slots[gap] = slot
                gap = index
            }
        }
        slots[gap].digest = KeyDigest(high: 0, low: 0)
    }

    /// How many places lie between two, going up and round.
    private func distance(from start: Int, to end: Int) -> Int {
        end >= start ? end - start : end - start + slots.count
    }
}

/// Many keys, as digests.
typealias DigestSet = DigestTable<NoValue>

/// What a key of a set has.
struct NoValue: Sendable, BitwiseCopyable {}

extension DigestTable where Value == NoValue {
    /// Adds a key; false when it was there.
    @discardableResult
    mutating func insert(_ digest: KeyDigest) -> Bool { insert(digest, NoValue()) }

    /// Whether a key is there.
    @inline(__always)
    func contains(_ digest: KeyDigest) -> Bool { self[digest] != nil }

    /// Takes a key out; false when it was not there.
    mutating func take(_ digest: KeyDigest) -> Bool { remove(digest) != nil }

    /// Every key, in no order.
    func forEach(_ body: (KeyDigest) throws -> Void) rethrows {
        try forEach { digest, _ in try body(digest) }
    }
}

/// Tells of most keys at once that they are in none of some tables: a bit for each of sixteen places
/// for each key.
///
/// A table of many changes does not fit into the processor's cache, this does.
struct DigestFilter: Sendable {
    private var bits: [UInt64]
    private let mask: UInt64

    /// A filter of no keys yet, for so many.
    init(count: Int) {
        var words = 1
        while words * 4 < count { words *= 2 }
        bits = Array(repeating: 0, count: words)
        mask = UInt64(words * 64 - 1)
    }

    /// Adds the keys of a table.
    mutating func formUnion<Value>(_ table: DigestTable<Value>) {
        table.forEach { digest, _ in
            let place = digest.high & mask
            bits[Int(place / 64)] |= 1 << (place % 64)
        }
    }

    /// False when no table has the key.
    @inline(__always)
    func mayContain(_ digest: KeyDigest) -> Bool {
        let place = digest.high & mask
        return bits[Int(place / 64)] >> (place % 64) & 1 == 1
    }
}
