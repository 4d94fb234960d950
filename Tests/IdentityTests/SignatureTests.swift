import Foundation
import Testing

@testable import Identity

@Suite struct SignatureTests {
    /// RFC 8032 section 7.1, tests 1 to 3.
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
            5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
            085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
            18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
            """
        ),
    ])
    func rfc8032(seed: String, publicKey: String, message: String, signature: String) throws {
        let key = try #require(Hexadecimal.decode(seed).flatMap { SigningKey(seed: $0) })
        let bytes = try #require(Hexadecimal.decode(message))
        let expected = try #require(Hexadecimal.decode(signature))
        #expect(key.publicKey.hex == publicKey)
        #expect(key.signPlain(bytes) == expected)
        #expect(key.publicKey.isValidPlainSignature(expected, bytes))
    }

    @Test func everyFlippedBitIsNoticed() {
        let key = SigningKey()
        let message = [UInt8]("a group".utf8)
        let signature = key.sign(domain: "apus/test/v1", message)
        #expect(key.publicKey.isValidSignature(signature, domain: "apus/test/v1", message))
        for bit in 0..<512 {
            var damaged = signature
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.publicKey.isValidSignature(damaged, domain: "apus/test/v1", message))
        }
        for length in [0, 1, 63, 65] {
            let other = [UInt8](repeating: 0, count: length)
            #expect(!key.publicKey.isValidSignature(other, domain: "apus/test/v1", message))
        }
    }

    @Test func purposesAndMessagesAreSeparate() {
        let key = SigningKey()
        let signature = key.sign(domain: "apus/a", [0, 1, 2])
        #expect(!key.publicKey.isValidSignature(signature, domain: "apus/b", [0, 1, 2]))
        #expect(!key.publicKey.isValidSignature(signature, domain: "apus/", [97, 0, 1, 2]))
        #expect(!key.publicKey.isValidSignature(signature, domain: "apus/a", [0, 1]))
        #expect(!SigningKey().publicKey.isValidSignature(signature, domain: "apus/a", [0, 1, 2]))
        // The zero byte ends the purpose: the same bytes without it are another message.
        #expect(key.publicKey.isValidPlainSignature(signature, [UInt8]("apus/a".utf8) + [0, 0, 1, 2]))
    }

    @Test func keysOfSmallOrderAreRefused() throws {
        // Signature (R = identity, s = 0) fits every message under the identity point.
        for hex in [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            #expect(PublicKey(hex: hex) == nil)
        }
        #expect(PublicKey(rawBytes: [UInt8](repeating: 3, count: 31)) == nil)
        #expect(SigningKey(seed: []) == nil)
    }

    @Test func aKeyThatIsNoPointVerifiesNothing() throws {
        // y = 2 is on the curve or not depending on the sign of a root; scan for one that is not.
        var refused = 0
        for y in UInt8(2)..<40 {
            let key = try #require(PublicKey(rawBytes: [y] + [UInt8](repeating: 0, count: 31)))
            if !key.isValidSignature([UInt8](repeating: 0, count: 64), domain: "d", [1]) { refused += 1 }
        }
        #expect(refused == 38)
    }

    @Test func seedsGiveTheSameKeyAgain() throws {
        let key = SigningKey()
        let again = try #require(SigningKey(seed: key.seed))
        #expect(again.publicKey == key.publicKey)
        #expect(again.sign(domain: "d", [9]) == key.sign(domain: "d", [9]))
        #expect(SigningKey().publicKey != key.publicKey)
    }

    @Test func publicKeyAsText() throws {
        let keys = NodeKeys()
        let hex = keys.signing.publicKey.hex
        #expect(PublicKey(text: hex) == keys.signing.publicKey)
        #expect(PublicKey(text: keys.publicLine.description) == keys.signing.publicKey)
        #expect(PublicKey(text: "apus1:") == nil)
        let data = try JSONEncoder().encode([keys.signing.publicKey])
        #expect(try JSONDecoder().decode([PublicKey].self, from: data) == [keys.signing.publicKey])
    }

    @Test func manyThreadsShareAKey() async {
        let key = SigningKey()
        await withTaskGroup(of: Bool.self) { group in
            for number in UInt8(0)..<64 {
                group.addTask {
                    key.publicKey.isValidSignature(key.sign(domain: "d", [number]), domain: "d", [number])
                }
            }
            for await valid in group { #expect(valid) }
        }
    }
}
