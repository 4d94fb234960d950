import Foundation
import JSON
import Testing

@testable import EnvironmentKit

/// Environment programs that behave, crash, hang and lie; shell scripts, because every machine has a shell.
struct ProcessEnvironmentTests {
    /// Repeats a number; the word in the completion makes it misbehave.
    static let script = """
        while IFS= read -r line; do
          id=$(printf '%s' "$line" | sed 's/.*"id":\\([0-9]*\\).*/\\1/')
          index=$(printf '%s' "$line" | sed 's/.*"index":\\([0-9]*\\).*/\\1/')
          case "$line" in
            *'"method":"describe"'*) echo "{\\"id\\":$id,\\"result\\":{\\"protocol\\":1}}" ;;
            *'"split":"train"'*) echo "{\\"id\\":$id,\\"result\\":{\\"prompt\\":\\"say $index\\",\\"answer\\":\\"$index\\"}}" ;;
            *'"split":"held-out"'*) echo "{\\"id\\":$id,\\"result\\":{\\"prompt\\":\\"say 9$index\\",\\"answer\\":$index}}" ;;
            *'"completion":"crash"'*) exit 3 ;;
            *'"completion":"hang"'*) sleep 60 ;;
            *'"completion":"error"'*) echo "{\\"id\\":$id,\\"error\\":{\\"message\\":\\"cannot judge\\"}}" ;;
            *'"completion":"noise"'*) echo "Traceback" ;;
            *'"completion":"stranger"'*) echo "{\\"id\\":99999,\\"result\\":{\\"reward\\":1}}" ;;
            *'"completion":"outside"'*) echo "{\\"id\\":$id,\\"result\\":{\\"reward\\":2}}" ;;
            *'"completion":"flood"'*) yes "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" | tr -d '\\n' ;;
            *'"completion":"right"'*'"finished":true'*) echo "{\\"id\\":$id,\\"result\\":{\\"reward\\":1}}" ;;
            *) echo "{\\"id\\":$id,\\"result\\":{\\"reward\\":0}}" ;;
          esac
        done
        """

    static func options(_ script: String = script, deadline: Double = 10) -> EnvironmentOptions {
        [
            "command": ["sh", "-c", .string(script)], "deadline_seconds": .number(deadline), "train_tasks": 6,
            "held_out_tasks": 3,
        ]
    }

    static func score(_ environment: ProcessEnvironment, _ completion: String) async throws -> Double {
        let task = try environment.task(seed: 0, index: 0, split: .train)
        return try await environment.score(completion: Array(completion.utf8), finished: true, of: task)
    }

    @Test func tasksAndScores() async throws {
        let environment = try await ProcessEnvironment.start(options: Self.options())
        let prompts = try (0..<6).map { try environment.task(seed: 1, index: $0, split: .train).prompt }
        #expect(Set(prompts) == Set((0..<6).map { "say \($0)" }))
        #expect(try environment.task(seed: 1, index: 0, split: .heldOut).answer?.isEmpty == false)
        #expect(try await Self.score(environment, "right") == 1)
        #expect(try await Self.score(environment, "wrong") == 0)
        let task = try environment.task(seed: 0, index: 0, split: .train)
        #expect(try await environment.score(completion: Array("right".utf8), finished: false, of: task) == 0)
        #expect(try await environment.score(completion: [0xFF, 0x0A], finished: true, of: task) == 0)
        await environment.stop()
    }

    @Test(arguments: [
        ("crash", EnvironmentError.Code.program), ("error", .grader), ("noise", .program), ("stranger", .program),
        ("outside", .grader), ("flood", .program),
    ])
    func faultsAreAThirdStateAndDoNotLast(_ fault: String, _ code: EnvironmentError.Code) async throws {
        let environment = try await ProcessEnvironment.start(options: Self.options())
        for _ in 0..<2 {
            let error = await #expect(throws: EnvironmentError.self) { try await Self.score(environment, fault) }
            #expect(error?.code == code)
            #expect(try await Self.score(environment, "right") == 1)
        }
        await environment.stop()
    }

    @Test func aHangIsCutAtTheDeadline() async throws {
        let environment = try await ProcessEnvironment.start(options: Self.options(deadline: 0.7))
        let start = ContinuousClock.now
        let error = await #expect(throws: EnvironmentError.self) { try await Self.score(environment, "hang") }
        #expect(error?.message.contains("no answer within") == true)
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(try await Self.score(environment, "right") == 1)
        await environment.stop()
    }

    @Test func manyCallsAtOnceAreAnsweredInTurn() async throws {
        var options = Self.options()
        options["processes"] = 2
        let environment = try await ProcessEnvironment.start(options: options)
        let scores = try await withThrowingTaskGroup(of: Double.self) { group in
            for index in 0..<20 {
                group.addTask { try await Self.score(environment, index % 2 == 0 ? "right" : "wrong") }
            }
            return try await group.reduce(0, +)
        }
        #expect(scores == 10)
        await environment.stop()
    }

    @Test(arguments: [
        "exit 0", "echo nonsense", "echo '{\"id\":1,\"result\":{\"protocol\":2}}'", "echo '{\"id\":1,\"result\":{}}'",
        "read x; echo '{\"id\":1,\"error\":\"no\"}'",
    ])
    func aProgramThatCannotStartSaysWhy(_ script: String) async {
        await #expect(throws: EnvironmentError.self) {
            try await ProcessEnvironment.start(options: Self.options(script))
        }
    }

    @Test func aMissingProgramSaysWhy() async {
        for command: JSONValue in [["/nowhere/program"], ["apus-no-such-program"], []] {
            let error = await #expect(throws: EnvironmentError.self) {
                try await ProcessEnvironment.start(options: ["command": command])
            }
            #expect(error?.description.contains("command") == true)
        }
        #expect(throws: EnvironmentError.self) { try ProcessEnvironment(options: [:]) }
    }

    /// Sixty processes one after the other leave no open files behind.
    ///
    /// Alone in a process of its own: the tests beside it open and close files too.
    @Test func restartsLeakNothing() async {
        await #expect(processExitsWith: .success) {
            func openFiles() -> Int {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
            }
            let program = LineProgram(command: ["sh", "-c", "read x; echo \"$x\"; exit"])
            var before = 0
            for round in 0..<60 {
                if round == 10 { before = openFiles() }
                let line = Array("\(round)".utf8)
                // The program dies after its answer; a call that still meets the dying one fails, and the next starts anew.
                for _ in 0..<20 {
                    if let answer = try? await program.call(line, deadline: .seconds(10)) {
                        #expect(answer == line)
                        break
                    }
                }
            }
            #expect(openFiles() <= before + 8)
            await program.stop()
        }
    }
}
