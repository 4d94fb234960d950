import Foundation
import Testing

@testable import Identity

@Suite struct NodeKeysTests {
    /// RFC 7748 section 6.1.
    @Test(arguments: [
        (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        ),
        (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
        ),
    ])
    func rfc7748(secret: String, publicKey: String) throws {
        let key = try #require(Hexadecimal.decode(secret).flatMap { CurveKey(secretKey: $0) })
        #expect(Hexadecimal.encode(key.publicKey) == publicKey)
    }

    @Test func publicLineReadsBack() throws {
        let line = NodeKeys().publicLine
        #expect(NodePublicKeys(line.description) == line)
        let data = try JSONEncoder().encode([line])
        #expect(try JSONDecoder().decode([NodePublicKeys].self, from: data) == [line])
        for text in [
            "", "apus1", "apus1::", "apus2" + line.description.dropFirst(5), line.description + " ",
            String(line.description.dropLast()), String(repeating: "apus1:", count: 100_000),
            line.description.replacingOccurrences(of: ":", with: "0"),
        ] {
            #expect(NodePublicKeys(text) == nil)
        }
    }

    @Test func savedKeysAreTheSameAndPrivate() throws {
        try inFolder { folder in
            let path = "\(folder)/node.key"
            let keys = NodeKeys()
            try keys.save(path: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let loaded = try NodeKeys.load(path: path)
            #expect(loaded.publicLine == keys.publicLine)
            #expect(loaded.signing.seed == keys.signing.seed)
            #expect(loaded.curve.secretKey == keys.curve.secretKey)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["node.key"])
        }
    }

    @Test func aKeyFileIsNeverOverwritten() throws {
        try inFolder { folder in
            let path = "\(folder)/node.key"
            let keys = NodeKeys()
            try keys.save(path: path)
            let error = #expect(throws: IdentityError.self) { try NodeKeys().save(path: path) }
            #expect(error?.isAlreadyThere == true)
            #expect(try NodeKeys.load(path: path).publicLine == keys.publicLine)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["node.key"])
        }
    }

    @Test(arguments: [0o604, 0o640, 0o644, 0o602, 0o666])
    func filesThatOthersCanReadAreRefused(mode: Int) throws {
        try inFolder { folder in
            let path = "\(folder)/node.key"
            try NodeKeys().save(path: path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = #expect(throws: IdentityError.self) { try NodeKeys.load(path: path) }
            #expect(error?.description.contains("chmod 600") == true)
            // A file that is there but refused must not be taken for a missing one and replaced.
            #expect(throws: IdentityError.self) { try NodeKeys.loadOrCreate(path: path) }
        }
    }

    @Test func damagedFilesAreRefusedWithAReason() throws {
        let text = String(decoding: NodeKeyText.encode(NodeKeys()), as: UTF8.self)
        let other = String(decoding: NodeKeyText.encode(NodeKeys()), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        let strangers = other.split(separator: "\n").map(String.init)
        var damaged = [
            "", "hello", "\"\"\"", " = \"", text + text, text + "extra = \"1\"\n",
            text.replacingOccurrences(of: "\"1\"", with: "\"2\""),
            text.replacingOccurrences(of: "curve_secret = \"", with: "curve_secret = \"00"),
        ]
        for line in 1...4 {
            damaged.append((lines[..<line] + lines[(line + 1)...]).joined(separator: "\n"))
            if line > 1 {
                damaged.append((lines[..<line] + [strangers[line]] + lines[(line + 1)...]).joined(separator: "\n"))
            }
        }
        for text in damaged {
            #expect(throws: IdentityError.self) { try NodeKeyText.decode([UInt8](text.utf8), location: "x") }
        }
    }

    @Test func randomDamageNeverCrashes() {
        let original = NodeKeyText.encode(NodeKeys())
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4) { bytes[Int.random(in: 0..<bytes.count)] = UInt8.random(in: 0...255) }
            bytes.removeLast(Int.random(in: 0...2) == 0 ? Int.random(in: 0..<bytes.count) : 0)
            _ = try? NodeKeyText.decode(bytes, location: "x")
        }
    }

    @Test func otherFilesAreRefused() throws {
        try inFolder { folder in
            #expect(throws: IdentityError.self) { try NodeKeys.load(path: folder) }
            #expect(throws: IdentityError.self) { try NodeKeys.load(path: "/dev/zero") }
            let missing = #expect(throws: IdentityError.self) { try NodeKeys.load(path: "\(folder)/none") }
            #expect(missing?.isMissing == true)
            #expect(throws: IdentityError.self) { try NodeKeys().save(path: "\(folder)/no/such/folder") }
        }
    }

    @Test func loadOrCreateMakesFoldersOnceAndOneIdentity() async throws {
        try await inFolder { folder in
            let path = "\(folder)/a/b/node.key"
            let lines = try await withThrowingTaskGroup(of: NodePublicKeys.self) { group in
                for _ in 0..<8 { group.addTask { try NodeKeys.loadOrCreate(path: path).publicLine } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(lines.count == 1)
        }
    }

    @Test func randomBytesAreAsManyAsAsked() throws {
        #expect(try randomBytes(0) == [])
        #expect(try randomBytes(33).count == 33)
        #expect(try randomBytes(32) != randomBytes(32))
        #expect(throws: IdentityError.self) { try randomBytes(1 << 40) }
    }
}

private func inFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}

private func inFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}
