import JSON
import Transformer

/// What `apus model inspect` found, as text for a screen and as one JSON object.
struct InspectionReport {
    /// The work whose memory is asked for.
    struct Request {
        let sequences: Int
        let positions: Int
        let tokens: Int
        let threads: Int
    }

    let model: ModelDirectory
    let weightsHash: String
    let tokenizer: Companion
    let chatTemplate: Companion
    let request: Request

    private var sizes: ModelConfiguration { model.configuration }
    private var inspection: ModelInspection { ModelInspection(model) }
    private var generation: MemoryEstimate {
        inspection.generation(
            sequences: request.sequences, positions: request.positions, threads: request.threads,
            sharing: WeightsCache.standard != nil)
    }

    private var isShared: Bool { generation.sharedParts.contains { $0.name == "weights" } }

    /// The names and values, one a line.
    var text: String {
        let stored = inspection.storedBytes.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.size($0.value))" }
        let files = model.tensors.parts.count
        let stops = model.generation.stopTokens.map(String.init).joined(separator: ", ")
        func list(_ parts: [MemoryEstimate.Part]) -> String {
            parts.map { "\($0.name) \(Self.size($0.bytes))" }.joined(separator: ", ")
        }
        let rows: [(String, String)] = [
            ("family", sizes.modelType),
            ("parameters", Self.grouped(inspection.parameters)),
            (
                "shape",
                "\(sizes.layers) layers, hidden \(sizes.hiddenSize), \(sizes.heads)/\(sizes.keyValueHeads) heads of "
                    + "\(sizes.headDimension), inner \(sizes.intermediateSize)"
            ),
            (
                "vocabulary",
                "\(sizes.vocabularySize) ids, output \(sizes.tieEmbeddings ? "tied to" : "apart from") the embedding"
            ),
            ("context", "\(sizes.maxPositions) positions" + windowText),
            ("stored", stored.joined(separator: ", ") + (files == 1 ? " in 1 file" : " in \(files) files")),
            ("weights hash", weightsHash),
            ("tokenizer", tokenizer.text),
            ("chat template", chatTemplate.text),
            ("stop tokens", stops.isEmpty ? "none" : stops),
            ("", ""),
            (
                "weights",
                "\(Self.size(inspection.weightBytes)) in memory, "
                    + (isShared ? "once for all processes of this machine" : "in each process")
            ),
            (
                "generation",
                "\(Self.size(generation.sharedBytes)) shared + \(Self.size(generation.privateBytes)) private for "
                    + "\(request.sequences) sequences of \(request.positions) tokens"
            ),
            ("", "shared: " + list(generation.sharedParts)), ("", "private: " + list(generation.privateParts)),
            (
                "training",
                "\(Self.size(inspection.trainingBytes(tokens: request.tokens, threads: request.threads))) private with micro-batches of "
                    + "\(request.tokens) tokens"
            ),
        ]
        return
            ([model.path]
            + rows.map { name, value in
                name.isEmpty && value.isEmpty
                    ? "" : "  " + name + String(repeating: " ", count: max(1, 15 - name.count)) + value
            }).joined(separator: "\n")
    }

    /// The same as an object; sizes are bytes.
    var json: JSONValue {
        func object(_ parts: [MemoryEstimate.Part]) -> JSONValue {
            .object(JSONObject(parts.map { JSONMember($0.name, .integer($0.bytes)) }))
        }
        return [
            "path": .string(model.path), "family": .string(sizes.modelType),
            "parameters": .integer(inspection.parameters), "layers": .integer(sizes.layers),
            "hidden_size": .integer(sizes.hiddenSize), "heads": .integer(sizes.heads),
            "key_value_heads": .integer(sizes.keyValueHeads), "head_dimension": .integer(sizes.headDimension),
            "intermediate_size": .integer(sizes.intermediateSize), "vocabulary_size": .integer(sizes.vocabularySize),
            "tied": .bool(sizes.tieEmbeddings), "positions": .integer(sizes.maxPositions),
            "sliding_window": sizes.slidingWindow.map { .integer($0) } ?? .null,
            "stored_bytes": .object(JSONObject(inspection.storedBytes.mapValues { .integer($0) })),
            "files": .integer(model.tensors.parts.count), "weights_hash": .string(weightsHash),
            "tokenizer": tokenizer.json, "chat_template": chatTemplate.json,
            "stop_tokens": .array(model.generation.stopTokens.map { .integer(Int($0)) }),
            "weight_bytes": .integer(inspection.weightBytes),
            "generation": [
                "sequences": .integer(request.sequences), "positions": .integer(request.positions),
                "threads": .integer(request.threads), "shared_bytes": .integer(generation.sharedBytes),
                "private_bytes": .integer(generation.privateBytes), "shared_parts": object(generation.sharedParts),
                "private_parts": object(generation.privateParts),
            ],
            "training": [
                "tokens": .integer(request.tokens),
                "private_bytes": .integer(inspection.trainingBytes(tokens: request.tokens, threads: request.threads)),
            ],
        ]
    }

    private var windowText: String {
        guard let window = sizes.slidingWindow else { return "" }
        return ", of which \(sizes.windowedLayers.count) layers see the last \(window)"
    }

    /// Bytes in the unit that people read.
    private static func size(_ count: Int) -> String {
        count >= 1 << 30
            ? Terminal.fixed(Double(count) / Double(1 << 30), 2) + " GiB"
            : Terminal.fixed(Double(count) / Double(1 << 20), 1) + " MiB"
    }

    /// 596049920 as 596,049,920.
    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}
