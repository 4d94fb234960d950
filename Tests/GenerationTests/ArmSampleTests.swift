import Foundation
import Identity
import Proofs
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

/// A whole sample of the engine, computed again by the neon row under qemu-user.
///
/// The tokens, the bits of the log-probabilities and the commitments have to be equal. Where the cross compiler or the
/// emulator is missing there is nothing to run.
@Suite(.serialized) struct ArmSampleTests {
    static let isPossible = ["/usr/bin/aarch64-linux-gnu-gcc", "/usr/bin/qemu-aarch64"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: isPossible)) func nanoModel() throws {
        try compare(ModelShape.nano.configuration, scale: 4)
    }

    @Test(.enabled(if: isPossible)) func oddShapeWithoutNorms() throws {
        try compare(
            ModelConfiguration(
                vocabularySize: 101, hiddenSize: 40, layers: 1, heads: 3, keyValueHeads: 1, headDimension: 10,
                intermediateSize: 71, tieEmbeddings: false, qkNorm: false), scale: 3)
    }

    private func compare(_ configuration: ModelConfiguration, scale: Float) throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let master = ModelInitializer.random(configuration, seed: 11)
        // Larger weights than the initializer's, so that distributions are far from uniform.
        for index in 0..<master.values.count { master.values[index] *= scale }
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let key = try TestModel.key()
        let engine = GenerationEngine(
            weights: weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: TestModel.runID, workerKey: key),
            limits: GenerationLimits(sequences: 8, pages: 256, waitingGroups: 8))
        let request = GroupRequest(
            groupID: SHA256.hash([9]), promptTokens: (0..<19).map { Int32($0 * 5 % configuration.vocabularySize) },
            parameters: SamplingParameters(samples: 2, maximumTokens: 45, temperature: 0.8, stopTokens: [10]))
        try engine.add(request)
        let group = try #require(try engine.finish().first)

        for (index, sample) in group.samples.enumerated() {
            let noise = NoiseKey(
                runID: TestModel.runID, weightsHash: weights.weightsHash, groupID: request.groupID,
                sample: UInt32(index))
            let arm = try run(ModelDump(weights, request, noise).bytes)
            #expect(arm.tokens == sample.tokens)
            #expect(arm.logprob_bits == sample.logProbabilities.map(\.bitPattern))
            let rows = stride(from: 0, to: arm.rows.utf8.count, by: 4).map { offset -> UInt16 in
                let text = Array(arm.rows.utf8.dropFirst(offset).prefix(4))
                return UInt16(String(decoding: text, as: UTF8.self), radix: 16)?.byteSwapped ?? 0
            }
            var commitments: [Hash256] = []
            for start in stride(from: 0, to: sample.tokens.count, by: 32) {
                let width = configuration.hiddenSize
                let chunk = Array(rows[start * width..<min(start + 32, sample.tokens.count) * width])
                let commitment = try chunk.withUnsafeBufferPointer {
                    try Commitment.make(
                        rows: $0, workerKey: key, groupID: request.groupID, sample: UInt32(index),
                        chunk: UInt32(start / 32))
                }
                commitments.append(commitment)
            }
            #expect(commitments == sample.commitments && !commitments.isEmpty)
        }
    }

    private struct Answer: Decodable {
        // The driver's own names.
        let tokens: [Int32]
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let logprob_bits: [UInt32]
        let rows: String
    }

    private func run(_ dump: [UInt8]) throws -> Answer {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString).dump")
        try Data(dump).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let output = Pipe()
        process.executableURL = root.appendingPathComponent("scripts/check-neon.sh")
        process.arguments = [file.path]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try JSONDecoder().decode(Answer.self, from: data)
    }
}

/// A model, a prompt and noise in the format of `scripts/neon/model.h`.
private struct ModelDump {
    private(set) var bytes = Array("APUSDUMP".utf8)

    init(_ weights: ModelWeights, _ request: GroupRequest, _ noise: NoiseKey) {
        let configuration = weights.configuration
        let parameters = request.parameters
        add(1 as UInt32)
        for size in [
            configuration.vocabularySize, configuration.hiddenSize, configuration.layers, configuration.heads,
            configuration.keyValueHeads, configuration.headDimension, configuration.intermediateSize,
            configuration.tieEmbeddings ? 1 : 0, configuration.qkNorm ? 1 : 0,
        ] {
            add(UInt32(size))
        }
        add(configuration.rmsEpsilon.bitPattern)
        add(configuration.ropeTheta.bitPattern)
        add(UInt32(request.promptTokens.count))
        add(UInt32(parameters.maximumTokens))
        add(parameters.stopTokens.first ?? -1)
        add(parameters.temperature.bitPattern)
        noise.material.withUnsafeBytes { bytes += $0.prefix(16) }
        request.promptTokens.forEach { add($0) }
        let attention = ["q_proj", "k_proj", "v_proj", "o_proj"].map { "self_attn.\($0)" }
        let norms = configuration.qkNorm ? ["self_attn.q_norm", "self_attn.k_norm"] : []
        let feedForward = ["gate_proj", "up_proj", "down_proj"].map { "mlp.\($0)" }
        add(weights, "model.embed_tokens")
        for layer in 0..<configuration.layers {
            for name in ["input_layernorm"] + attention + norms + ["post_attention_layernorm"] + feedForward {
                add(weights, "model.layers.\(layer).\(name)")
            }
        }
        add(weights, "model.norm")
        if !configuration.tieEmbeddings { add(weights, "lm_head") }
    }

    private mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    private mutating func add(_ weights: ModelWeights, _ name: String) {
        guard let tensor = weights.tensor(named: "\(name).weight") else { return }
        tensor.withUnsafeBytes { bytes += $0 }
    }
}
