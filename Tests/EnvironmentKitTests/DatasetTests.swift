import Foundation
import JSON
import Testing

@testable import EnvironmentKit

struct DatasetTests {
    /// Writes a file, hands its path to the body and removes it.
    static func withFile(_ content: some Sequence<UInt8>, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "apus-dataset-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        try body(path)
    }

    static func rows(_ count: Int) -> [UInt8] {
        Array(
            (0..<count).map { "{\"prompt\": \"q\($0)\", \"answer\": \"a\($0)\", \"info\": {\"n\": \($0)}}\n" }.joined()
                .utf8)
    }

    @Test func readsRows() throws {
        let text = """
            {"prompt": "a", "answer": "b"}\r

            {"prompt": [{"role": "user", "content": "hi"}], "answer": {"y": 1, "x": [2.5]}, "id": "ignored"}
            {"prompt": "c", "answer": null}
            """
        try Self.withFile(text.utf8) { path in
            let rows = try DatasetFile(path: path).rows
            #expect(rows.map(\.line) == [1, 3, 4])
            #expect(rows.map(\.answer) == ["b", "{\"x\":[2.5],\"y\":1}", nil])
            #expect(rows[1].promptText == "user: hi\nassistant: ")
        }
    }

    @Test(arguments: [
        ("{\"prompt\": \"a\"}\n{", ":2"), ("[]", ":1"), ("{\"answer\": 1}", ":1"), ("{\"prompt\": 3}", ":1"),
        ("{\"prompt\": []}", ":1"), ("{\"prompt\": [{\"role\": \"user\"}]}", ":1"),
        ("{\"prompt\": \"a\", \"awnser\": 1}", "awnser"), ("{\"prompt\": \"a\", \"info\": 1}", ":1"), ("", "no rows"),
        ("{\"prompt\": \"a\"}\n\n\n{\"prompt\": \"b\"} x", ":4"), ("\u{FEFF}{\"prompt\": \"a\"}", ":1"),
    ])
    func namesTheLine(_ text: String, _ word: String) throws {
        try Self.withFile(text.utf8) { path in
            let error = #expect(throws: EnvironmentError.self) { try DatasetFile(path: path) }
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test func limitsHold() throws {
        var limits = DatasetFile.Limits()
        limits.lineBytes = 100
        let long = Array("{\"prompt\": \"a\"}\n{\"prompt\": \"\(String(repeating: "x", count: 200))\"}\n".utf8)
        try Self.withFile(long) { path in
            let error = #expect(throws: EnvironmentError.self) { try DatasetFile(path: path, limits: limits) }
            #expect(error?.place.hasSuffix(":2") == true)
        }
        limits.rows = 3
        try Self.withFile(Self.rows(4)) { path in
            #expect(throws: EnvironmentError.self) { try DatasetFile(path: path, limits: limits) }
        }
        #expect(throws: EnvironmentError.self) { try DatasetFile(path: "/nowhere/x.jsonl") }
        #expect(throws: EnvironmentError.self) { try DatasetFile(path: NSTemporaryDirectory()) }
    }

    @Test func linesMayCrossEveryBufferEdge() throws {
        // Two lines longer than the read size, and many short ones around its edges.
        var text: [UInt8] = []
        var lengths: [Int] = []
        for length in [1, 300_000, 0, 262_143, 262_144, 262_145, 5] {
            text += [UInt8](repeating: 0x61, count: length) + [0x0A]
            lengths.append(length)
        }
        try Self.withFile(text) { path in
            var reader = try LineReader(path: path, maximumLineBytes: 1 << 20)
            var found: [Int] = []
            while let line = try reader.next() { found.append(line.count) }
            #expect(found == lengths)
        }
    }

    @Test func isAnEnvironment() async throws {
        let path = NSTemporaryDirectory() + "apus-dataset-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.rows(400)).write(to: URL(fileURLWithPath: path))
        let environment = try DatasetEnvironment(options: ["path": .string(path)])
        #expect(await checkEnvironment(environment, tasks: 32) == [])
        // The hash of the data is part of the environment, and pins it.
        #expect(throws: Never.self) { try DatasetEnvironment(options: environment.options) }
        try Data(Self.rows(401)).write(to: URL(fileURLWithPath: path))
        #expect(throws: EnvironmentError.self) { try DatasetEnvironment(options: environment.options) }
        #expect(try DatasetEnvironment(options: ["path": .string(path)]).hash != environment.hash)
    }

    @Test func everyRowComesOnceInEachPass() throws {
        try Self.withFile(Self.rows(100)) { path in
            let environment = try DatasetEnvironment(options: ["path": .string(path), "held_out_path": .string(path)])
            let first = try (0..<100).map { try environment.task(seed: 1, index: $0, split: .train).prompt }
            let second = try (100..<200).map { try environment.task(seed: 1, index: $0, split: .train).prompt }
            #expect(Set(first).count == 100 && Set(second).count == 100 && first != second)
            #expect(try environment.task(seed: 2, index: 0, split: .train).info["n"] != nil)
        }
    }

    @Test(arguments: [1, 2, 3, 7, 64, 65, 1000])
    func orderIsAPermutation(_ count: Int) {
        let order = RowOrder(count: count, seed: 5, epoch: 2)
        #expect(Set((0..<UInt64(count)).map(order.row)).count == count)
        #expect((0..<UInt64(count)).allSatisfy { order.row(at: $0) < count })
    }

    @Test func optionsAreStrict() throws {
        try Self.withFile(Array("{\"prompt\": [{\"role\": \"user\", \"content\": \"hi\"}]}\n".utf8)) { path in
            for options: EnvironmentOptions in [
                [:], ["path": .string(path), "template": "<{prompt}>"],
                ["path": .string(path), "messages": "plain", "template": "x"],
                ["path": .string(path), "messages": "refuse"], ["path": .string(path), "colour": 1],
                ["path": .string(path), "messages": "plain", "reward": "unknown"],
            ] {
                #expect(throws: EnvironmentError.self) { try DatasetEnvironment(options: options) }
            }
            let environment = try DatasetEnvironment(
                options: [
                    "path": .string(path), "messages": "plain", "template": "<{prompt}>",
                    "held_out_path": .string(path),
                ])
            #expect(try environment.task(seed: 0, index: 0, split: .train).prompt == "<user: hi\nassistant: >")
        }
    }

    @Test func promptsBecomeConversations() throws {
        let text = """
            {"prompt": [{"role": "user", "content": "a"}], "tools": [{"name": "t"}]}
            {"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]}
            {"prompt": "b"}
            """
        try Self.withFile(text.utf8) { path in
            func conversations(_ more: EnvironmentOptions) throws -> [Int: Conversation] {
                var options: EnvironmentOptions = ["path": .string(path), "held_out_path": .string(path)]
                options.merge(more) { $1 }
                let environment = try DatasetEnvironment(options: options)
                #expect(environment.taskCount(of: .train) == 3)
                var found: [Int: Conversation] = [:]
                for index in 0..<3 as Range<UInt64> {
                    let task = try environment.task(seed: 0, index: index, split: .train)
                    let line = task.origin?.split(separator: ":").last.flatMap { Int($0) }
                    found[line ?? 0] = task.conversation
                }
                return found
            }
            let plain = try conversations(["messages": "plain"])
            #expect(plain.isEmpty)
            let given = try conversations([:])
            #expect(given.keys.sorted() == [1, 2])
            #expect(given[1]?.tools == [["name": "t"]] && given[1]?.messages.count == 1)
            let all = try conversations(["chat": true, "system": "x", "chat_options": ["enable_thinking": false]])
            #expect(all.keys.sorted() == [1, 2, 3])
            #expect(all[1]?.messages.first == ["role": "system", "content": "x"])
            #expect(all[2]?.messages.first == ["role": "system", "content": "s"])
            #expect(all[3]?.messages.last == ["role": "user", "content": "b"])
            #expect(all[3]?.variables["enable_thinking"] == false)
        }
    }

    /// Damaged files end in rows or in an error that names a line.
    @Test func survivesDamage() throws {
        let seed = Self.rows(5)
        var random = SplitMix64(seed: 2)
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            var bytes = seed
            for _ in 0..<random.integer(in: 1...8) {
                bytes[random.integer(in: 0...(bytes.count - 1))] = UInt8(random.integer(in: 0...255))
            }
            try Self.withFile(bytes) { path in
                do {
                    _ = try DatasetFile(path: path)
                } catch let error as EnvironmentError {
                    #expect(error.place.contains(":"))
                }
            }
        }
    }
}
