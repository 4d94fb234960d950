import CKernels

/// Derivatives of the canonical operations, and the optimizer: the Swift face of `CKernelsTraining.h`.
///
/// Nothing here is committed to or replayed by others, so it is fast rather than canonical. Every function runs on the
/// calling thread and gives the same bits for the same arguments on the same machine.
public enum TrainingKernels {
    /// Widens bf16 bits to floats.
    public static func widen(
        _ source: UnsafePointer<BFloat16Bits>, _ target: UnsafeMutablePointer<Float>, count: Int
    ) {
        ck_training_widen(source, target, count)
    }

    /// Adds `source` to `target`.
    public static func add(_ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, count: Int) {
        ck_training_add(target, source, count)
    }

    /// The sum of squares, accumulated in double.
    public static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
        ck_training_sum_of_squares(values, count)
    }

    /// Backward of RMSNorm over `rows` rows of `width`.
    ///
    /// - Parameters:
    ///   - input: the rows before the norm.
    ///   - weight: the rounded weight, `width` values.
    ///   - outputGradient: the derivative of the normed rows.
    ///   - inputGradient: overwritten, or added to when `accumulate` is true.
    ///   - weightGradient: added to.
    public static func rmsNormBackward(
        input: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
        outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
        weightGradient: UnsafeMutablePointer<Float>, rows: Int, width: Int, accumulate: Bool
    ) {
        ck_training_rms_norm_backward(
            input, weight, epsilon, outputGradient, inputGradient, weightGradient, rows, width, accumulate ? 1 : 0)
    }

    /// Backward of the half-split rotation, in place over `heads` heads of one token.
    public static func rotaryBackward(
        _ gradient: UnsafeMutablePointer<Float>, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
        heads: Int, width: Int
    ) {
        ck_training_rotary_backward(gradient, cosines, sines, heads, width)
    }

    /// Backward of `gate / (1 + exp(−gate)) · up`; the gradients must not overlap the inputs.
    public static func swiGLUBackward(
        gate: UnsafePointer<Float>, up: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
        gateGradient: UnsafeMutablePointer<Float>, upGradient: UnsafeMutablePointer<Float>, count: Int
    ) {
        ck_training_swiglu_backward(gate, up, outputGradient, gateGradient, upGradient, count)
    }

    /// Floats of scratch that attention backward needs for one sequence.
    public static func attentionScratch(length: Int, width: Int) -> Int {
        ck_training_attention_scratch(length, width)
    }

    /// Backward of causal attention over one short sequence.
    ///
    /// - Parameters:
    ///   - query: bf16 [length, heads · width], as the forward pass saw it; `key` and `value` with their own heads.
    ///   - outputGradient: [length, heads · width].
    ///   - queryGradient: overwritten, as `keyGradient` and `valueGradient`; rows of all three lie `gradientStride` apart.
    public static func attentionBackward(
        query: UnsafePointer<BFloat16Bits>, key: UnsafePointer<BFloat16Bits>, value: UnsafePointer<BFloat16Bits>,
        outputGradient: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>,
        keyGradient: UnsafeMutablePointer<Float>, valueGradient: UnsafeMutablePointer<Float>, gradientStride: Int,
        length: Int, shape: AttentionShape, scratch: UnsafeMutablePointer<Float>
    ) {
        ck_training_attention_backward(
            query, key, value, outputGradient, queryGradient, keyGradient, valueGradient, gradientStride, length,
            shape.heads, shape.keyValueHeads, shape.headDimension, shape.scale, scratch)
    }

    /// The elementwise part of attention backward for a block of query rows of one head of a long sequence.
    ///
    /// `scores` goes from q·k to the rounded probabilities, `slopes` from their derivatives to those of q·k.
    ///
    /// - Parameters:
    ///   - first: the first query's place among the `keys` columns; query r sees the columns up to first + r.
    ///   - window: how many columns a query sees at most; 0 means all.
    public static func attentionRows(
        scores: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>, rows: Int, first: Int, keys: Int,
        stride: Int, window: Int, scale: Float
    ) {
        ck_training_attention_rows(scores, slopes, rows, first, keys, stride, window, scale)
    }

    /// Turns a row of logits into the derivative of `slope · log p(target)`; returns the entropy of p in nats.
    public static func logSoftmaxBackward(
        _ logits: UnsafeMutablePointer<Float>, count: Int, target: Int, temperature: Float, slope: Float
    ) -> Float {
        ck_training_log_softmax_backward(logits, count, target, temperature, slope)
    }
}

/// What one AdamW step needs beside the vectors.
public struct AdamWStep: Sendable {
    fileprivate var settings: ck_training_adamw_settings

    /// The constants of update number `update`, counted from 1; bias corrections are computed in double.
    public init(
        update: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
        gradientScale: Double
    ) {
        settings = ck_training_adamw_settings(
            decay: Float(1 - learningRate * weightDecay), step: Float(learningRate / (1 - power(beta1, update))),
            rest1: Float(1 - beta1), beta2: Float(beta2), rest2: Float(1 - beta2),
            root: Float((1 - power(beta2, update)).squareRoot()), epsilon: Float(epsilon),
            gradient_scale: Float(gradientScale))
    }

    /// Applies the step to `count` elements; elementwise, so the same for every split over threads and machines.
    public func apply(
        parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>, count: Int
    ) {
        withUnsafePointer(to: settings) {
            ck_training_adamw(parameters, gradients, firstMoments, secondMoments, count, $0)
        }
    }
}

/// base^exponent by repeated squaring: the same on every machine, which libm's power is not.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}
