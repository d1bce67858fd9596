/// A value made of texts that is another's equal only when both have the same bytes, as names in a database are.
///
/// See `ExactText` for why `==` does not do.
protocol ExactlyEquatable: Sendable {
    func isExactly(_ other: Self) -> Bool
}

extension String: ExactlyEquatable {}

extension Optional: ExactlyEquatable where Wrapped: ExactlyEquatable {
    func isExactly(_ other: Self) -> Bool {
        switch (self, other) {
        case (let one?, let other?): one.isExactly(other)
        case (nil, nil): true
        default: false
        }
    }
}

extension Array: ExactlyEquatable where Element: ExactlyEquatable {
    func isExactly(_ other: Self) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.isExactly($1) }
    }
}

extension Dictionary: ExactlyEquatable where Key == String, Value: ExactlyEquatable {
    func isExactly(_ other: Self) -> Bool {
        count == other.count
            && allSatisfy { key, value in
                other.index(forKey: key).map {
                    other[$0].key.isExactly(key) && other[$0].value.isExactly(value)
                } ?? false
            }
    }
}

extension TableName: ExactlyEquatable {
    func isExactly(_ other: TableName) -> Bool { self == other }
}

extension Column: ExactlyEquatable {
    func isExactly(_ other: Column) -> Bool {
        self == other && name.isExactly(other.name) && type.isExactly(other.type)
    }
}

extension TableIdentity: ExactlyEquatable {
    func isExactly(_ other: TableIdentity) -> Bool {
        object.isExactly(other.object) && storage.isExactly(other.storage)
            && textDigest.isExactly(other.textDigest)
    }
}

extension StoredFingerprint: ExactlyEquatable {
    func isExactly(_ other: StoredFingerprint) -> Bool {
        rows == other.rows && sum.isExactly(other.sum)
    }
}
