import CExhaustion
import Foundation

/// What a process needs from the system before it does anything else.
enum ThisProcess {
    static func prepare() {
        openStandardDescriptors()
        requireAddressSpace()
        // a file that grows beyond a limit and a pipe that nobody reads are errors of a write, which are told, and no
        // signals, which are not
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        mapping_failures_say_so()
    }

    /// Threads, libraries and files that are mapped need room; where there is hardly any, some of them wait for it for
    /// ever.
    private static func requireAddressSpace() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return
        }
        let most = Int(clamping: limit.rlim_cur), taken = ThisMachine.addressSpace
        guard most - taken < leastAddressSpace else { return }
        address_space_exhausted(taken + leastAddressSpace, most)
    }

    /// What the smallest run takes beside the libraries.
    private static let leastAddressSpace = 256 << 20

    /// Descriptors 0 to 2 that are closed would be given to the next files opened, and messages written into those.
    /// They are opened the wrong way round: what is read from them, or written, fails as it would have.
    private static func openStandardDescriptors() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // the lowest that is free: this one
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
