import Identity
import Synchronization

/// Where the newest manifest hangs, and where those who wait for a newer one stand.
///
/// Used by relays for long polls and by clients for ``WeightClient/waitForVersion(after:timeout:)``. The number of
/// waiters is bounded, each wait ends by its own deadline, and a version never goes down.
final class VersionBoard: Sendable {
    enum Answer: Sendable {
        case newer(SignedManifest)
        case nothingNewer
        case tooManyWaiters
        case failed(ShardcastError)
    }

    private struct Waiter {
        let after: UInt64?
        let owner: ObjectIdentifier?
        let continuation: CheckedContinuation<Answer, Never>
        var timer: Task<Void, Never>?
    }

    private struct State {
        var newest: SignedManifest?
        var waiters: [UInt64: Waiter] = [:]
        var nextIdentifier: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maximumWaiters: Int

    init(maximumWaiters: Int) {
        self.maximumWaiters = maximumWaiters
    }

    var newest: SignedManifest? { state.withLock { $0.newest } }
    var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Hangs up a manifest and wakes those whom it concerns; false if the board already has it or a newer one.
    @discardableResult
    func publish(_ signed: SignedManifest) -> Bool {
        let version = signed.manifest.version
        let woken: [Waiter]? = state.withLock { state in
            if let newest = state.newest, newest.manifest.version >= version { return nil }
            state.newest = signed
            let due = state.waiters.filter { $0.value.after.map { $0 < version } ?? true }
            for identifier in due.keys { state.waiters[identifier] = nil }
            return Array(due.values)
        }
        guard let woken else { return false }
        for waiter in woken { resume(waiter, .newer(signed)) }
        return true
    }

    /// Ends the waits of one connection, which is gone.
    func abandon(owner: ObjectIdentifier) {
        for waiter in remove(where: { $0.owner == owner }) { resume(waiter, .nothingNewer) }
    }

    /// Ends every present wait with an error.
    func fail(_ error: ShardcastError) {
        for waiter in remove(where: { _ in true }) { resume(waiter, .failed(error)) }
    }

    /// Ends every wait, now and later.
    func close() {
        state.withLock { $0.isClosed = true }
        for waiter in remove(where: { _ in true }) { resume(waiter, .nothingNewer) }
    }

    /// Returns at once if the board has a version above `after` (nil: any), else when it gets one, or when time is up.
    ///
    /// - Parameter duration: How long to wait; nil waits until the task is cancelled.
    func newer(than after: UInt64?, within duration: Duration?, owner: ObjectIdentifier? = nil) async -> Answer {
        let identifier = state.withLock { state in
            state.nextIdentifier += 1
            return state.nextIdentifier
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let immediate: Answer? = state.withLock { state in
                    if let newest = state.newest, after.map({ $0 < newest.manifest.version }) ?? true {
                        return .newer(newest)
                    }
                    if state.isClosed || Task.isCancelled || duration.map({ $0 <= .zero }) ?? false {
                        return .nothingNewer
                    }
                    if state.waiters.count >= maximumWaiters { return .tooManyWaiters }
                    let timer = duration.map { duration in
                        Task {
                            if (try? await Task.sleep(for: duration)) != nil { self.expire(identifier) }
                        }
                    }
                    state.waiters[identifier] = Waiter(
                        after: after, owner: owner, continuation: continuation, timer: timer)
                    return nil
                }
                if let immediate { continuation.resume(returning: immediate) }
            }
        } onCancel: {
            expire(identifier)
        }
    }

    private func expire(_ identifier: UInt64) {
        if let waiter = state.withLock({ $0.waiters.removeValue(forKey: identifier) }) { resume(waiter, .nothingNewer) }
    }

    private func remove(where condition: (Waiter) -> Bool) -> [Waiter] {
        state.withLock { state in
            let due = state.waiters.filter { condition($0.value) }
            for identifier in due.keys { state.waiters[identifier] = nil }
            return Array(due.values)
        }
    }

    private func resume(_ waiter: Waiter, _ answer: Answer) {
        waiter.timer?.cancel()
        waiter.continuation.resume(returning: answer)
    }
}
