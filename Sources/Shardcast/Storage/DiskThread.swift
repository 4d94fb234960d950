import NIOPosix

/// Runs blocking file work on NIO's thread pool, so that no event loop and no task waits behind a disk.
func onDiskThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
}
