import Foundation
import Identity
import Safetensors
import Tensors

/// The tensors of a checkpoint that fits a layout, read from whatever floating-point type they are stored in.
///
/// bf16 is the canonical storage. binary16 and binary32 are rounded to it, to nearest even and denormals to signed zeros,
/// when a model is loaded to compute with; a trainer reads all three exactly into binary32.
struct CheckpointReader {
    /// The element types that are read.
    static let types: [ElementType] = [.bfloat16, .float16, .float32]
    private static let blockElements = 1 << 14

    private let tensors: TensorCollection

    /// Compares the tensors of files with those that a model needs.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors, or for tied embeddings whose
    ///   stored output projection is another matrix.
    init(_ tensors: TensorCollection, layout: ParameterLayout) throws {
        try TensorCheck.verify(tensors, against: layout, types: Self.types)
        self.tensors = tensors
        if layout.outputProjection == nil, tensors.tensors[TensorCheck.outputName] != nil {
            try verifyTied(layout.embedding)
        }
    }

    /// Reads elements of a tensor as bf16; several threads may read at once.
    func read(
        _ slice: TensorSlice, _ elements: Range<Int>, into target: UnsafeMutablePointer<BFloat16Bits>,
        _ kernels: Kernels
    ) throws {
        let file = try tensors.file(holding: slice.name)
        if file.tensors[slice.name]?.type == .bfloat16 {
            let bytes = UnsafeMutableRawBufferPointer(start: target, count: 2 * elements.count)
            return try file.read(slice.name, at: 2 * elements.lowerBound, into: bytes)
        }
        try eachBlock(of: slice.name, elements) { first, values in
            guard let start = values.baseAddress else { return }
            kernels.roundToBFloat16(start, into: target + (first - elements.lowerBound), count: values.count)
        }
    }

    /// Reads a tensor as binary32, without any rounding.
    ///
    /// - Throws: `ModelError` naming a tensor that holds NaN or infinity.
    func read(_ slice: TensorSlice, into target: UnsafeMutablePointer<Float>) throws {
        try eachBlock(of: slice.name, 0..<slice.count) { first, values in
            guard let start = values.baseAddress else { return }
            (target + first).update(from: start, count: values.count)
        }
        guard Kernels.isFinite(target, count: slice.count) else { throw ModelError.notFinite(slice.name) }
    }

    /// The identity of the weights that are loaded from these tensors, without loading them.
    func weightsHash(_ layout: ParameterLayout, _ kernels: Kernels) throws -> Hash256 {
        var hash = WeightsHasher()
        let block = Storage<BFloat16Bits>(count: ModelWeights.blockElements, zeroed: false)
        defer { withExtendedLifetime(block) {} }
        for slice in layout.slices.sorted(by: { precedes($0.name, $1.name) }) {
            hash.begin(name: slice.name, type: .bfloat16, shape: slice.shape)
            for first in stride(from: 0, to: slice.count, by: block.count) {
                let elements = first..<min(first + block.count, slice.count)
                try read(slice, elements, into: block.pointer, kernels)
                PackedMatrix.flushDenormals(block.pointer, count: elements.count)
                hash.update(UnsafeRawBufferPointer(start: block.pointer, count: 2 * elements.count))
            }
        }
        return hash.finalize()
    }

    /// Calls `body` with elements of a tensor in order, widened, and the index of the first.
    private func eachBlock(
        of name: String, _ elements: Range<Int>,
        _ body: (_ first: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        let file = try tensors.file(holding: name)
        guard let type = file.tensors[name]?.type else { return }
        let size = type.bitCount / 8
        let stored = Storage<UInt8>(count: Self.blockElements * size, zeroed: false)
        let widened = Storage<Float>(count: Self.blockElements, zeroed: false)
        defer { withExtendedLifetime((stored, widened)) {} }
        for first in stride(from: elements.lowerBound, to: elements.upperBound, by: Self.blockElements) {
            let count = min(Self.blockElements, elements.upperBound - first)
            let bytes = UnsafeMutableRawBufferPointer(start: stored.pointer, count: count * size)
            try file.read(name, at: first * size, into: bytes)
            let values = UnsafeMutableBufferPointer(start: widened.pointer, count: count)
            Self.widen(UnsafeRawBufferPointer(bytes), type, into: values)
            try body(first, values)
        }
    }

    private static func widen(
        _ bytes: UnsafeRawBufferPointer, _ type: ElementType, into values: UnsafeMutableBufferPointer<Float>
    ) {
        switch type {
        case .float32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
        case .float16:
            for (index, bits) in bytes.bindMemory(to: UInt16.self).enumerated() {
                values[index] = HalfPrecision.widened[Int(bits)]
            }
        default:
            for (index, bits) in bytes.bindMemory(to: UInt16.self).enumerated() {
                values[index] = Float(bitPattern: UInt32(bits) << 16)
            }
        }
    }

    /// Exporters of tied models write the output projection or leave it out; one that differs is another model.
    private func verifyTied(_ embedding: TensorSlice) throws {
        let output = TensorCheck.outputName
        let other = Storage<Float>(count: Self.blockElements, zeroed: false)
        defer { withExtendedLifetime(other) {} }
        try eachBlock(of: embedding.name, 0..<embedding.count) { first, values in
            try eachBlock(of: output, first..<first + values.count) { _, block in
                if let start = block.baseAddress { other.pointer.update(from: start, count: block.count) }
            }
            guard let start = values.baseAddress, memcmp(other.pointer, start, 4 * values.count) == 0 else {
                throw ModelError(
                    .tensorMismatch, place: tensors.directory,
                    "tie_word_embeddings is true, and \(output) is another matrix than \(embedding.name); "
                        + "set it to false in config.json, or delete \(output)")
            }
        }
    }
}

/// IEEE 754 binary16, which some checkpoints are stored in.
enum HalfPrecision {
    /// The value of every bit pattern; all are exact in binary32.
    static let widened: [Float] = (0...UInt16.max).map { bits in
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0: return Float(bitPattern: (Float(fraction) * 0x1p-24).bitPattern | sign)
        case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}

extension ModelError {
    /// The error for a tensor that holds NaN or infinity.
    static func notFinite(_ tensor: String) -> ModelError {
        ModelError(.notFinite, place: tensor, "the tensor holds NaN or infinity; go back to an earlier checkpoint")
    }
}
