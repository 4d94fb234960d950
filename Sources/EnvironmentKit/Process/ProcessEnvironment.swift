import Identity
import JSON
import Synchronization

/// An environment in any language: a program that speaks JSON by line on standard input and output.
///
/// In a run file:
///
///     [environment]
///     name = "process"
///     options = { command = ["python3", "environments/sudoku.py"], max_tokens = 64 }
///
/// The tasks are fetched once, when the environment is started, so that they are the same after every restart of the
/// program; scores are asked for one by one. A program that crashes, hangs or reports an error makes a score fail,
/// which is a third state and never a reward of 0. The program runs with the lab's rights: it is no sandbox.
public final class ProcessEnvironment: Environment {
    /// The name in run files.
    public static let id = "process"
    /// One sentence for people.
    public static let summary = "Tasks and scores from a program in any language that speaks JSON by line."

    /// The options in force, with the hash of the tasks.
    public let options: EnvironmentOptions
    /// The limit of completions, the stop token included.
    public let maximumCompletionTokens: Int

    /// As many as programs were started.
    public var concurrentScores: Int { programs.count }

    private let programs: [LineProgram]
    private let deadline: Duration
    private let place: String
    private let tasks: [Split: [EnvironmentTask]]
    private let calls = Atomic<Int>(0)

    /// Not available: a program must be started first.
    ///
    /// - Throws: Always; use ``start(options:)``.
    public init(options: EnvironmentOptions) throws {
        throw EnvironmentError(.option, at: Self.id, "a program must be started; use ProcessEnvironment.start")
    }

    /// Starts the program, asks what it is and fetches the tasks.
    ///
    /// - Parameter options: `command` (a list), and optionally `processes` (programs that score side by side),
    ///   `deadline_seconds` (for each answer), `max_tokens`, `train_tasks`, `held_out_tasks`, `seed`,
    ///   `chat`, `system`, `chat_options`.
    /// - Throws: An ``EnvironmentError`` that says what the program did.
    public static func start(options: EnvironmentOptions) async throws -> ProcessEnvironment {
        var reader = OptionReader(options, of: id)
        let command = try reader.texts("command", default: [])
        let processes = try reader.integer("processes", default: 1, in: 1...256)
        let deadline = Duration.seconds(try reader.number("deadline_seconds", default: 30, in: 0.01...86_400))
        let limit = try reader.integer("max_tokens", default: 64, in: 1...65_536)
        let trainTasks = try reader.integer("train_tasks", default: 1024, in: 1...1_000_000)
        let heldOutTasks = try reader.integer("held_out_tasks", default: 256, in: 1...1_000_000)
        let seed = try reader.integer("seed", default: 0, in: 0...Int.max)
        let chat = try ChatOptions(&reader)
        try reader.finish()
        guard !command.isEmpty else {
            throw EnvironmentError(
                .option, at: id, "the option command must name a program, such as [\"python3\", \"sudoku.py\"]")
        }
        let programs = (0..<processes).map { _ in LineProgram(command: command) }
        let place = command.joined(separator: " ")
        var number = 0
        func ask(_ method: String, _ members: JSONObject) async throws -> JSONValue {
            number += 1
            let answer = try await programs[0].call(
                ProgramMessages.question(number, method, members), deadline: deadline)
            return try ProgramMessages.result(of: answer, to: number, from: place)
        }
        let description = try await ask("describe", ["protocol": .integer(ProgramMessages.version)])
        guard description["protocol"] == .integer(ProgramMessages.version) else {
            throw EnvironmentError(
                .program, at: place, "the program must answer describe with \"protocol\": \(ProgramMessages.version)")
        }
        var tasks: [Split: [EnvironmentTask]] = [:]
        for (split, count) in [(Split.train, trainTasks), (.heldOut, heldOutTasks)] {
            for index in 0..<count {
                let result = try await ask(
                    "task",
                    ["seed": .integer(seed), "index": .integer(index), "split": .string(split.rawValue)])
                let name = EnvironmentTask.identifier(seed: UInt64(seed), index: UInt64(index), split: split)
                tasks[split, default: []].append(try ProgramMessages.task(result, id: name, chat: chat, from: place))
            }
        }
        return ProcessEnvironment(
            options: options, programs: programs, deadline: deadline, limit: limit, place: place, tasks: tasks)
    }

    private init(
        options: EnvironmentOptions, programs: [LineProgram], deadline: Duration, limit: Int, place: String,
        tasks: [Split: [EnvironmentTask]]
    ) {
        var hash = SHA256()
        for split in Split.allCases {
            for task in tasks[split] ?? [] {
                let prompt = task.conversation.map { JSONValue.array($0.messages) } ?? .string(task.prompt)
                let text = JSONValue.array([prompt, .string(task.answer ?? ""), task.info]).canonicalText
                hash.update(littleEndian: UInt64(text.utf8.count))
                hash.update(utf8: text)
            }
        }
        var resolved = options
        resolved["tasks_sha256"] = .string(hash.finalize().hex)
        self.options = resolved
        self.programs = programs
        self.deadline = deadline
        self.place = place
        self.tasks = tasks
        maximumCompletionTokens = limit
    }

    /// A fetched task; every task of a split comes once in each pass, in an order that the seed decides.
    public func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask {
        guard let pool = tasks[split], !pool.isEmpty else {
            throw EnvironmentError(.noTask, at: place, "the program gave no task of the split \(split.rawValue)")
        }
        let (epoch, offset) = index.quotientAndRemainder(dividingBy: UInt64(pool.count))
        var task = pool[Int(RowOrder(count: pool.count, seed: seed, epoch: epoch).row(at: offset))]
        task.id = EnvironmentTask.identifier(seed: seed, index: index, split: split)
        return task
    }

    /// The tasks that were fetched for the split.
    public func taskCount(of split: Split) -> Int? { tasks[split]?.count ?? 0 }

    /// What the program says within its deadline.
    public func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) async throws -> Double {
        let number = calls.add(1, ordering: .relaxed).newValue
        // Invalid UTF-8 arrives with replacement characters: JSON can carry nothing else.
        let question = ProgramMessages.question(
            number, "score",
            [
                "prompt": task.conversation.map { .array($0.messages) } ?? .string(task.prompt),
                "answer": task.answer.map { .string($0) } ?? .null, "info": task.info,
                "completion": .string(String(decoding: completion.answerBytes, as: UTF8.self)),
                "finished": .bool(finished),
            ])
        let program = programs[Int(number) % programs.count]
        let answer = try await program.call(question, deadline: deadline)
        return try ProgramMessages.reward(
            ProgramMessages.result(of: answer, to: number, from: place), from: place)
    }

    /// Lets the programs finish and waits for their end.
    public func stop() async {
        for program in programs { await program.stop() }
    }
}
