import Generation
import Orchestration

@testable import Roles

extension GroupEngine {
    /// A group of a version whose files are on the disk.
    func add(_ request: GroupRequest, version: PolicyVersion, _ files: PolicyFiles) async throws {
        try await add(request, version: version, PolicySource(files))
    }

    /// A version whose files are on the disk.
    func announce(_ version: PolicyVersion, _ files: PolicyFiles) {
        announce(version, PolicySource(files))
    }
}
