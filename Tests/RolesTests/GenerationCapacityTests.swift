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
        let one = try capacity.plan(for: model, threads: 2, available: model.weightBytes + (1 << 30) + (100 << 20))
        #expect(one.versions == 1 && one.complaint != nil)
        #expect(one.limits.pages == (1 << 30) / KeyValueCache.pageByteCount(model.configuration))
        let small = try capacity.plan(for: model, threads: 2, available: model.weightBytes + (300 << 20))
        #expect(small.versions == 1 && small.complaint != nil && small.limits.pages < one.limits.pages)
    }

    @Test func tooLittleMemoryIsAClearError() {
        #expect {
            try capacity.plan(for: model, threads: 2, available: 200 << 20)
        } throws: {
            "\($0)".contains("0.19 GiB are free")
        }
    }

    @Test func whatTheSystemSays() {
        #expect(AvailableMemory.systemBytes("MemTotal:  100 kB\nMemAvailable:   2048 kB\n") == 2 << 20)
        for text in ["", "MemAvailable: x kB", "MemAvailable: 9223372036854775807 kB", "MemAvailable: 5"] {
            #expect(AvailableMemory.systemBytes(text) == nil)
        }
    }
}
