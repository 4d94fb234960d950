import Tensors

/// Where the derivatives of one lane add up: shaped as a model's weights, or as an adapter's factors.
enum GradientSum {
    case model(MasterWeights)
    case adapter(AdapterWeights)

    /// All sums, padding included.
    var values: Storage<Float> {
        switch self {
        case .model(let weights): weights.values
        case .adapter(let weights): weights.values
        }
    }
}

/// What a backward pass computes derivatives of: all weights of a model, or the factors of an adapter.
///
/// Under an adapter everything else is frozen: derivatives flow through it, and none is kept.
enum GradientTarget {
    /// With `adding` false the sums of matrices are undefined, and what is added first overwrites them.
    case model(MasterWeights, adding: Bool)
    case adapter(AdapterBackward)

    /// Where the derivative of a vector is added: its sum, or a place that nobody reads.
    func vector(_ slice: TensorSlice) -> UnsafeMutablePointer<Float> {
        switch self {
        case .model(let weights, _): weights.values.pointer + slice.offset
        case .adapter(let adapter): adapter.discarded.pointer
        }
    }

    /// The sums of all weights; nil where they are frozen.
    var weights: UnsafeMutablePointer<Float>? {
        if case .model(let weights, _) = self { return weights.values.pointer }
        return nil
    }

    /// The same for the first micro-batch of a step, which need not read what earlier steps left.
    var overwriting: GradientTarget { with(adding: false) }

    /// The same for everything after what ``overwriting`` is for.
    var adding: GradientTarget { with(adding: true) }

    private func with(adding: Bool) -> GradientTarget {
        if case .model(let weights, _) = self { return .model(weights, adding: adding) }
        return self
    }

    /// Whether products add to the sums of matrices; otherwise they overwrite them.
    var isAdding: Bool {
        if case .model(_, let adding) = self { return adding }
        return true
    }
}
