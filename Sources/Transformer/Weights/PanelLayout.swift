import Tensors

/// Where a model's packed matrices and its vectors lie in one block of bf16 memory.
///
/// Per layer q, k and v; the output of attention; gate and up; down. Then the output projection, which is the embedding
/// too where they are tied, else the embedding, and last all norms and biases. Everything begins on a 64-byte line, padding
/// is zero. Nothing is stored twice, and nothing row-major but vectors.
struct PanelLayout: Sendable {
    /// A packed matrix of one or several tensors below each other.
    struct Matrix: Sendable {
        let rows: Int
        let columns: Int
        let offset: Int

        var elementCount: Int { PackedMatrix.elementCount(rows: rows, columns: columns) }
    }

    /// Where one tensor lies.
    enum Place: Sendable {
        /// Rows of a matrix, from `row` on.
        case rows(matrix: Int, row: Int)
        /// The elements themselves.
        case vector(offset: Int)
    }

    /// Matrices per layer.
    static let matricesPerLayer = 4

    /// All matrices, four per layer, then the output projection, then an embedding of its own.
    let matrices: [Matrix]
    /// The size of the block in elements.
    let elementCount: Int
    private let places: [Int: Place]

    init(_ layout: ParameterLayout) {
        var builder = Builder()
        for layer in layout.layers {
            builder.add([layer.query, layer.key, layer.value])
            builder.add([layer.output])
            builder.add([layer.gate, layer.up])
            builder.add([layer.down])
        }
        builder.add([layout.outputProjection ?? layout.embedding])
        if layout.outputProjection != nil { builder.add([layout.embedding]) }
        for slice in layout.slices where slice.isVector { builder.add(vector: slice) }
        matrices = builder.matrices
        elementCount = builder.next
        places = builder.places
    }

    /// Where a tensor of the model lies.
    func place(of slice: TensorSlice) -> Place {
        guard let place = places[slice.offset] else {
            preconditionFailure("\(slice.name) belongs to another model")
        }
        return place
    }

    /// Makes zeros of everything that no tensor is written to, in memory whose contents are undefined.
    func clearPadding(of memory: Storage<BFloat16Bits>) {
        for matrix in matrices where matrix.rows % PackedMatrix.panelWidth != 0 {
            let panel = matrix.elementCount / ((matrix.rows + PackedMatrix.panelWidth - 1) / PackedMatrix.panelWidth)
            (memory.pointer + matrix.offset + matrix.elementCount - panel).update(repeating: 0, count: panel)
        }
        let end = matrices.last.map { $0.offset + $0.elementCount } ?? 0
        (memory.pointer + end).update(repeating: 0, count: elementCount - end)
    }

    private struct Builder {
        var matrices: [Matrix] = []
        var places: [Int: Place] = [:]
        var next = 0

        mutating func add(_ parts: [TensorSlice]) {
            var rows = 0
            for part in parts {
                places[part.offset] = .rows(matrix: matrices.count, row: rows)
                rows += part.shape[0]
            }
            let matrix = Matrix(rows: rows, columns: parts[0].shape[1], offset: next)
            matrices.append(matrix)
            take(matrix.elementCount)
        }

        mutating func add(vector: TensorSlice) {
            places[vector.offset] = .vector(offset: next)
            take(vector.count)
        }

        private mutating func take(_ count: Int) { next = (next + count + 31) / 32 * 32 }
    }
}
