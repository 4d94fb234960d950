import Generation
import Testing
import Transformer

@testable import Roles

@Suite struct GenerationCapacityTests {
    private let model = ModelInspection(ModelShape.s.configuration)
    private let capacity = GenerationCapacity(sequences: 256, cacheBytes: 1 << 30)

    @Test func enoughMemory() throws {
        for available in [nil, 4 << 30] {
            let plan = try capacity.plan(for: model, threads: 2, available: available)
            #expect(plan.versions == 2 && plan.complaint == nil && plan.limits.sequences == 256)
            #expect(plan.limits.pages == (1 << 30) / KeyValueCache.pageByteCount(model.configuration))
        }
    }

    @Test func lessMemoryIsLessWork() throws {
        let one = try capacity.plan(for: model, threads: 2, available: model.weightBytes + (1 << 30) + (200 << 20))
        #expect(one.versions == 1 && one.complaint != nil)
        #expect(one.limits.pages == (1 << 30) / KeyValueCache.pageByteCount(model.configuration))
        let small = try capacity.plan(for: model, threads: 2, available: model.weightBytes + (400 << 20))
        #expect(small.versions == 1 && small.complaint != nil && small.limits.pages < one.limits.pages)
    }

    @Test func tooLittleMemoryIsAClearError() {
        #expect {
            try capacity.plan(for: model, threads: 2, available: 200 << 20)
        } throws: {
            "\($0)".contains("0.19 GiB are free")
        }
    }

    @Test func containersLeaveWhatIsNotCached() {
        let files = [
            "/sys/fs/cgroup/lab/memory.max": "max",
            "/sys/fs/cgroup/lab/worker/memory.max": "4294967296",
            "/sys/fs/cgroup/lab/worker/memory.current": "3221225472",
            "/sys/fs/cgroup/lab/worker/memory.stat": "anon 5\ninactive_file 2147483648\nactive_file 7",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "1000",
            "/sys/fs/cgroup/memory/docker/memory.usage_in_bytes": "5000",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "800",
        ]
        func bytes(_ memberships: String) -> Int? {
            ContainerMemory.bytes(memberships: memberships) { files[$0] }
        }
        #expect(bytes("0::/lab/worker\n") == 3 << 30)
        #expect(bytes("0::/lab\n") == nil)
        // The first hierarchy; more used than allowed is nothing left, and the tightest of the path counts.
        #expect(bytes("3:cpu,memory:/docker\n0::/\n") == 0)
        #expect(bytes("3:memory:/elsewhere\n") == 9_223_372_036_854_771_712 - 800)
        for odd in ["", "x", "0::", "::::", "0::/../../etc", "3:memory"] { #expect(bytes(odd) == nil) }
    }

    @Test func whatTheSystemSays() {
        #expect(AvailableMemory.systemBytes("MemTotal:  100 kB\nMemAvailable:   2048 kB\n") == 2 << 20)
        for text in ["", "MemAvailable: x kB", "MemAvailable: 9223372036854775807 kB", "MemAvailable: 5"] {
            #expect(AvailableMemory.systemBytes(text) == nil)
        }
    }
}
