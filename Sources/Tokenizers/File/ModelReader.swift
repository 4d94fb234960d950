import JSON

/// Reads a `model` straight from the bytes of a file: a vocabulary of 150,000 tokens is not worth a tree of values.
struct ModelReader {
    /// The file; the merges may stand before the vocabulary that they refer to.
    private var buffer: UnsafeRawBufferPointer
    private var section = ModelSection()

    /// Reads the object that comes next in `reader`, which reads `buffer`.
    static func read(
        _ reader: inout JSONByteReader, _ buffer: UnsafeRawBufferPointer
    ) throws(JSONError) -> ModelSection {
        var model = ModelReader(buffer: buffer)
        try model.readMembers(&reader)
        return model.section
    }

    private init(buffer: UnsafeRawBufferPointer) {
        self.buffer = buffer
    }

    private mutating func readMembers(_ reader: inout JSONByteReader) throws(JSONError) {
        var names: Set<String> = []
        var mergesPosition: Int?
        try reader.expect(UInt8(ascii: "{"))
        if reader.take(UInt8(ascii: "}")) { return }
        repeat {
            let name = try reader.string(limit: 256)
            guard names.insert(name).inserted else {
                throw reader.fault("the name \"\(name)\" twice", isDuplicate: true)
            }
            try reader.expect(UInt8(ascii: ":"))
            if name == "vocab", reader.peek() == UInt8(ascii: "{") {
                try readVocabulary(&reader)
            } else if name == "merges", names.contains("vocab") {
                try readMerges(&reader)
            } else {
                if name == "merges" { mergesPosition = reader.position }
                let value = try reader.value(maximumDepth: 4)
                if name != "merges" { section.settings[name] = value }
            }
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "}"))
        if let mergesPosition {
            buffer = UnsafeRawBufferPointer(rebasing: buffer[mergesPosition...])
            var reader = JSONByteReader(buffer)
            try readMerges(&reader)
        }
        section.settings["vocab"] = names.contains("vocab") && section.settings["vocab"] == nil ? .bool(true) : nil
        section.settings["merges"] = names.contains("merges") ? .bool(true) : nil
    }

    private mutating func readVocabulary(_ reader: inout JSONByteReader) throws(JSONError) {
        try reader.expect(UInt8(ascii: "{"))
        if reader.take(UInt8(ascii: "}")) { return }
        var storage: [UInt8] = []
        repeat {
            let token = try Self.token(&reader, buffer, &storage)
            try reader.expect(UInt8(ascii: ":"))
            let number = try reader.naturalNumber()
            guard number <= TokenizerFile.maximumIdentifier else {
                throw reader.fault("the id \(number), above \(TokenizerFile.maximumIdentifier)")
            }
            let isNew = Self.withBytes(token, buffer, storage) { section.vocabulary.insert($0, number: number) }
            guard isNew else {
                let name = Self.withBytes(token, buffer, storage) { String(decoding: $0.prefix(60), as: UTF8.self) }
                throw reader.fault("the token \"\(name)\" or its id \(number) twice", isDuplicate: true)
            }
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "}"))
    }

    /// Takes a token: where it lies in the file, or nil if it had escapes and is in `storage` now.
    private static func token(
        _ reader: inout JSONByteReader, _ buffer: UnsafeRawBufferPointer, _ storage: inout [UInt8],
        limit: Int = TokenizerFile.maximumTokenByteCount
    ) throws(JSONError) -> Range<Int>? {
        let range = reader.plainString(limit: limit)
        if range == nil { storage = try reader.stringBytes(limit: limit) }
        guard withBytes(range, buffer, storage, ScalarDecoding.isValid) else {
            throw reader.fault("a token that is not UTF-8")
        }
        return range
    }

    private static func withBytes<Result>(
        _ range: Range<Int>?, _ buffer: UnsafeRawBufferPointer, _ storage: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        guard let range else { return storage.withUnsafeBufferPointer(body) }
        return UnsafeRawBufferPointer(rebasing: buffer[range]).withMemoryRebound(to: UInt8.self, body)
    }

    private mutating func readMerges(_ reader: inout JSONByteReader) throws(JSONError) {
        try reader.expect(UInt8(ascii: "["))
        if reader.take(UInt8(ascii: "]")) { return }
        let isPairs = reader.peek() == UInt8(ascii: "[")
        var storage: [UInt8] = []
        // The two tokens of a merge, one after the other.
        var text: [UInt8] = []
        repeat {
            text.removeAll(keepingCapacity: true)
            let leftCount: Int
            if isPairs {
                try reader.expect(UInt8(ascii: "["))
                let left = try Self.token(&reader, buffer, &storage)
                Self.withBytes(left, buffer, storage) { text.append(contentsOf: $0) }
                leftCount = text.count
                try reader.expect(UInt8(ascii: ","))
                let right = try Self.token(&reader, buffer, &storage)
                Self.withBytes(right, buffer, storage) { text.append(contentsOf: $0) }
                try reader.expect(UInt8(ascii: "]"))
            } else {
                let both = try Self.token(
                    &reader, buffer, &storage, limit: 2 * TokenizerFile.maximumTokenByteCount + 1)
                Self.withBytes(both, buffer, storage) { text.append(contentsOf: $0) }
                // Lists that were made from merges.txt may hold its first line.
                if text.starts(with: "#version".utf8) { continue }
                guard let space = text.firstIndex(of: UInt8(ascii: " ")) else {
                    throw reader.fault("a merge that is not two tokens with a space between")
                }
                leftCount = space
                text.remove(at: space)
                guard !text[space...].contains(UInt8(ascii: " ")) else {
                    throw reader.fault("a merge of more than two tokens")
                }
            }
            try addMerge(text, leftCount, reader)
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "]"))
    }

    private mutating func addMerge(
        _ text: [UInt8], _ leftCount: Int, _ reader: JSONByteReader
    ) throws(JSONError) {
        guard section.merges.count <= TokenizerFile.maximumIdentifier else { throw reader.fault("too many merges") }
        let (left, right, result) = text.withUnsafeBufferPointer { text in
            (
                section.vocabulary.number(of: .init(rebasing: text[..<leftCount])),
                section.vocabulary.number(of: .init(rebasing: text[leftCount...])), section.vocabulary.number(of: text)
            )
        }
        guard let left, let right, let result else {
            let missing = left == nil ? text[..<leftCount] : right == nil ? text[leftCount...] : text[...]
            let name = String(decoding: missing.prefix(60), as: UTF8.self)
            throw reader.fault("a merge with \"\(name)\", which is no token of the vocabulary")
        }
        section.merges.append(
            .init(left: Int32(left), right: Int32(right), result: Int32(result)))
    }
}
