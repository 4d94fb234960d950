import Testing

@testable import Roles

/// Versions announced, leased, finished, cancelled and failing in any order.
@Suite struct VersionShelfTests {
    @Test func oneIsLoadedAheadAndTheOldOneGoes() {
        var shelf = VersionShelf(capacity: 2)
        shelf.take(5)
        #expect(shelf.nextMove() == .load(5))
        #expect(shelf.nextMove() == nil, "one at a time")
        shelf.finishLoading(5, succeeded: true)
        shelf.announce(6)
        #expect(shelf.nextMove() == .load(6))
        shelf.finishLoading(6, succeeded: true)
        shelf.take(6)
        shelf.take(7)
        #expect(shelf.nextMove() == nil, "5 is not finished: 7 waits")
        shelf.finish(5)
        #expect(shelf.nextMove() == .drop(5))
        #expect(shelf.nextMove() == .load(7))
        #expect(shelf.loaded == [6])
    }

    @Test func whatNobodyNeedsMakesRoom() {
        var shelf = VersionShelf(capacity: 2)
        shelf.take(5)
        _ = shelf.nextMove()
        shelf.finishLoading(5, succeeded: true)
        shelf.announce(6)
        _ = shelf.nextMove()
        shelf.finishLoading(6, succeeded: true)
        // 6 was loaded ahead and superseded before its first group.
        shelf.announce(7)
        #expect(shelf.nextMove() == .drop(6))
        #expect(shelf.nextMove() == .load(7))
        shelf.finishLoading(7, succeeded: false)
        #expect(shelf.nextMove() == nil, "a version that cannot be loaded is not tried again by itself")
    }

    @Test func oneAtATimeWhereMemoryIsShort() {
        var shelf = VersionShelf(capacity: 1)
        shelf.take(1)
        #expect(shelf.nextMove() == .load(1))
        shelf.finishLoading(1, succeeded: true)
        shelf.announce(2)
        #expect(shelf.nextMove() == nil)
        shelf.finish(1)
        #expect(shelf.nextMove() == .drop(1))
        #expect(shelf.nextMove() == .load(2))
    }

    /// Thousands of runs: memory stays bounded, nothing with groups is dropped, and every group is generated in the end.
    @Test func boundedAndAlive() {
        for seed in 0..<3000 {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 7
            func next(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            let capacity = 1 + next(3)
            var shelf = VersionShelf(capacity: capacity)
            var groups: [UInt64] = []
            var newest: UInt64 = 1
            func obey() {
                while let move = shelf.nextMove() {
                    if case .drop(let version) = move { #expect(!groups.contains(version)) }
                    #expect(shelf.loaded.count + (shelf.loading == nil ? 0 : 1) <= capacity)
                }
            }
            func finishLoading(_ succeeded: Bool) {
                guard let version = shelf.loading else { return }
                shelf.finishLoading(version, succeeded: succeeded)
                guard !succeeded else { return }
                for group in groups where group == version { shelf.finish(group) }
                groups.removeAll { $0 == version }
            }
            for _ in 0..<120 {
                switch next(10) {
                case 0:
                    newest += 1
                    shelf.announce(newest)
                case 1...4:
                    // Mostly of the newest version; after a reconnection also of older ones.
                    let version = next(5) == 0 ? max(1, newest &- UInt64(next(4))) : newest
                    groups.append(min(version, newest))
                    shelf.take(min(version, newest))
                case 5...6: finishLoading(next(8) > 0)
                default:
                    // Finished, which needs the version in memory, or cancelled.
                    let ready = groups.indices.filter { shelf.loaded.contains(groups[$0]) || next(20) == 0 }
                    if let index = ready.first { shelf.finish(groups.remove(at: index)) }
                }
                obey()
            }
            for _ in 0..<1000 where !groups.isEmpty || shelf.loading != nil {
                finishLoading(true)
                obey()
                if let index = groups.indices.filter({ shelf.loaded.contains(groups[$0]) }).first {
                    shelf.finish(groups.remove(at: index))
                }
                obey()
            }
            #expect(groups.isEmpty, "seed \(seed): \(groups) wait for ever")
        }
    }
}
