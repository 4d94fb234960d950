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

    /// Reads a tensor as bf16.
    func read(_ slice: TensorSlice, into target: UnsafeMutablePointer<BFloat16Bits>, _ kernels: Kernels) throws {
        let file = try tensors.file(holding: slice.name)
        if file.tensors[slice.name]?.type == .bfloat16 {
            let all = UnsafeMutableBufferPointer(start: target, count: slice.count)
            return try file.copy(slice.name, as: .bfloat16, shape: slice.shape, to: all)
        }
        try eachBlock(of: slice.name) { first, values in
            guard let start = values.baseAddress else { return }
            kernels.roundToBFloat16(start, into: target + first, count: values.count)
        }
    }

    /// Reads a tensor as binary32, without any rounding.
    ///
    /// - Throws: `ModelError` naming a tensor that holds NaN or infinity.
    func read(_ slice: TensorSlice, into target: UnsafeMutablePointer<Float>) throws {
        try eachBlock(of: slice.name) { first, values in
            guard let start = values.baseAddress else { return }
            (target + first).update(from: start, count: values.count)
        }
        guard Kernels.isFinite(target, count: slice.count) else { throw ModelError.notFinite(slice.name) }
    }

    /// Calls `body` with the elements of a tensor in order, widened, and the index of the first.
    private func eachBlock(
        of name: String, _ body: (_ first: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        let file = try tensors.file(holding: name)
        guard let type = file.tensors[name]?.type else { return }
        let size = type.byteCount
        try file.withBytes(of: name) { bytes in
            let count = bytes.count / size
            try withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.blockElements) { block in
                for first in stride(from: 0, to: count, by: Self.blockElements) {
                    let values = UnsafeMutableBufferPointer(rebasing: block[..<min(Self.blockElements, count - first)])
                    let part = UnsafeRawBufferPointer(rebasing: bytes[first * size..<(first + values.count) * size])
                    Self.widen(part, type, into: values)
                    try body(first, values)
                }
            }
        }
    }

    private static func widen(
        _ bytes: UnsafeRawBufferPointer, _ type: ElementType, into values: UnsafeMutableBufferPointer<Float>
    ) {
        // Files promise no alignment.
        switch type {
        case .float32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
        case .float16:
            for index in values.indices {
                let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                values[index] = HalfPrecision.widened[Int(bits)]
            }
        default:
            for index in values.indices {
                let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                values[index] = Float(bitPattern: UInt32(bits) << 16)
            }
        }
    }

    /// Exporters of tied models write the output projection or leave it out; one that differs is another model.
    private func verifyTied(_ embedding: TensorSlice) throws {
        let output = TensorCheck.outputName
        let (left, right) = (try tensors.file(holding: output), try tensors.file(holding: embedding.name))
        var isSame = true
        if left.tensors[output]?.type == right.tensors[embedding.name]?.type {
            isSame = try left.withBytes(of: output) { one in
                try right.withBytes(of: embedding.name) { other in one.elementsEqual(other) }
            }
        } else {
            let whole = Storage<Float>(count: embedding.count, zeroed: false)
            try eachBlock(of: embedding.name) { first, values in
                guard let start = values.baseAddress else { return }
                (whole.pointer + first).update(from: start, count: values.count)
            }
            try eachBlock(of: output) { first, values in
                for (index, value) in values.enumerated() where value != whole[first + index] { isSame = false }
            }
        }
        guard isSame else {
            throw ModelError(
                .tensorMismatch, place: tensors.directory,
                "tie_word_embeddings is true, and \(output) is another matrix than \(embedding.name); "
                    + "set it to false in config.json, or delete \(output)")
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
