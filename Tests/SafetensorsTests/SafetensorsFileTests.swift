import Foundation
import Identity
import Testing

@testable import Safetensors

@Suite("Safetensors files")
struct SafetensorsFileTests {
    private static let tensors = [
        TensorSource(name: "b", type: .bfloat16, shape: [2, 3], bytes: Array(0..<12)),
        TensorSource(name: "a", type: .uint8, shape: [3], bytes: [1, 2, 3]),
        TensorSource(name: "empty", type: .float32, shape: [0, 4], bytes: []),
        TensorSource(name: "scalar \"quoted\" é", type: .int64, shape: [], bytes: Array(100..<108)),
    ]

    @Test("what is written is read again, in the reference writer's order")
    func roundTrip() throws {
        try Fixture.withFolder { folder in
            let path = "\(folder)/model.safetensors"
            try SafetensorsWriter.write(Self.tensors, metadata: ["format": "pt", "note": "x\ny"], to: path)
            let file = try SafetensorsFile(path: path)
            #expect(file.metadata == ["format": "pt", "note": "x\ny"])
            #expect(file.tensors.count == 4)
            for tensor in Self.tensors {
                #expect(file.tensors[tensor.name]?.shape == tensor.shape)
                try tensor.withBytes { expected in
                    try file.withBytes(of: tensor.name) { #expect(Array($0) == Array(expected)) }
                }
            }
            // 8-byte types first, bytes last.
            #expect(file.tensors["scalar \"quoted\" é"]?.range == 0..<8)
            #expect(file.tensors["a"]?.range == 20..<23)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
            let loaded = try file.load("b", as: .bfloat16, shape: [2, 3], UInt16.self)
            #expect(Array(loaded.buffer) == [0x0100, 0x0302, 0x0504, 0x0706, 0x0908, 0x0B0A])
        }
    }

    @Test("the header ends on a multiple of 8 and starts with an object")
    func alignment() throws {
        try Fixture.withFolder { folder in
            for length in 1..<20 {
                let path = "\(folder)/t.safetensors"
                let name = String(repeating: "n", count: length)
                try SafetensorsWriter.write(
                    [TensorSource(name: name, type: .uint8, shape: [1], bytes: [9])], to: path)
                let bytes = try FileBytes.read(path, atMost: 1 << 20)
                #expect(bytes[8] == UInt8(ascii: "{"))
                #expect((bytes.count - 1) % 8 == 0)
            }
        }
    }

    @Test("wrong type, shape or name is an error that says which")
    func mismatches() throws {
        try Fixture.withFolder { folder in
            let path = "\(folder)/model.safetensors"
            try SafetensorsWriter.write(Self.tensors, to: path)
            let file = try SafetensorsFile(path: path)
            let type = #expect(throws: SafetensorsError.self) {
                try file.load("b", as: .float16, shape: [2, 3], UInt16.self)
            }
            #expect(type?.rule == .wrongType)
            let shape = #expect(throws: SafetensorsError.self) {
                try file.load("b", as: .bfloat16, shape: [3, 2], UInt16.self)
            }
            #expect(shape?.rule == .wrongType)
            let name = #expect(throws: SafetensorsError.self) { try file.load("c", as: .uint8, shape: [3], UInt8.self) }
            #expect(name?.rule == .missingTensor)
        }
    }

    @Test("a failed write leaves the old file and no litter")
    func failedWrite() throws {
        try Fixture.withFolder { folder in
            let path = "\(folder)/model.safetensors"
            try SafetensorsWriter.write(Self.tensors, to: path)
            let before = try FileBytes.read(path, atMost: 1 << 20)
            let short = TensorSource(name: "s", type: .uint8, shape: [4], bytes: [1, 2, 3])
            let error = #expect(throws: SafetensorsError.self) { try SafetensorsWriter.write([short], to: path) }
            #expect(error?.rule == .sizeMismatch)
            let twice = #expect(throws: SafetensorsError.self) {
                try SafetensorsWriter.write([Self.tensors[1], Self.tensors[1]], to: path)
            }
            #expect(twice?.rule == .duplicateKey)
            #expect(try FileBytes.read(path, atMost: 1 << 20) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
            let nowhere = #expect(throws: SafetensorsError.self) {
                try SafetensorsWriter.write(Self.tensors, to: "\(folder)/absent/model.safetensors")
            }
            #expect(nowhere?.rule == .inputOutput)
        }
    }

    @Test("a file that is shortened while it is open is an error and no signal")
    func shortened() throws {
        try Fixture.withFolder { folder in
            let path = "\(folder)/model.safetensors"
            let long = TensorSource(
                name: "a", type: .uint8, shape: [100_000], bytes: .init(repeating: 1, count: 100_000))
            try SafetensorsWriter.write([long], to: path)
            let file = try SafetensorsFile(path: path)
            try file.withBytes(of: "a") { #expect($0.count == 100_000) }
            #expect(truncate(path, 5000) == 0)
            let lent = #expect(throws: SafetensorsError.self) { try file.withBytes(of: "a") { $0[99_999] } }
            let copied = #expect(throws: SafetensorsError.self) {
                try file.load("a", as: .uint8, shape: [100_000], UInt8.self)
            }
            let hashed = #expect(throws: SafetensorsError.self) { try weightsHash(of: file.sources) }
            for error in [lent, copied, hashed] {
                #expect(error?.rule == .inputOutput && error?.detail.contains("shortened") == true)
            }
        }
    }

    @Test("sources in pieces give the same file and hash as sources in one")
    func pieces() throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = TensorSource(name: "a", type: .bfloat16, shape: [1000, 1500], bytes: bytes)
        try Fixture.withFolder { folder in
            try SafetensorsWriter.write([whole], to: "\(folder)/a.safetensors")
            let file = try SafetensorsFile(path: "\(folder)/a.safetensors")
            var count = 0
            for source in file.sources { try source.withBytes { _ in count += 1 } }
            #expect(count == 3)
            try SafetensorsWriter.write(file.sources, to: "\(folder)/b.safetensors")
            #expect(
                try FileBytes.read("\(folder)/a.safetensors", atMost: 1 << 23)
                    == FileBytes.read("\(folder)/b.safetensors", atMost: 1 << 23))
            #expect(try weightsHash(of: file.sources) == weightsHash(of: [whole]))
        }
    }

    @Test("directories, missing files and empty files are refused with a sentence")
    func unreadable() throws {
        try Fixture.withFolder { folder in
            let directory = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder) }
            #expect(directory?.rule == .inputOutput)
            let missing = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: "\(folder)/none") }
            #expect(missing?.rule == .inputOutput)
            try Data().write(to: URL(fileURLWithPath: "\(folder)/empty"))
            let empty = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: "\(folder)/empty") }
            #expect(empty?.rule == .fileTooShort)
        }
    }

    @Test("the weights hash follows the rule and not the file")
    func hash() throws {
        // SHA-256 over the rule's bytes, built here by hand.
        var text: [UInt8] = []
        func word(_ value: UInt32) { text += withUnsafeBytes(of: value.littleEndian, Array.init) }
        func long(_ value: UInt64) { text += withUnsafeBytes(of: value.littleEndian, Array.init) }
        word(1); text += Array("a".utf8); word(2); text += Array("U8".utf8); word(1); long(3); text += [1, 2, 3]
        word(1); text += Array("b".utf8); word(4); text += Array("BF16".utf8); word(2); long(2); long(3)
        text += Array(0..<12)
        let expected = SHA256.hash(text)
        let sources = Array(Self.tensors.prefix(2))
        #expect(try weightsHash(of: sources) == expected)
        #expect(try weightsHash(of: sources.reversed()) == expected)
        try Fixture.withFolder { folder in
            try SafetensorsWriter.write(sources, metadata: ["other": "text"], to: "\(folder)/x.safetensors")
            #expect(try weightsHash(of: SafetensorsFile(path: "\(folder)/x.safetensors").sources) == expected)
        }
        let renamed = [TensorSource(name: "c", type: .uint8, shape: [3], bytes: [1, 2, 3]), sources[0]]
        #expect(try weightsHash(of: renamed) != expected)
        let reshaped = [TensorSource(name: "a", type: .uint8, shape: [3, 1], bytes: [1, 2, 3]), sources[0]]
        #expect(try weightsHash(of: reshaped) != expected)
    }
}
