/// Changes valid bytes a little: what a parser of outside bytes must survive.
public enum Mutation {
    /// Bytes that mean something in JSON, and some that mean nothing anywhere.
    public static let jsonBytes = Array(#"{}[]":,0123456789-+.eE\ ux/"#.utf8) + [0, 0x0A, 0x7F, 0x80, 0xC0, 0xFF]

    /// One of `originals` with one to four changes.
    ///
    /// - Parameters:
    ///   - originals: valid inputs; must not be empty.
    ///   - interesting: bytes to insert and to overwrite with, beside random bits.
    ///   - words: runs of bytes to insert, such as names and large numbers.
    public static func mutate(
        _ originals: [[UInt8]], interesting: [UInt8] = jsonBytes, words: [String] = [],
        using generator: inout FuzzGenerator
    ) -> [UInt8] {
        var bytes = originals[Int.random(in: 0..<originals.count, using: &generator)]
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            change(&bytes, originals, interesting, words, &generator)
        }
        return bytes
    }

    private static func change(
        _ bytes: inout [UInt8], _ originals: [[UInt8]], _ interesting: [UInt8], _ words: [String],
        _ generator: inout FuzzGenerator
    ) {
        guard !bytes.isEmpty else {
            bytes = [UInt8.random(in: 0...255, using: &generator)]
            return
        }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let few = Int.random(in: 1...8, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = interesting.randomElement(using: &generator) ?? 0
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + few))
        case 3: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
        case 4: bytes.removeLast(min(bytes.count, few))
        case 5:
            // A piece of one of the inputs, at another place: doubled names, nested values, crossed ranges.
            guard let other = originals.randomElement(using: &generator), !other.isEmpty else { return }
            let start = Int.random(in: 0..<other.count, using: &generator)
            let end = min(other.count, start + Int.random(in: 1...64, using: &generator))
            bytes.insert(contentsOf: other[start..<end], at: place)
        case 6: bytes.insert(contentsOf: (words.randomElement(using: &generator) ?? "").utf8, at: place)
        default: bytes.append(contentsOf: repeatElement(bytes[place], count: few))
        }
    }
}
