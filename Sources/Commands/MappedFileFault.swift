import Foundation

/// What a process says when a file that it has mapped is cut short by somebody else: the kernel sends SIGBUS, which by itself
/// ends it without a word.
///
/// Nothing can be computed with pages that are gone, so the process still ends, with the exit code for our own fault.
enum MappedFileFault {
    /// Installs the handler; it does nothing but write a sentence and end, which a signal handler may do.
    static func report() {
        signal(SIGBUS) { _ in
            let sentence: StaticString = """
                A file that is mapped into memory (weights, or their shared copy in the cache) was cut short by another \
                program, or its disk failed. Replace files instead of overwriting them, and start again.

                """
            _ = write(STDERR_FILENO, sentence.utf8Start, sentence.utf8CodeUnitCount)
            _exit(70)
        }
    }
}
