import Tensors

/// How forward and backward passes use threads, memory and precision.
public struct TrainingPlan: Sendable, Equatable {
    /// What the products of the backward pass are computed in; sums are always f32.
    public enum Precision: Sendable, Equatable {
        /// Derivatives are rounded to bf16 where they enter a product, as the weights and inputs are already.
        case bfloat16
        /// Derivatives stay f32: the exact derivative of the rounded forward pass, at less than half the speed.
        case float32
    }

    /// Independent sums of gradients that run in parallel, one micro-batch to a thread; 0 means that all threads share
    /// each micro-batch and one sum, which is what large models have the memory for.
    public var lanes: Int
    /// What the products of the backward pass are computed in.
    public var precision: Precision
    /// Rows of a micro-batch, unless one sequence is longer.
    public var rows: Int
    /// Bytes that the activations of all layers may take per micro-batch; layers beyond it are computed again from their
    /// input on the way back, to the same bits.
    public var activationBytes: Int

    /// A plan from its parts.
    public init(lanes: Int, precision: Precision, rows: Int = 512, activationBytes: Int = 1 << 30) {
        self.lanes = lanes
        self.precision = precision
        self.rows = rows
        self.activationBytes = activationBytes
    }

    /// Gradients of up to this many elements get a fixed number of lanes.
    private static let smallGradient = 1 << 22
    private static let smallLanes = 4

    /// The plan for a model: lanes of f32 for small ones, whose products are too small to share, else one shared sum.
    ///
    /// Neither plan's gradients depend on the number of threads, up to four threads for small models.
    public init(for configuration: ModelConfiguration, threads: Int) {
        if ParameterLayout(configuration).elementCount <= Self.smallGradient {
            self.init(lanes: max(Self.smallLanes, threads), precision: .float32)
        } else {
            self.init(lanes: 0, precision: .bfloat16)
            rows = Self.rows(of: configuration, activationBytes: activationBytes)
        }
    }

    /// As many rows as keep the activations of all layers: every micro-batch reads and writes all gradients.
    private static func rows(of configuration: ModelConfiguration, activationBytes: Int) -> Int {
        let counted = 64
        var memory = TrainingMemory(allocating: false)
        let shared: Storage<Float>? = configuration.qkNorm ? nil : Storage(count: 0)
        _ = LayerActivations(configuration, rows: counted, projected: shared, from: &memory)
        return min(max(activationBytes / (memory.bytes * configuration.layers) * counted, fewestRows), mostRows)
    }

    private static let (fewestRows, mostRows) = (512, 2048)
}
