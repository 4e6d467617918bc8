import COpenBLAS
import Foundation

/// OpenBLAS, one thread a call: the threads of a step are ours.
public enum BLAS {
    /// The kernel family that OpenBLAS runs, e.g. `SkylakeX`.
    public static var coreName: String { String(cString: openblas_get_corename()) }

    /// To be called first in `main`. OpenBLAS picks its kernels when it is loaded, and an older one that does not know
    /// the processor falls back to plain SSE, five times slower. The choice can only be made by environment, before
    /// loading, so the process replaces itself once, with `OPENBLAS_CORETYPE` set to what the processor can do.
    public static func prepare() {
        openblas_set_num_threads(1)
        guard getenv("OPENBLAS_CORETYPE") == nil, ["Prescott", "Generic", "Core2", "Nehalem"].contains(coreName),
            let better = bestCore()
        else { return }
        setenv("OPENBLAS_CORETYPE", better, 1)
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return }
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(program, &arguments)
    }

    /// The fastest family that this processor's instructions allow, if OpenBLAS ought to have chosen it.
    static func bestCore() -> String? {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
        else { return nil }
        let flags = Set(line.split(separator: " "))
        if flags.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl"]) { return "SkylakeX" }
        return flags.isSuperset(of: ["avx2", "fma"]) ? "Haswell" : nil
    }
}
