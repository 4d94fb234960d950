import EnvironmentKit
import Roles
import Tensors

/// What a policy earns on held-out prompts, sampled and greedy, with a few examples for people.
struct DemoMeasurement: Sendable {
    /// One prompt with three draws.
    struct Sample: Codable, Sendable {
        let prompt: String
        let completions: [String]

        var line: String {
            "\(prompt.trimmingNewlines) → " + completions.map(\.trimmingNewlines).joined(separator: "   ")
        }
    }

    let greedy: Double
    let sampled: Double
    let samples: [Sample]
    let prompts: Int

    init(
        model: String, environment: any Environment, prompts: Int, kernels: Kernels, pool: ComputePool
    ) async throws {
        let count = max(1, prompts)
        let drawn = try await PolicyEvaluation(environment: environment, prompts: count)
            .run(modelDirectory: model, kernels: kernels, pool: pool)
        let best = try await PolicyEvaluation(environment: environment, prompts: count, temperature: 0)
            .run(modelDirectory: model, kernels: kernels, pool: pool)
        let shown = try await PolicyEvaluation(environment: environment, prompts: 3, attempts: 3)
            .run(modelDirectory: model, kernels: kernels, pool: pool)
        sampled = drawn.meanReward
        greedy = best.meanReward
        self.prompts = count
        samples = (0..<3).map { index in
            let attempts = shown.filter { $0.prompt == index }
            return Sample(prompt: attempts.first?.promptText ?? "", completions: attempts.map(\.completion))
        }
    }

    var sentence: String {
        "reward \(Terminal.fixed(sampled, 3)) sampled, \(Terminal.fixed(greedy, 3)) greedy, on \(prompts) held-out prompts"
    }
}

extension String {
    fileprivate var trimmingNewlines: String { split(separator: "\n").joined(separator: "⏎") }
}
