import Tensors

extension ModelInspection {
    /// The bytes that training needs at its peak: bf16 weights, then binary32 parameters, gradients and two moments of
    /// 16 bytes a parameter together, then activations and scratch.
    ///
    /// Activations and scratch are counted by the code that allocates them.
    ///
    /// - Parameters:
    ///   - tokens: the tokens of one micro-batch, in sequences of the same length.
    ///   - longest: the length of the sequences; nil for one sequence.
    ///   - threads: how many compute.
    ///   - plan: how training uses memory; nil for the usual one for the model's size.
    public func trainingBytes(
        tokens: Int, longest: Int? = nil, threads: Int = 2, plan: TrainingPlan? = nil
    ) -> Int {
        let plan = plan ?? TrainingPlan(for: configuration, threads: threads)
        let length = min(longest ?? tokens, tokens)
        let sequences = (tokens + length - 1) / max(1, length)
        let size = TrainingBuffers.Size(
            rows: tokens, longest: length, pages: sequences * KeyValuePageLayout.pages(for: length))
        let buffers = TrainingBuffers(
            configuration, size: size, plan: plan, threads: plan.lanes == 0 ? threads : 1, allocating: false)
        // Master weights, two moments, and one sum of gradients for each lane.
        let states = 3 + max(1, plan.lanes)
        return weightBytes + 4 * states * ParameterLayout(configuration).elementCount
            + (plan.lanes == 0 ? 1 : threads) * buffers.byteCount + GenerationMemory.process
    }
}
