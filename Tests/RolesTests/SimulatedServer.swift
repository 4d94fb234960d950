import Foundation
import Generation
import Hummingbird
import Identity
import JSON
import Logging
import Sampling
import Tensors
import Transformer

@testable import Roles

/// A completions server in this process whose arithmetic is another one: its rows are ours with noise, and it samples
/// from them by the noise words of the request.
final class SimulatedServer: Sendable {
    let engine: SimulatedEngine
    let port: Int
    private let task: Task<Void, any Error>

    /// - Parameter tamper: changes an answer before it is sent.
    init(
        _ engine: SimulatedEngine, tamper: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
    ) async throws {
        self.engine = engine
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in
                let body = [UInt8](buffer: try await request.body.collect(upTo: 1 << 20))
                do {
                    let value = try JSONValue.parse(body)
                    switch request.head.path {
                    case "/update_weights_from_disk":
                        try await engine.load(value["model_path"]?.string ?? "")
                        return Self.answer([UInt8](#"{"success": true, "message": ""}"#.utf8))
                    case "/v1/completions": return Self.answer(tamper(try await engine.complete(value)))
                    default: return Response(status: .notFound)
                    }
                } catch {
                    return Response(
                        status: .badRequest, body: .init(byteBuffer: ByteBuffer(string: "no: \(error)")))
                }
            },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { announce.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "simulated") { _ in SwiftLogNoOpLogHandler() })
        task = Task { try await application.run() }
        var iterator = ports.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    private static func answer(_ bytes: [UInt8]) -> Response {
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    func settings(requests: Int = 4) throws -> ForeignEngine {
        try ForeignEngine(kind: .openai, server: "http://127.0.0.1:\(port)/v1/", model: "policy", requests: requests)
    }

    deinit { task.cancel() }
}

/// What the server computes with.
actor SimulatedEngine {
    /// Standard deviation of each value's relative error.
    private let noise: Float
    private let isStubborn: Bool
    private let kernels: Kernels
    private let pool = ComputePool(threads: 1)
    private var weights: ModelWeights?
    private var state: UInt64 = 1
    private(set) var loaded: [String] = []

    /// - Parameter isStubborn: keeps its weights, whatever it is told to load.
    init(noise: Float, weights: ModelWeights? = nil, isStubborn: Bool = false) throws {
        self.noise = noise
        self.isStubborn = isStubborn
        self.weights = weights
        kernels = try .preferred()
    }

    func load(_ path: String) throws {
        guard !isStubborn else { return }
        weights = try ModelDirectory(opening: path).weights(kernels: kernels, pool: pool)
        loaded.append(path)
    }

    private func disturbed(_ bits: BFloat16Bits) -> BFloat16Bits {
        var sum: Float = -6
        for _ in 0..<12 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            sum += Float(state >> 40) / Float(1 << 24)
        }
        let pattern = (Float(bitPattern: UInt32(bits) << 16) * (1 + noise * sum)).bitPattern
        return BFloat16Bits(truncatingIfNeeded: (pattern &+ 0x7FFF &+ (pattern >> 16 & 1)) >> 16)
    }

    func complete(_ request: JSONValue) throws -> [UInt8] {
        guard let weights, let prompt = request["prompt"]?.array?.compactMap({ $0.integer.map(Int32.init) }),
            let words = request["noise"]?.array, request["return_token_ids"]?.bool == true,
            request["return_hidden_states"]?.bool == true, let limit = request["max_tokens"]?.integer
        else { throw RoleFailure(.badInput, "not a request of a worker") }
        let parameters = SamplingParameters(
            samples: words.count, maximumTokens: limit, temperature: Float(request["temperature"]?.double ?? 1),
            stopTokens: (request["stop_token_ids"]?.array ?? []).compactMap { $0.integer.map(Int32.init) })
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let logits = LogitsPass(output: weights.output, kernels: kernels, pool: pool)
        let chooser = TokenChooser(
            kernels: kernels, vocabularySize: weights.configuration.vocabularySize, parameters: parameters)
        let width = weights.configuration.hiddenSize
        let cache = KeyValueCache(weights.configuration, maximumPages: 512)
        let shared = cache.makeSequence()
        let first = try decoder.forward([Segment(shared, tokens: prompt)], cache: cache).values
        var choices: [JSONValue] = []
        for (index, item) in words.enumerated() {
            let material = (item.array ?? []).flatMap { word in
                withUnsafeBytes(of: UInt32(word.integer ?? 0).littleEndian) { Array($0) }
            }
            guard let noise = material.withUnsafeBytes({ NoiseWords(material: $0) }) else {
                throw RoleFailure(.badInput, "no noise")
            }
            let sequence = try cache.fork(shared)
            defer { cache.release(sequence) }
            var (tokens, logProbabilities, rows, values) = ([Int32](), [Float](), [BFloat16Bits](), first)
            while true {
                let row = Storage(values.map(disturbed))
                let draw = TokenDraw(
                    row: 0, chooser: 0, noise: noise, position: UInt32(prompt.count + tokens.count))
                guard let chosen = try logits.draw([draw], [chooser], from: row.pointer).first else { break }
                tokens.append(chosen.token)
                logProbabilities.append(chosen.logProbability)
                rows += row.buffer
                if parameters.stopTokens.contains(chosen.token) || tokens.count == limit { break }
                values = try decoder.forward([Segment(sequence, tokens: [chosen.token])], cache: cache).values
            }
            let data = rows.withUnsafeBytes { Data($0) }.base64EncodedString()
            choices.append([
                "index": .integer(index), "token_ids": .array(tokens.map { .integer(Int($0)) }),
                "finish_reason": "stop",
                "logprobs": [
                    "token_logprobs": .array(logProbabilities.map { .number(Double($0)) })
                ],
                "hidden_states": [
                    "dtype": "bfloat16", "shape": [.integer(tokens.count), .integer(width)], "data": .string(data),
                ],
            ])
        }
        return [UInt8](JSONValue.object(["choices": .array(choices.reversed())]).line.utf8)
    }
}
