/// The ids of words met before: a table of fixed size in which a word's place is its hash, and the newest word stays.
///
/// It holds words of up to 23 bytes and up to 8 ids, one cache line each; others are encoded anew.
final class WordCache {
    /// A word in three machine words, its length in the highest byte.
    struct Key: Equatable {
        fileprivate var words: (UInt64, UInt64, UInt64)

        static func == (left: Key, right: Key) -> Bool { left.words == right.words }
    }

    private struct Entry {
        var key = Key(words: (0, 0, 0))
        var count: Int32 = 0
        var identifiers = SIMD8<Int32>()
    }

    private static let bits: UInt64 = 14
    private static let longestWord = 23
    private let entries: UnsafeMutablePointer<Entry>

    /// An empty cache.
    init() {
        entries = .allocate(capacity: 1 << Int(Self.bits))
        entries.initialize(repeating: Entry(), count: 1 << Int(Self.bits))
    }

    deinit { entries.deallocate() }

    /// The key of a word, nil if it is empty or too long to be kept.
    @inline(__always)
    static func key(_ word: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>) -> Key? {
        guard word.count <= longestWord, !word.isEmpty else { return nil }
        let raw = UnsafeRawBufferPointer(bytes)
        let length = UInt64(word.count) << 56
        guard word.lowerBound + 24 <= bytes.count else { return tailKey(word, raw, length) }
        func load(_ offset: Int) -> UInt64 {
            let missing = offset + 8 - word.count
            guard missing < 8 else { return 0 }
            let loaded = UInt64(
                littleEndian: raw.loadUnaligned(fromByteOffset: word.lowerBound + offset, as: UInt64.self))
            return missing <= 0 ? loaded : (loaded << UInt64(missing * 8)) >> UInt64(missing * 8)
        }
        return Key(words: (load(0), load(8), load(16) | length))
    }

    private static func tailKey(_ word: Range<Int>, _ raw: UnsafeRawBufferPointer, _ length: UInt64) -> Key {
        var words: [UInt64] = [0, 0, 0]
        for (offset, place) in word.enumerated() {
            words[offset / 8] |= UInt64(raw[place]) << UInt64(offset % 8 * 8)
        }
        return Key(words: (words[0], words[1], words[2] | length))
    }

    /// Appends the ids of a word, if it is here.
    @inline(__always)
    func append(_ key: Key, to tokens: inout [Int32]) -> Bool {
        let place = Self.place(key)
        guard entries[place].key == key else { return false }
        for index in 0..<Int(entries[place].count) { tokens.append(entries[place].identifiers[index]) }
        return true
    }

    /// Keeps the ids of a word.
    @inline(__always)
    func keep(_ key: Key, _ tokens: [Int32]) {
        guard tokens.count <= 8 else { return }
        var entry = Entry()
        entry.key = key
        entry.count = Int32(tokens.count)
        for index in tokens.indices { entry.identifiers[index] = tokens[index] }
        entries[Self.place(key)] = entry
    }

    @inline(__always)
    private static func place(_ key: Key) -> Int {
        let mixed = (key.words.0 ^ key.words.1 &* 0xC2B2_AE3D_27D4_EB4F ^ key.words.2 &* 0x1656_67B1_9E37_79F9)
        return Int((mixed &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits))
    }
}
