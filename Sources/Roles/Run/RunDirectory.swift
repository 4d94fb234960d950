import Foundation
public import Identity

/// The layout of a run's directory (docs/run-directory.md): the only place that builds these paths.
public struct RunDirectory: Sendable, Hashable {
    /// The directory itself, absolute.
    public let root: String

    /// Names the run directory at `path`, relative to the working directory unless absolute.
    public init(_ path: String) {
        root = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The resolved run file as JSON.
    public var runFile: String { root + "/run.json" }
    /// One JSON object of numbers per optimizer step.
    public var metrics: String { root + "/metrics.jsonl" }
    /// What happened, one JSON object per line, for screens and people.
    public var story: String { root + "/story.jsonl" }
    /// The reward curve as a picture.
    public var rewardChart: String { root + "/reward.svg" }
    /// What a finished demo says in numbers.
    public var summary: String { root + "/summary.json" }
    /// Leases, groups, verdicts and the ledger.
    public var database: String { root + "/orchestrator.sqlite" }
    /// The trainer's checkpoints.
    public var checkpoints: String { root + "/checkpoints" }
    /// The model after warm-up, a Hugging Face directory.
    public var startModel: String { root + "/model-start" }
    /// The model of the newest checkpoint, a Hugging Face directory.
    public var model: String { root + "/model" }
    /// The adapter of the newest checkpoint, where the run trains one; PEFT opens it.
    public var adapter: String { root + "/adapter" }
    /// The origin directory that the relay serves.
    public var origin: String { root + "/weights" }
    /// Log files, one per process.
    public var logs: String { root + "/logs" }
    /// Key files of the run's own processes, mode 0600.
    public var keys: String { root + "/keys" }
    /// What the run's relay asks of those who fetch, where it asks for anything.
    var relayTokens: String { keys + "/relay.tokens" }
    /// The join ticket that workers and verifiers of this run use.
    public var ticket: String { root + "/join.toml" }
    /// Whether a name at the top of the directory is one that a run makes.
    func owns(_ name: String) -> Bool {
        let made: Set = [
            "run.json", "metrics.jsonl", "story.jsonl", "reward.svg", "summary.json", "join.toml", "checkpoints",
            "weights",
            "logs", "keys", "cache", "rollouts", "model", "model-start", "adapter", "trainer-draft", "locks",
            "evidence", "behaviours",
        ]
        return made.contains(name) || name.hasPrefix("orchestrator.sqlite") || name.hasPrefix("events.out.tfevents.")
    }

    /// Ground truth for people: prompts, completions, rewards, verdicts of one step.
    public func rollouts(step: UInt64) -> String {
        root + "/rollouts/step_" + Self.padded(step)
    }
    /// Log-probabilities that the trainer computed for steps which no STABLE checkpoint covers yet.
    var behaviours: String { root + "/behaviours" }
    /// Evidence of settled rejections, one file each.
    public var evidence: String { root + "/evidence" }
    /// The evidence against one group; `verifier replay` re-checks it.
    public func evidence(of group: Hash256) -> String { evidence + "/" + group.hex + ".evidence" }
    /// The key file of one member, for example `worker-1`.
    public func key(_ member: String) -> String { keys + "/" + member + ".key" }
    /// The log of one member.
    public func log(_ member: String) -> String { logs + "/" + member + ".log" }
    /// Where one worker or verifier keeps the policy versions that it fetched.
    public func cache(_ member: String) -> String { root + "/cache/" + member }

    /// Held by the one process that supervises the run's members here.
    var supervisorLock: String { root + "/locks/supervisor" }
    /// Held together by the run's members here.
    var membersLock: String { root + "/locks/members" }

    static func padded(_ step: UInt64) -> String {
        let digits = String(step)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
