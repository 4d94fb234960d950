import Logging
import Orchestration
import Synchronization
import Testing
import Verification

@testable import Roles

@Suite("Versions that cannot be fetched for a while")
struct PatientSourceTests {
    /// Fails so many times.
    private final class Source: BehaviourSource {
        let failures: Mutex<Int>
        init(_ failures: Int) { self.failures = Mutex(failures) }

        func replay(
            _ requests: [ReplayRequest], under version: PolicyVersion
        ) async throws -> [Result<ReplayResult, ReplayDesk.Fault>] {
            let fails = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            if fails { throw RoleFailure(.unreachable, "the relay restarts") }
            return []
        }
    }

    private let version = PolicyVersion(number: 7, weightsHash: .zero, step: 7)

    /// The pauses that were made, and whether the version came.
    private func attempt(_ source: Source, isPublished: Bool = true) async -> (pauses: [Duration], came: Bool) {
        let pauses = Mutex<[Duration]>([])
        let patient = PatientSource(source, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { pause in
            pauses.withLock { $0.append(pause) }
        } isPublished: { _ in
            isPublished
        }
        let came = (try? await patient.replay([], under: version)) != nil
        return (pauses.withLock { $0 }, came)
    }

    @Test("A fetch that fails is tried again after growing pauses, not for ever")
    func retries() async {
        #expect(await attempt(Source(0)) == ([], true))
        #expect(await attempt(Source(3)) == (Array(PatientSource.pauses.prefix(3)), true))
        #expect(PatientSource.pauses == PatientSource.pauses.sorted())
        let hopeless = Source(100)
        #expect(await attempt(hopeless) == (PatientSource.pauses, false))
        #expect(hopeless.failures.withLock { $0 } == 100 - PatientSource.pauses.count - 1)
    }

    @Test("Nobody waits for a version that the origin has removed")
    func removed() async {
        #expect(await attempt(Source(1), isPublished: false) == ([], false))
    }
}
