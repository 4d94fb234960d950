import Identity
import Testing

@Suite struct SHA256Tests {
    /// FIPS 180-4 example messages and the empty one.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func knownMessages(message: String, expected: String) {
        #expect(SHA256.hash([UInt8](message.utf8)).hex == expected)
        var hasher = SHA256()
        for byte in message.utf8 { hasher.update(CollectionOfOne(byte)) }
        #expect(hasher.finalize().hex == expected)
    }

    @Test func aMillionLetters() {
        var hasher = SHA256()
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { hasher.update(piece) }
        #expect(hasher.finalize().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func integersAreLittleEndian() {
        var typed = SHA256()
        typed.update(littleEndian: UInt32(0x0403_0201))
        typed.update(littleEndian: UInt64(0x0c0b_0a09_0807_0605))
        typed.update(utf8: "é")
        #expect(typed.finalize() == SHA256.hash([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xc3, 0xa9]))
    }

    @Test func aCopyContinuesOnItsOwn() {
        var first = SHA256()
        first.update(utf8: "ab")
        var second = first
        second.update(utf8: "x")
        first.update(utf8: "c")
        let third = first
        #expect(third.finalize() == SHA256.hash([UInt8]("abc".utf8)))
        first.update(utf8: "d")
        #expect(first.finalize() == SHA256.hash([UInt8]("abcd".utf8)))
        #expect(second.finalize() == SHA256.hash([UInt8]("abx".utf8)))
    }

    @Test func piecesDoNotMatter() {
        var random = SystemRandomNumberGenerator()
        let message = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for _ in 0..<50 {
            var hasher = SHA256()
            var rest = message[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 0...700, using: &random))
                hasher.update(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(hasher.finalize() == SHA256.hash(message))
        }
    }

    /// RFC 4231, cases 1, 2, 3, 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), [UInt8]("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            [UInt8]("Jefe".utf8), [UInt8]("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            [UInt8]("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func keyedHash(key: [UInt8], message: [UInt8], expected: String) {
        #expect(hmacSHA256(key: key, message).hex == expected)
    }

    @Test func keyedHashOfNothing() {
        #expect(
            hmacSHA256(key: [], []).hex == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}
