/// A Python dictionary: keys of several types, in the order in which they were added.
final class Mapping {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private(set) var depth = 1
    private var hashed: [Key] = []
    /// Built once there are more keys than are quickly compared one by one.
    private var index: [Key: Int] = [:]

    private static let linearCount = 8

    init() {}

    var count: Int { keys.count }

    /// What two keys that Python calls equal have in common.
    enum Key: Hashable {
        case none
        case integer(Int)
        case float(Double)
        case text(Text)
        case tuple([Key])
        case object(ObjectIdentifier)
    }

    func position(of key: Key) -> Int? {
        count > Mapping.linearCount ? index[key] : hashed.firstIndex(of: key)
    }

    subscript(name: Text) -> Value? { value(of: .text(name)) }

    func value(of key: Key) -> Value? { position(of: key).map { values[$0] } }

    /// Sets a value; a key that is there keeps its place.
    ///
    /// Only for mappings that no value holds yet.
    func set(_ keyValue: Value, key: Key, to value: Value) {
        depth = max(depth, 1 + max(value.depth, keyValue.depth))
        if let position = position(of: key) {
            values[position] = value
            return
        }
        keys.append(keyValue)
        hashed.append(key)
        values.append(value)
        if count == Mapping.linearCount + 1 {
            for (position, key) in hashed.enumerated() { index[key] = position }
        } else if count > Mapping.linearCount {
            index[key] = count - 1
        }
    }

    func set(_ name: Text, to value: Value) {
        set(.string(name), key: .text(name), to: value)
    }

    func removeAll() {
        (keys, hashed, values, index) = ([], [], [], [:])
    }
}

/// `keys()`, `values()` or `items()` of a dictionary.
struct MappingView {
    let mapping: Mapping
    let kind: Kind

    enum Kind: String {
        case keys
        case values
        case items
    }

    func element(_ index: Int) -> Value {
        switch kind {
        case .keys: return mapping.keys[index]
        case .values: return mapping.values[index]
        case .items: return .tuple([mapping.keys[index], mapping.values[index]])
        }
    }
}
