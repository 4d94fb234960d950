import Foundation
import JSON

/// One sample as a server returned it, checked.
struct ForeignSample: Hashable, Sendable {
    let tokens: [Int32]
    let logProbabilities: [Float]
    /// The final hidden state, after the last norm, that predicted each token: row after row of bf16 patterns.
    let rows: [UInt16]
    let endsByStop: Bool
}

/// Reads a server's answer; the server is a stranger too.
enum CompletionAnswer {
    /// The samples of a group, in the order of their index.
    ///
    /// - Throws: ``CompletionFault`` for whatever an audit would reject or could trip over.
    static func samples(_ bytes: [UInt8], _ shape: CompletionShape) throws(CompletionFault) -> [ForeignSample] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(bytes, maximumBytes: bytes.count, maximumDepth: 8)
        } catch {
            throw CompletionFault("its answer is not JSON: \(error)")
        }
        guard let choices = value["choices"]?.array else { throw CompletionFault("its answer has no choices") }
        guard choices.count == shape.samples else {
            throw CompletionFault("it returned \(choices.count) choices instead of \(shape.samples)")
        }
        var samples = [ForeignSample?](repeating: nil, count: shape.samples)
        for (place, choice) in choices.enumerated() {
            // A server that returns one choice need not number it.
            let index = choice["index"]?.integer ?? place
            guard samples.indices.contains(index), samples[index] == nil else {
                throw CompletionFault("the index of choice \(place) is not one of \(shape.samples), each once")
            }
            samples[index] = try sample(choice, "choice \(index)", shape)
        }
        return samples.compactMap(\.self)
    }

    private static func sample(
        _ choice: JSONValue, _ name: String, _ shape: CompletionShape
    ) throws(CompletionFault) -> ForeignSample {
        let tokens = try tokens(choice["token_ids"], name, shape)
        let endsByStop = tokens.last.map(shape.stopTokens.contains) ?? false
        guard !tokens.dropLast().contains(where: shape.stopTokens.contains) else {
            throw CompletionFault("\(name) goes on after a stop token")
        }
        guard endsByStop || tokens.count == shape.maximumTokens else {
            throw CompletionFault(
                "\(name) ends after \(tokens.count) tokens, by neither a stop token of the lease nor max_tokens; token_ids "
                    + "must include the stop token")
        }
        guard let numbers = choice["logprobs"]?["token_logprobs"]?.array, numbers.count == tokens.count else {
            throw CompletionFault(
                "\(name) needs logprobs.token_logprobs, a number for each of its \(tokens.count) tokens")
        }
        var logProbabilities: [Float] = []
        logProbabilities.reserveCapacity(numbers.count)
        for (position, number) in numbers.enumerated() {
            guard let value = number.double.map({ Float($0) }), value.isFinite, value <= 1e-5 else {
                throw CompletionFault("log-probability \(position) of \(name) is not a finite number, 0 at most")
            }
            logProbabilities.append(value)
        }
        return ForeignSample(
            tokens: tokens, logProbabilities: logProbabilities,
            rows: try rows(choice["hidden_states"], name, tokens.count, shape), endsByStop: endsByStop)
    }

    private static func tokens(
        _ value: JSONValue?, _ name: String, _ shape: CompletionShape
    ) throws(CompletionFault) -> [Int32] {
        guard let list = value?.array else {
            throw CompletionFault("\(name) has no token_ids; the server must understand return_token_ids")
        }
        guard !list.isEmpty, list.count <= shape.maximumTokens else {
            throw CompletionFault("\(name) has \(list.count) tokens instead of 1 to \(shape.maximumTokens)")
        }
        var tokens: [Int32] = []
        tokens.reserveCapacity(list.count)
        for item in list {
            guard let id = item.integer, id >= 0, id < shape.vocabularySize, let token = Int32(exactly: id) else {
                throw CompletionFault("\(name) has a token that is not in the vocabulary of \(shape.vocabularySize)")
            }
            tokens.append(token)
        }
        return tokens
    }

    private static func rows(
        _ value: JSONValue?, _ name: String, _ count: Int, _ shape: CompletionShape
    ) throws(CompletionFault) -> [UInt16] {
        guard let value, value.object != nil else {
            throw CompletionFault("\(name) has no hidden_states; the server must understand return_hidden_states")
        }
        guard value["dtype"]?.string == "bfloat16" else {
            throw CompletionFault("the hidden_states of \(name) are not of dtype bfloat16")
        }
        guard value["shape"]?.array?.map(\.integer) == [count, shape.hiddenSize] else {
            throw CompletionFault("the hidden_states of \(name) are not of shape [\(count), \(shape.hiddenSize)]")
        }
        guard let text = value["data"]?.string, let data = Data(base64Encoded: text),
            data.count == 2 * count * shape.hiddenSize
        else {
            throw CompletionFault("the hidden_states of \(name) do not hold their shape's bytes in base64")
        }
        var rows = [UInt16](repeating: 0, count: data.count / 2)
        rows.withUnsafeMutableBytes { _ = data.copyBytes(to: $0) }
        #if _endian(big)
            rows = rows.map(\.byteSwapped)
        #endif
        guard rows.allSatisfy({ $0 & 0x7F80 != 0x7F80 }) else {
            throw CompletionFault("the hidden_states of \(name) hold a value that is not finite")
        }
        return rows
    }
}
