import CDelta
import Foundation
import Fuzzing
import Identity

@testable import Shardcast

/// A tensor of a test's model.
struct TestTensor {
    let name: String
    var type = "BF16"
    var elements: [UInt16]

    var bytes: [UInt8] { elements.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }
    /// F32 tensors take two of the 16-bit words for each element.
    var shape: [Int] { [type == "F32" ? elements.count / 2 : elements.count] }
}

/// A model of a few tensors in a directory: several files if wanted, each laid out as safetensors are.
struct TestModel {
    var files: [(name: String, tensors: [TestTensor])]

    /// Tensors of odd sizes: an empty one, one of one element, one of several blocks where `isLarge`.
    static func drawn(seed: UInt64, isLarge: Bool = false) -> TestModel {
        var generator = FuzzGenerator(seed: seed)
        func tensor(_ name: String, _ count: Int, _ type: String = "BF16") -> TestTensor {
            TestTensor(name: name, type: type, elements: (0..<count).map { _ in weight(&generator) })
        }
        return TestModel(files: [
            (
                "model.safetensors",
                [
                    tensor("a.empty", 0), tensor("a.one", 1), tensor("b.weight", 31), tensor("c.weight", 4097),
                    tensor("d.moments", 640, "F32"), tensor("e.half", 333, "F16"),
                    tensor("f.large", isLarge ? 2 * DeltaFormat.blockElements + 77 : 9000),
                ]
            )
        ])
    }

    /// A bf16 weight of usual size; now and then a NaN, an infinity, a zero of either sign or a denormal.
    static func weight(_ generator: inout FuzzGenerator) -> UInt16 {
        let bits = generator.next()
        guard bits % 97 == 0 else { return UInt16(truncatingIfNeeded: (bits >> 8 & 0x83FF) + 0x3B00) }
        return [0x7FC1, 0xFF80, 0x0000, 0x8000, 0x0001, 0x7F80][Int(bits >> 20 % 6) % 6]
    }

    /// Another version: a part of the elements drifts by a few units in the last place, some jump anywhere.
    func drifted(density: Double, seed: UInt64, jumps: Double = 0.01) -> TestModel {
        var generator = FuzzGenerator(seed: seed)
        var next = self
        for file in next.files.indices {
            for tensor in next.files[file].tensors.indices {
                for index in next.files[file].tensors[tensor].elements.indices {
                    guard Double.random(in: 0..<1, using: &generator) < density else { continue }
                    let old = next.files[file].tensors[tensor].elements[index]
                    var new = UInt16(truncatingIfNeeded: generator.next())
                    if Double.random(in: 0..<1, using: &generator) >= jumps {
                        new =
                            old
                            &+ UInt16(truncatingIfNeeded: [1, -1, -1, 1, 2, -3].randomElement(using: &generator) ?? 1)
                    } else if new % 4 == 0 {
                        new = old ^ 0x8000
                    }
                    next.files[file].tensors[tensor].elements[index] = new
                }
            }
        }
        return next
    }

    func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for file in files {
            var entries: [String: Any] = [:]
            var data: [UInt8] = []
            for tensor in file.tensors {
                let bytes = tensor.bytes
                entries[tensor.name] = [
                    "dtype": tensor.type, "shape": tensor.shape,
                    "data_offsets": [data.count, data.count + bytes.count],
                ]
                data += bytes
            }
            let header = try JSONSerialization.data(withJSONObject: entries, options: .sortedKeys)
            let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
            try Data(length + header + data).write(to: URL(fileURLWithPath: "\(directory)/\(file.name)"))
        }
    }

    var names: [String] { files.map(\.name) }
    /// Stands for the hash over the tensors, which this room does not compute.
    var weightsHash: Hash256 { SHA256.hash(files.flatMap { $0.tensors.flatMap(\.bytes) }) }
}

/// A body made and read by the C code.
enum BlockCodec {
    static func encode(_ base: [UInt16], _ next: [UInt16]) -> [UInt8] {
        var scratch = [UInt32](repeating: 0, count: cd_scratch_bytes(base.count) / 4 + 1)
        return [UInt8](unsafeUninitializedCapacity: cd_bound(base.count) + Int(CD_SLACK)) { buffer, count in
            count = cd_encode(base, next, base.count, &scratch, buffer.baseAddress!)
        }
    }

    /// Nil where the body is refused.
    static func decode(_ body: [UInt8], _ base: [UInt16]) -> [UInt16]? {
        var target = base
        let padded = body + [UInt8](repeating: 0xA5, count: Int(CD_SLACK))
        guard cd_body_bytes(padded, body.count, base.count) == body.count else { return nil }
        return cd_decode(padded, body.count, &target, base.count) ? target : nil
    }
}
