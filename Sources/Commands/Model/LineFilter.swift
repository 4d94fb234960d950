import Foundation

/// Standard input line by line to standard output, as bytes.
///
/// Lines end at `\n` and nowhere else; what they hold need not be UTF-8. The last line may lack its end. Output is written
/// when the input that has come so far is done with, so that a program at the other end of two pipes gets its answer.
enum LineFilter {
    /// Calls `body` with every line, without its end, and its number from 1 on, and writes what it returns and a `\n`.
    static func run(_ body: (_ line: [UInt8], _ number: Int) throws -> [UInt8]) throws {
        var rest: [UInt8] = []
        var number = 0
        while true {
            let chunk = [UInt8](FileHandle.standardInput.availableData)
            var output: [UInt8] = []
            defer { Output.bytes(output) }
            func answer(_ line: [UInt8]) throws {
                number += 1
                output += try body(line, number)
                output.append(UInt8(ascii: "\n"))
            }
            guard !chunk.isEmpty else {
                if !rest.isEmpty { try answer(rest) }
                return
            }
            var start = 0
            while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try answer(rest + chunk[start..<end])
                rest.removeAll()
                start = end + 1
            }
            rest += chunk[start...]
        }
    }
}
