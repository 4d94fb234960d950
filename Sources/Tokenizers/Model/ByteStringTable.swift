/// Byte strings with a number each: a vocabulary.
///
/// Keys are bytes, never `String`, which calls two texts equal that differ in normal form only. The strings lie in one
/// block of memory; a table with open addressing finds them. Its hash is seeded for each process, because the strings
/// come from files of strangers.
struct ByteStringTable: Sendable {
    private var storage: [UInt8] = []
    /// Where the string of each number begins and how long it is; no string has `absent`.
    private var places: [(start: Int, count: Int)] = []
    private var slots: [Int32]
    private var mask: Int

    /// How many numbers have a string.
    private(set) var count = 0
    private static let absent = -1
    private static let seed = UInt64.random(in: .min ... .max) | 1

    /// An empty table with room for a number of strings.
    init(capacity: Int = 64) {
        var size = 128
        while size < capacity * 2 { size *= 2 }
        slots = Array(repeating: -1, count: size)
        mask = size - 1
        storage.reserveCapacity(capacity * 8)
        places.reserveCapacity(capacity)
    }

    /// The highest number that has a string, plus 1.
    var upperBound: Int { places.count }

    /// Adds a string.
    ///
    /// - Returns: false, with nothing changed, if the string or the number is there already.
    mutating func insert(_ key: UnsafeBufferPointer<UInt8>, number: Int) -> Bool {
        guard !holds(number) else { return false }
        if (count + 1) * 2 > slots.count { grow() }
        var slot = slotStart(key)
        while slots[slot] >= 0 {
            if equals(Int(slots[slot]), key) { return false }
            slot = (slot + 1) & mask
        }
        slots[slot] = Int32(number)
        while places.count <= number { places.append((0, Self.absent)) }
        places[number] = (storage.count, key.count)
        storage.append(contentsOf: key)
        count += 1
        return true
    }

    /// The number of a string.
    func number(of key: UnsafeBufferPointer<UInt8>) -> Int? {
        var slot = slotStart(key)
        while slots[slot] >= 0 {
            if equals(Int(slots[slot]), key) { return Int(slots[slot]) }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The number of a string.
    func number(of key: some Sequence<UInt8>) -> Int? {
        Array(key).withUnsafeBufferPointer { number(of: $0) }
    }

    /// Whether a number has a string.
    func holds(_ number: Int) -> Bool {
        number >= 0 && number < places.count && places[number].count != Self.absent
    }

    /// The string of a number.
    func string(of number: Int) -> [UInt8]? {
        guard holds(number) else { return nil }
        let place = places[number]
        return Array(storage[place.start..<place.start + place.count])
    }

    /// Calls `body` with the string of a number, or with nil where it has none.
    func withString<Result>(of number: Int, _ body: (UnsafeBufferPointer<UInt8>?) -> Result) -> Result {
        guard holds(number) else { return body(nil) }
        let place = places[number]
        return storage.withUnsafeBufferPointer { body(.init(rebasing: $0[place.start..<place.start + place.count])) }
    }

    private func equals(_ number: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let place = places[number]
        guard place.count == key.count else { return false }
        return storage.withUnsafeBufferPointer { storage in
            for offset in 0..<key.count where storage[place.start + offset] != key[offset] { return false }
            return true
        }
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        mask = slots.count - 1
        for number in places.indices where places[number].count != Self.absent {
            var slot = withString(of: number) { $0.map(slotStart) ?? 0 }
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(number)
        }
    }

    private func slotStart(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        var hash = Self.seed ^ UInt64(key.count)
        var position = 0
        let raw = UnsafeRawBufferPointer(key)
        while position + 8 <= key.count {
            hash = Self.mix(hash, raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        var rest: UInt64 = 0
        while position < key.count {
            rest = rest << 8 | UInt64(key[position])
            position += 1
        }
        return Int(truncatingIfNeeded: Self.mix(hash, rest) >> 8) & mask
    }

    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
