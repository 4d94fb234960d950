import Tensors

/// Hands out the memory of a thread's or a crew's buffers and counts it.
///
/// With `allocating` false it only counts, so that what is predicted and what is allocated cannot come apart.
struct TrainingMemory {
    let allocating: Bool
    private(set) var bytes = 0

    init(allocating: Bool) { self.allocating = allocating }

    mutating func take<Element: BitwiseCopyable>(_ count: Int, zeroed: Bool = false) -> Storage<Element> {
        bytes += count * MemoryLayout<Element>.stride
        return Storage(count: allocating ? count : 0, zeroed: zeroed)
    }
}
