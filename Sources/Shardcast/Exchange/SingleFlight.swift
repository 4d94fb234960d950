import Synchronization

/// Runs an operation once for all who ask for its result while it runs.
///
/// The operation is cancelled when the last of them is cancelled.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Flight {
        let task: Task<Value, any Error>
        var passengers: Int
        let number: UInt64
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        var count: UInt64 = 0
    }

    private let state = Mutex(State())

    func run(_ key: Key, _ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        while true {
            let (task, number, isBoarding) = board(key, operation)
            if isBoarding {
                return try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    leave(key, number)
                }
            }
            // Two flights of one key never overlap: the abandoned one has to land first.
            _ = await task.result
            try Task.checkCancellation()
        }
    }

    private func board(
        _ key: Key, _ operation: @escaping @Sendable () async throws -> Value
    ) -> (task: Task<Value, any Error>, number: UInt64, isBoarding: Bool) {
        state.withLock { state in
            if var flight = state.flights[key] {
                guard flight.passengers > 0 else { return (flight.task, flight.number, false) }
                flight.passengers += 1
                state.flights[key] = flight
                return (flight.task, flight.number, true)
            }
            state.count += 1
            let number = state.count
            let task = Task {
                defer { self.land(key, number) }
                return try await operation()
            }
            state.flights[key] = Flight(task: task, passengers: 1, number: number)
            return (task, number, true)
        }
    }

    private func land(_ key: Key, _ number: UInt64) {
        state.withLock { state in
            if state.flights[key]?.number == number { state.flights[key] = nil }
        }
    }

    private func leave(_ key: Key, _ number: UInt64) {
        let abandoned: Task<Value, any Error>? = state.withLock { state in
            guard var flight = state.flights[key], flight.number == number else { return nil }
            flight.passengers -= 1
            state.flights[key] = flight
            return flight.passengers > 0 ? nil : flight.task
        }
        abandoned?.cancel()
    }
}
