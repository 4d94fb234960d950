import Foundation
import Subprocess

/// A program that answers one line on its standard output for each line on its standard input.
///
/// It is started by the first call, restarted by the next call after it died, and killed with everything that it
/// started when it misses a deadline. Its standard error is ours, so that an author sees the traceback.
final class LineProgram: Sendable {
    private struct Request: Sendable {
        let line: [UInt8]
        let deadline: Duration
        let reply: CheckedContinuation<[UInt8], any Error>
    }

    private let command: [String]
    private let requests: AsyncStream<Request>.Continuation
    private let server: Task<Void, Never>

    /// Calls that may wait for their turn.
    private static let maximumWaiting = 65_536

    /// - Parameters:
    ///   - command: The program and its arguments; the program is looked up in PATH.
    ///   - maximumLineBytes: Longer answers are a fault of the program.
    init(command: [String], maximumLineBytes: Int = 1 << 20) {
        Self.ignoreBrokenPipes
        self.command = command
        let (stream, continuation) = AsyncStream.makeStream(
            of: Request.self, bufferingPolicy: .bufferingOldest(Self.maximumWaiting))
        requests = continuation
        server = Task.detached {
            await Self.serve(stream, command: command, maximumLineBytes: maximumLineBytes)
        }
    }

    deinit { requests.finish() }

    /// Writing to a program that died is an error of that write; without this it would end our own process.
    private static let ignoreBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

    /// Sends a line and waits for the answer.
    ///
    /// - Parameters:
    ///   - line: Without newline.
    ///   - deadline: Counted from the moment at which the program gets the line.
    /// - Throws: An ``EnvironmentError`` if the program is missing, died, was too slow or said too much.
    func call(_ line: [UInt8], deadline: Duration) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { reply in
            let request = Request(line: line, deadline: deadline, reply: reply)
            switch requests.yield(request) {
            case .enqueued: break
            default: reply.resume(throwing: Self.fault(command, "it is stopped or has too many calls waiting"))
            }
        }
    }

    /// Lets the program finish what it was asked, closes its standard input and waits for its end.
    func stop() async {
        requests.finish()
        await server.value
    }

    private static func fault(_ command: [String], _ message: String) -> EnvironmentError {
        EnvironmentError(.program, at: command.joined(separator: " "), message)
    }

    // MARK: - The server: one request after the other, one process after the other

    private static func serve(_ stream: AsyncStream<Request>, command: [String], maximumLineBytes: Int) async {
        var requests = stream.makeAsyncIterator()
        while let first = await requests.next() {
            var pending: Request? = first
            do {
                try await runOnce(command: command) { program in
                    var lines = AnswerLines(program.standardOutput.makeAsyncIterator(), limit: maximumLineBytes)
                    while let request = pending {
                        let answer = try await answer(to: request, of: program, from: &lines, command: command)
                        pending = nil
                        request.reply.resume(returning: answer)
                        pending = await requests.next()
                    }
                    try? await program.standardInputWriter.finish()
                    await program.teardown(using: farewell)
                }
            } catch let error as EnvironmentError {
                pending?.reply.resume(throwing: error)
            } catch {
                pending?.reply.resume(
                    throwing: fault(command, "the program cannot be run: \(error); check the command"))
            }
        }
    }

    /// Two seconds to notice the end of its input (continuing is no harm), two more after a request to end, then death.
    private static let farewell: [TeardownStep] = [
        .send(signal: .resume, toProcessGroup: true, allowedDurationToNextStep: .seconds(2)),
        .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2)),
    ]

    private typealias Program = Execution<CustomWriteInput, SequenceOutput, FileDescriptorOutput>

    private static func runOnce(command: [String], body: (Program) async throws -> Void) async throws {
        guard let name = command.first else { throw fault(["(nothing)"], "the command is empty") }
        var platform = PlatformOptions()
        // A session of its own: a kill reaches what the program has started too.
        platform.createSession = true
        platform.teardownSequence = farewell
        _ = try await run(
            name.contains("/") ? .path(.init(name)) : .name(name), arguments: Arguments(Array(command.dropFirst())),
            platformOptions: platform, input: .inputWriter, output: .sequence, error: .currentStandardError
        ) { program in
            do {
                try await body(program)
            } catch {
                try? program.send(signal: .kill, toProcessGroup: true)
                throw error
            }
        }
    }

    private static func answer(
        to request: Request, of program: Program, from lines: inout AnswerLines, command: [String]
    ) async throws -> [UInt8] {
        // The watchdog kills; the read then meets the end of the output, whatever the program was doing.
        let watchdog = Task.detached { () -> Bool in
            do {
                try await Task.sleep(for: request.deadline)
            } catch {
                return false
            }
            try? program.send(signal: .kill, toProcessGroup: true)
            return true
        }
        let answer: [UInt8]?
        do {
            _ = try await program.standardInputWriter.write(request.line + [0x0A])
            answer = try await lines.next()
        } catch let error as EnvironmentError {
            watchdog.cancel()
            throw fault(command, error.message)
        } catch {
            answer = nil
        }
        watchdog.cancel()
        if let answer { return answer }
        guard await watchdog.value else {
            throw fault(command, "the program ended without an answer; see its messages on standard error")
        }
        throw fault(command, "the program gave no answer within \(request.deadline) and was killed")
    }
}

/// The lines of a program's output.
private struct AnswerLines {
    private var chunks: SubprocessOutputSequence.Iterator
    private let limit: Int
    private var rest: [UInt8] = []

    init(_ chunks: SubprocessOutputSequence.Iterator, limit: Int) {
        self.chunks = chunks
        self.limit = limit
    }

    /// The next whole line; nil at the end of the output, even if a line was begun.
    mutating func next() async throws -> [UInt8]? {
        while true {
            if let newline = rest.firstIndex(of: 0x0A) {
                let line = Array(rest[..<newline])
                rest.removeSubrange(...newline)
                return line
            }
            guard rest.count <= limit else {
                throw EnvironmentError(.program, at: "", "an answer is longer than \(limit) bytes")
            }
            guard let chunk = try await chunks.next() else { return nil }
            chunk.withUnsafeBytes { rest.append(contentsOf: $0) }
        }
    }
}
