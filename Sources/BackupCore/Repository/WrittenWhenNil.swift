/// An optional that JSON shows as `null` instead of leaving it out, so that readers find every field.
@propertyWrapper
public struct WrittenWhenNil<Value: Codable & Sendable>: Codable, Sendable {
    /// The value.
    public var wrappedValue: Value?

    /// Wraps a value.
    public init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    /// Reads a value or `null`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    /// Writes a value or `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue {
            try container.encode(wrappedValue)
        } else {
            try container.encodeNil()
        }
    }
}

extension WrittenWhenNil: Equatable where Value: Equatable {}

extension KeyedDecodingContainer {
    /// A field that is missing is nil too.
    func decode<Value>(
        _ type: WrittenWhenNil<Value>.Type, forKey key: Key
    ) throws -> WrittenWhenNil<Value> {
        WrittenWhenNil(wrappedValue: try decodeIfPresent(Value.self, forKey: key))
    }
}
