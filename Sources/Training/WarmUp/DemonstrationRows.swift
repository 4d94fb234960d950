import EnvironmentKit
import Foundation
import Tokenizers

/// Demonstrations from JSONL rows `{"prompt": text, "completion": text}` (`answer` stands in for `completion`).
///
/// Every epoch visits every row once in an order that follows from the seed.
public struct DemonstrationRows: DemonstrationSource {
    private let rows: [Demonstration]
    private let seed: UInt64
    private let batch: Int

    /// The longest row that is read.
    public static let maximumLineBytes = 1 << 20
    /// The most rows that are read.
    public static let maximumRows = 10_000_000

    /// Reads a whole file.
    ///
    /// - Throws: ``DemonstrationError`` naming the line, or an error of the file system.
    public init(path: String, tokenizer: any Tokenizer, seed: UInt64, batch: Int) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        try self.init(jsonLines: data, name: path, tokenizer: tokenizer, seed: seed, batch: batch)
    }

    /// Reads rows from bytes; `name` stands in error messages.
    ///
    /// - Throws: ``DemonstrationError`` naming the line.
    public init(jsonLines: Data, name: String, tokenizer: any Tokenizer, seed: UInt64, batch: Int) throws {
        guard batch > 0 else { throw DemonstrationError("warm_up.batch must be at least 1") }
        let decoder = JSONDecoder()
        var rows: [Demonstration] = []
        for (number, line) in jsonLines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { continue }
            guard line.count <= Self.maximumLineBytes, rows.count < Self.maximumRows else {
                throw DemonstrationError("\(name):\(number + 1): the row or the file is too long; split it")
            }
            guard let row = try? decoder.decode(Row.self, from: line), let text = row.completion ?? row.answer else {
                throw DemonstrationError(
                    "\(name):\(number + 1): not a row; write {\"prompt\": text, \"completion\": text} on one line")
            }
            var completion = tokenizer.encode(text)
            if let end = tokenizer.endOfSequence, completion.last != end { completion.append(end) }
            let prompt = tokenizer.encode(row.prompt)
            guard !prompt.isEmpty, !completion.isEmpty else {
                throw DemonstrationError("\(name):\(number + 1): prompt and completion must not be empty")
            }
            rows.append(Demonstration(prompt: prompt, completion: completion))
        }
        guard !rows.isEmpty else { throw DemonstrationError("\(name): it holds no rows") }
        self.rows = rows
        self.seed = seed
        self.batch = batch
    }

    private struct Row: Decodable {
        var prompt: String
        var completion: String?
        var answer: String?
    }

    /// The demonstrations of a step, counted from 1.
    public func demonstrations(at step: Int) throws -> [Demonstration] {
        var order: (epoch: Int, rows: [Demonstration])?
        return (0..<batch).map { place in
            let position = (step - 1) * batch + place
            let epoch = position / rows.count
            if order?.epoch != epoch {
                var random = SplitMix64(stream: seed, UInt64(epoch))
                order = (epoch, random.shuffled(rows))
            }
            return (order?.rows ?? rows)[position % rows.count]
        }
    }
}
