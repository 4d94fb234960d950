import ArgumentParser
import Foundation
import Messages
import Roles
import Tensors

/// `apus doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Can this machine join a run, and what would it earn?",
        discussion: "  apus doctor --join runs/demo/join.toml")

    @Option(help: ArgumentHelp("Also check that this run can be reached.", valueName: "url"))
    var join: String?

    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        let terminal = Terminal()
        var problems: [String] = []
        func report(_ isFine: Bool, _ what: String, _ finding: String) {
            terminal.say("  \(isFine ? "✓" : "✗") \(Terminal.left(what, 10)) \(finding)", isFine ? .plain : .red)
            if !isFine { problems.append(what) }
        }
        let process = ProcessInfo.processInfo
        report(true, "cores", "\(process.activeProcessorCount)")
        let memory = Double(process.physicalMemory) / Double(1 << 30)
        report(
            memory >= 1, "memory", "\(Terminal.fixed(memory, 1)) GiB" + (memory >= 1 ? "" : "; a worker wants 1 GiB"))
        report(true, "software", "apus \(Software.version), arithmetic version \(ArithmeticVersion.current)")
        let kernels = try? compute.kernels()
        report(
            kernels != nil, "kernels",
            kernels.map { "row \($0.row) reproduces the hash vectors" }
                ?? "no row reproduces the hash vectors: this machine's numbers would fail every audit")
        let home = NSHomeDirectory()
        report(
            FileManager.default.isWritableFile(atPath: home), "disk",
            FileManager.default.isWritableFile(atPath: home)
                ? "\(home) can be written; \(Self.freeSpace(home)) free"
                : "\(home) cannot be written (use --key and --cache)")
        report(
            Self.clockIsPlausible, "clock",
            Self.clockIsPlausible ? "plausible" : "before 2026: set it, or manifests expire")
        if kernels != nil {
            let line = try EngineBench(
                model: nil, kernels: try compute.kernels(), threads: compute.threadCount, repeats: 3
            )
            .generate(batch: 64, prompt: 16, new: 32)
            report(
                true, "speed",
                "\(Terminal.short(line.tokensPerSecond)) tokens/s on the 82k-parameter model with \(compute.threadCount) threads, "
                    + "about \(Terminal.work(line.tokensPerSecond * 165_000)) of credit a second if all of it is used")
        }
        if let join {
            do {
                let ticket = try await JoinTicket(resolving: join)
                let reached = Self.canConnect(ticket.host, ticket.port)
                report(
                    reached, "network",
                    reached
                        ? "\(ticket.host):\(ticket.port) answers" : "nobody answers at \(ticket.host):\(ticket.port)")
            } catch {
                report(false, "network", Failure(error).sentence)
            }
        }
        guard problems.isEmpty else {
            throw RoleFailure(
                .unreachable, "This machine cannot join yet: see \(problems.joined(separator: ", ")) above.")
        }
        terminal.say("This machine can join a run.", .green)
    }

    private static var clockIsPlausible: Bool { Date().timeIntervalSince1970 > 1_767_225_600 }

    private static func freeSpace(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        let bytes = (attributes?[.systemFreeSize] as? NSNumber)?.doubleValue ?? 0
        return Terminal.fixed(bytes / Double(1 << 30), 1) + " GiB"
    }

    private static func canConnect(_ host: String, _ port: UInt16) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { return false }
        defer { freeaddrinfo(found) }
        var candidate = found
        while let address = candidate?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
            if descriptor >= 0 {
                defer { close(descriptor) }
                var patience = timeval(tv_sec: 3, tv_usec: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
                if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return true }
            }
            candidate = address.ai_next
        }
        return false
    }
}
